//! Calls of models over real connections to scripted providers, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod budgets;
mod fail_over;
mod metering;
mod streams;
#[path = "../../../testkit/src/upstream.rs"]
#[expect(dead_code, reason = "other crates use the rest")]
mod upstream;
mod world;
