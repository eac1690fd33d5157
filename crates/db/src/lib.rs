//! SQLite and Postgres behind one set of named queries: the only crate that speaks SQL.
//!
//! [`Db`] hands out a [`Conn`] for reading and runs units of writing in a [`Tx`]. Each aggregate has one module of plain
//! functions that take either. The SQL text is the same for both databases; only the migrations' types differ.

#[macro_use]
mod connection;

pub mod audit_events;
pub mod browser_sessions;
pub mod changes;
mod columns;
pub mod device_logins;
pub mod dump;
mod error;
pub mod idempotency;
pub mod jobs;
pub mod members;
mod migrations;
mod open;
pub mod persons;
pub mod publishers;
pub mod settings;
pub mod sign_in_links;
pub mod testing;
pub mod tokens;
mod writer;

pub use connection::{Conn, Tx};
pub use error::Error;
pub use open::{Backend, Db, Options};
