//! Runs of skills as they are: what a script needs and may do, what an operator has confirmed of it, and the receipt.
//!
//! A run goes from a skill's bytes over what its manifest or the operator's [`Overlay`] asks for, within a [`Ceiling`] and as
//! far as the caller grants it ([`Granted`]), into a sandbox that shows the skill, a read-only layer of its dependencies and
//! one writable folder, and ends in a signed [`Receipt`]. No database and no hub is needed for that.

mod disk;
mod entry;
mod error;
pub mod explain;
mod keys;
mod layer;
mod lock;
mod observe;
mod outputs;
mod overlay;
mod permissions;
mod program;
mod receipt;
mod redact;
mod run;
mod schema;
mod session;
mod verify;
mod wanted;

pub use entry::{Entry, scripts};
pub use error::Error;
pub use keys::RunnerKeys;
pub use layer::{Building, Layer, Layers};
pub use lock::{Lock, LockedPackage, NodeLock, PythonLock};
pub use observe::{Need, Observation};
pub use outputs::{Gathered, Output, bring, gather, lay_out};
pub use overlay::{Consent, Holds, OVERLAY_TYPE, Overlay, Overlays, Stored};
pub use permissions::{CallerGrants, Ceiling, Granted, USUAL_MEMORY, USUAL_WALL, beyond};
pub use program::{Language, Program, language, which};
pub use receipt::{
    Connection, ConnectionTotal, Decision, DependencyLayers, ExitFact, LeftBehind, OverlayRef, RECEIPT_TYPE, RanEntry,
    RanSkill, Receipt, Resources, Runner, Salts, SandboxFact, Sealed, UsedPermissions,
};
pub use redact::{Alarm, Redacted, Redactor};
pub use run::{Finished, Frame, Host, LARGEST_INPUT, Order, Said, Stream, Watch, observe, run, run_in};
pub use schema::Schema;
pub use session::SessionId;
pub use verify::{Evidence, verify};
pub use wanted::{Asked, Wanted, is_python_entry};
