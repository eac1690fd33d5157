/// Why a query or a transaction failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address names no database that Kontor can use.
    #[error("`{url}` is no database address: use sqlite:PATH or postgres://…")]
    Address {
        /// The address without any password.
        url: String,
    },
    /// The database could not be opened.
    #[error("opening the database failed")]
    Open(#[source] sqlx::Error),
    /// The schema was made by a newer Kontor; an older one must not touch it.
    #[error(
        "the database has schema {found}, newer than this program's {known}: start the newer program, or restore a backup"
    )]
    NewerSchema {
        /// The newest migration the database has.
        found: i64,
        /// The newest migration this program has.
        known: i64,
    },
    /// A migration failed or was changed after it ran.
    #[error("bringing the schema up to date failed")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// The row would break a uniqueness rule.
    #[error("the row exists already")]
    Duplicate(#[source] sqlx::Error),
    /// A query failed.
    #[error("a query failed")]
    Query(#[source] sqlx::Error),
    /// The unit of work, or another in its batch, could not be committed.
    #[error("the transaction was not committed: {reason}")]
    NotCommitted {
        /// What the database said.
        reason: String,
    },
    /// The writer has stopped: the process is shutting down.
    #[error("the database is closed")]
    Closed,
}

impl Error {
    /// Whether a uniqueness rule refused the row.
    pub const fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate(_))
    }

    /// Whether another transaction was faster, so that the same unit of work may succeed when it is tried again: a row
    /// that both wanted to make, a deadlock, or a snapshot that is too old.
    pub fn is_race(&self) -> bool {
        match self {
            Self::Duplicate(_) => true,
            Self::Query(sqlx::Error::Database(source)) => {
                matches!(source.code().as_deref(), Some("40001" | "40P01"))
            }
            _ => false,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        let unique = source.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation);
        if unique { Self::Duplicate(source) } else { Self::Query(source) }
    }
}
