//! SQLite and Postgres behind one set of named queries: the only crate that speaks SQL.
//!
//! [`Db`] hands out a [`Conn`] for reading and runs units of writing in a [`Tx`]. Each aggregate has one module of plain
//! functions that take either. The SQL text is the same for both databases; only the migrations' types differ.

#[macro_use]
mod connection;
#[macro_use]
mod record;
mod sight;
mod sql;

pub mod activations;
pub mod assessments;
pub mod audit_events;
pub mod bell;
pub mod blobs;
pub mod browser_sessions;
pub mod changes;
pub mod checkouts;
pub mod consents;
pub mod consistency;
pub mod copies;
pub mod decisions;
pub mod device_logins;
pub mod dump;
mod error;
pub mod idempotency;
pub mod import_paths;
pub mod jobs;
pub mod ledger_accounts;
pub mod ledger_transfers;
pub mod likenesses;
pub mod log_entries;
pub mod look_alikes;
pub mod mandates;
pub mod members;
pub mod merchants;
mod migrations;
pub mod model_budgets;
pub mod model_usage;
pub mod notices;
pub mod observed;
mod open;
pub mod overlays;
pub mod passwords;
pub mod persons;
pub mod policies;
pub mod publisher_keys;
pub mod publishers;
pub mod purge;
pub mod recalls;
pub mod reports;
pub mod requirements;
pub mod resemblances;
pub mod reviews;
pub mod runs;
pub mod scan_reports;
pub mod secrets;
pub mod settings;
pub mod sign_in_links;
pub mod skill_names;
pub mod skills;
pub mod stars;
pub mod tags;
pub mod testing;
pub mod tokens;
pub mod transfers;
pub mod unanswered_searches;
pub mod upload_tickets;
pub mod usage;
pub mod version_files;
pub mod version_signatures;
pub mod versions;
pub mod webhooks;
pub mod workflows;
mod writer;

pub use bell::Bell;
pub use connection::{Conn, Tx};
pub use error::Error;
pub use open::{Backend, Db, Options, PATIENCE};
