//! Runs on a hub with real sandboxes, on both databases: what is accepted is done, once, and seen by those who may.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod answers;
mod consents;
mod crashes;
mod doing;
mod ending;
mod limits;
mod observed;
mod secrets;
mod stage;
