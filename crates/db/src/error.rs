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
    /// Somebody took away the row that switches the rules of the ledger on.
    #[error("the ledger's rules are switched off: put the row of `ledger_rule` back, then let the ledger be checked")]
    RulesOff,
    /// The connection was lost while the server committed.
    #[error("whether the transaction was committed is not known")]
    CommitUnknown(#[source] sqlx::Error),
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

    /// Whether a rule of the schema refused what was written: a constraint or a trigger.
    pub fn is_rule(&self) -> bool {
        const SQLITE_CONSTRAINT: i32 = 19;
        let (Self::Query(sqlx::Error::Database(source)) | Self::Duplicate(sqlx::Error::Database(source))) = self else {
            return false;
        };
        let Some(code) = source.code() else { return false };
        match code.parse::<i32>() {
            Ok(code) if code < 10_000 => code & 0xff == SQLITE_CONSTRAINT,
            _ => code.starts_with("23") || code == "P0001",
        }
    }

    /// Whether a lock was not to be had in the time given.
    pub fn is_lock_timeout(&self) -> bool {
        matches!(self, Self::Query(sqlx::Error::Database(source)) if source.code().as_deref() == Some("55P03"))
    }

    /// Whether all that was asked may have been done all the same.
    pub const fn leaves_it_open(&self) -> bool {
        matches!(self, Self::CommitUnknown(_) | Self::NotCommitted { .. })
    }

    /// Whether the database could not be reached, hung up or is starting, so that the same may succeed in a moment. Whether a
    /// transaction was committed is unknown then.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Open(source) | Self::Query(source) => match source {
                sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Protocol(_) => true,
                sqlx::Error::Database(source) => {
                    source.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
                }
                _ => false,
            },
            Self::CommitUnknown(_) => true,
            _ => false,
        }
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
