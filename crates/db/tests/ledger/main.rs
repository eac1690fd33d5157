//! The contract of every query about the ledger, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

#[path = "../support/mod.rs"]
mod support;

mod fixtures;
mod ledger_accounts;
mod ledger_transfers;
