//! The hub as agents' clients reach it: tools, skills as resources, and what no skill can do by what it says.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod client;
mod injection;
mod runs;
mod skills;
mod tools;
mod transport;
