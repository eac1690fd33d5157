//! Workflows at the crate's border, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod asking;
mod cancelling;
mod chances;
mod doing;
mod kills;
mod parts;
mod refusing;
mod stage;
mod workers;
