//! The contract of every query about runs, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

#[path = "../support/mod.rs"]
mod support;

#[macro_use]
mod fixtures;
mod events;
mod files;
mod progress;
mod runs;
