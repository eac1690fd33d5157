//! Runs a command that nobody trusts, under the permissions that it was granted.
//!
//! A [`Job`] names a command and everything that it gets: folders, variables, destinations, limits. What it does not name is
//! not there: no network, no environment, no file but the system's programs. [`run`] holds the calling process's own command;
//! a [`Sandbox`] starts many from a process with threads.
//!
//! ```no_run
//! # async fn example() -> Result<(), kontor_sandbox::Error> {
//! use kontor_sandbox::{Job, Sandbox};
//!
//! let sandbox = Sandbox::new("/usr/bin/kontor".into(), vec!["sandbox-launcher".into()]);
//! let finished = sandbox.spawn(&Job::new(["python3", "-c", "print(1)"]))?.finish(b"", 1 << 20).await?;
//! assert_eq!(finished.stdout.bytes, b"1\n");
//! # Ok(())
//! # }
//! ```

mod collected;
mod deed;
mod destination;
#[cfg(any(not(target_os = "linux"), test))]
mod elsewhere;
mod error;
mod finished;
mod job;
mod limits;
#[cfg(target_os = "linux")]
mod linux;
mod outcome;
mod packed;

pub use collected::{CollectLimits, Collected, CollectedFile};
pub use deed::Deed;
pub use destination::{Destination, DestinationError, Host};
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{Running, Sandbox, Seen, Witness, collect, launcher, leave, run};
pub use error::{Error, Step};
pub use finished::{Captured, Finished};
pub use job::{Environment, Job, Permissions, SKILL, Shown, WORK, Watched, Work};
pub use limits::Limits;
#[cfg(target_os = "linux")]
pub use linux::{Running, Sandbox, Seen, Streams, Witness, collect, launcher, leave, run};
pub use outcome::{Connection, ConnectionTotal, Ended, InForce, Outcome, Stopped, Tier, Usage};
pub use packed::Packed;
