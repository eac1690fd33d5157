//! What the registry does, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod hub;
mod import;
mod lookup;
mod publish;
