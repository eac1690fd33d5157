//! What the registry does, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod cache;
mod catalogue;
mod feed;
mod hub;
mod import;
mod lifecycle;
mod lookup;
mod overlays;
mod publish;
mod rename;
mod reports;
mod resolve;
mod rule;
mod tags;
mod unanswered;
mod usage;
mod versions;
