//! Workflows: what is done step by step over a journal in the database.
//!
//! A [`Definition`] is ordinary code that does things outside only in steps of its [`Journal`]. What is journaled is never done
//! again: after a crash the definition is run from its beginning, gets what was kept, and goes on with the first step that is not
//! there yet. Each entry of a journal holds the digest of the one before it, so that a timeline can be checked by a stranger.

mod chain;
mod core;
mod definition;
mod engine;
mod error;
mod journal;
mod load;
mod news;
mod recorder;
mod settings;
mod step;
mod stop;
mod undo;
mod verbs;
mod watch;
mod workers;
mod workflows;

pub use chain::{Broken, verify};
pub use definition::{Definition, define};
pub use error::Error;
pub use journal::Journal;
pub use journal::ask::{Answer, AnsweredBy, Question};
pub use journal::notes::{Candidate, Choice};
pub use kontor_db::workflows::{Counts, Entry, EntryKind, Workflow, WorkflowState};
pub use kontor_types::WorkflowId;
pub use settings::{Parts, Settings};
pub use step::{Attempt, Step, StepError};
pub use stop::Stop;
pub use verbs::{OpenQuestion, RetryFrom};
pub use workflows::{Outcome, Owner, Start, Started, Workflows};
