//! The console: what waits for a person to decide, and deciding it.

pub mod reviews;
