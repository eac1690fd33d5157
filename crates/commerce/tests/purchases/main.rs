//! What purchases do and refuse, on both databases, against simulated merchants.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken test should stop")]

mod abuse;
mod ends;
mod mandates;
mod market;
mod receipts;
mod shares;
