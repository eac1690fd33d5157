//! SQLite and Postgres behind one set of named queries.
