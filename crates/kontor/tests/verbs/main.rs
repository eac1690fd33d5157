//! The real binary against a real hub, both as users run them.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

mod agents;
mod attacks;
mod between;
mod buying;
mod carrying;
mod consents;
mod deciding;
mod errands;
mod evidence;
mod guide;
mod hub;
mod hub_runs;
mod imports;
mod installs;
mod output;
mod people;
mod proving;
mod receipts;
mod running;
mod signing;
mod starters;
mod user;
