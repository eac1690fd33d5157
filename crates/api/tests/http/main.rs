//! The hub over HTTP, without a socket: what every request meets, signing in, people, tokens, limits.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod front;
mod idempotency;
mod limits;
mod openapi;
mod origin;
mod people;
mod sign_in;
mod support;
