//! The index at its border: what is fed in, what comes out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod basics;
mod world;
