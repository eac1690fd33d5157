//! The contract of every query about people, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

#[path = "../support/mod.rs"]
mod support;

mod audit_events;
mod browser_sessions;
mod device_logins;
mod fixtures;
mod foreign_text;
mod idempotency;
mod members;
mod passwords;
mod persons;
mod publishers;
mod sign_in_links;
mod tokens;
