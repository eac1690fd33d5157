//! What the agent takes from a request, from a model and from skills, what it refuses, and whole errands with real sandboxes and
//! real merchants on both databases.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod chain;
mod cluster;
mod consent;
mod crashes;
mod errand;
mod judging;
mod reading;
mod restart;
mod stage;
