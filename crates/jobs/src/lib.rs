//! The durable queue: jobs are rows, claimed under a lease, retried with back-off, buried when they fail for good.
//!
//! A job is queued inside the transaction that makes it necessary, so neither happens without the other. A handler runs at
//! least once and must be idempotent; an attempt that lost its lease cannot record an outcome.

mod backoff;
mod workers;

pub use kontor_db::jobs::{Buried, Claimed, Counts, NewJob, buried, counts, enqueue, release, revive};
pub use workers::{Failure, Outcome, Workers};
