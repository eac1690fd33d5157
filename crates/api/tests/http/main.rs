//! The hub over HTTP, on both databases: what every request meets, signing in, people, tokens, limits, side doors.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod abuse;
mod attacks;
mod bazaar;
mod copies;
mod downloads;
mod errands;
mod front;
mod gate;
mod idempotency;
mod limits;
mod log;
mod models;
mod money;
mod openapi;
mod origin;
mod overview;
mod passwords;
mod people;
mod runs;
mod sessions;
mod side_doors;
mod sign_in;
mod workflows;
