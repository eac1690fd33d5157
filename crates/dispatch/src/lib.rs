//! Runs on a hub: accepted, queued, taken by workers, watched while they go on, and kept with their receipts.
//!
//! A run is accepted when its row is committed. Workers take it from the durable queue under a lease, write down each step
//! that is done, and never do such a step again: what a crash leaves is taken over by the next worker.

mod accept;
mod asked;
mod error;
mod kept;
mod offer;
mod quota;
mod runs;
mod tell;
mod upkeep;
mod verbs;
mod watch;
mod work;

pub use accept::{Consent, GivenFile, Named, StartRun};
pub use error::Error;
pub use kept::Kept;
pub use kontor_db::idempotency::Answer;
pub use kontor_db::runs::{Counts, EventKind, FileWay, Filter, Run, RunEvent, RunFile, RunState, RunStep};
pub use offer::Offer;
pub use runs::{KIND, Parts, Runs, Settings};
pub use work::{Came, Faults};
