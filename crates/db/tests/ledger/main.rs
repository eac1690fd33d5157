//! The contract of every query about money, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

#[path = "../support/mod.rs"]
mod support;

mod bell;
mod checkouts;
mod fixtures;
mod ledger_accounts;
mod ledger_transfers;
mod mandates;
mod merchants;
mod model_budgets;
mod model_usage;
