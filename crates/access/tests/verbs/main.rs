//! People, publishers and signing in, through the verbs of the crate, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod audit;
mod bootstrap;
mod caller;
mod devices;
mod passwords;
mod people;
mod publishers;
mod secrets;
mod sessions;
mod signed_in;
mod support;
mod tokens;
