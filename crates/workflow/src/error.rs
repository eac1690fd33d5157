use kontor_types::{Code, Problem};

/// Why a verb about workflows was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not do this.
    #[error(transparent)]
    Access(#[from] kontor_access::Error),
    /// No workflow of that id that the caller may see.
    #[error("there is no such workflow")]
    NotFound,
    /// The workflow has not asked that, or not yet.
    #[error("the workflow has asked no question called `{name}`")]
    QuestionNotFound {
        /// What was answered.
        name: String,
    },
    /// The question is for others.
    #[error("the question is for others to answer")]
    NotAsked,
    /// No such kind of workflow in this process.
    #[error("this hub knows no workflow of kind `{kind}`")]
    KindUnknown {
        /// The kind that was asked for.
        kind: String,
    },
    /// The key was used for something else.
    #[error("the key `{key}` was used for a workflow with another input")]
    KeyTaken {
        /// The key.
        key: String,
    },
    /// Something in the request breaks a rule.
    #[error("{detail}")]
    Invalid {
        /// What, and what to do.
        detail: String,
    },
    /// The workflow's state does not allow this.
    #[error("{detail}")]
    Conflict {
        /// What stands against it.
        detail: String,
        /// What to do.
        hint: &'static str,
    },
    /// A page cursor is not one of ours.
    #[error("the cursor is not one of this list")]
    Cursor,
    /// The database does not take it.
    #[error("it could not be written down: {reason}")]
    NotRecorded {
        /// What the database said.
        reason: String,
    },
    /// The database failed.
    #[error("a query about workflows failed")]
    Database(#[source] kontor_db::Error),
}

impl From<kontor_db::Error> for Error {
    fn from(source: kontor_db::Error) -> Self {
        Self::Database(source)
    }
}

impl Error {
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::Invalid { detail: detail.into() }
    }

    /// What the user is told.
    pub fn problem(&self) -> Problem {
        let text = self.to_string();
        match self {
            Self::Access(error) => error.problem(),
            Self::NotFound => {
                Problem::new(Code::NotFound, text).hint("`kontor workflows list` shows those that you may see")
            }
            Self::QuestionNotFound { .. } => {
                Problem::new(Code::NotFound, text).hint("`kontor workflows show` lists the questions that are open")
            }
            Self::NotAsked => Problem::new(Code::Forbidden, text),
            Self::KindUnknown { .. } | Self::Invalid { .. } => Problem::new(Code::InvalidRequest, text),
            Self::KeyTaken { .. } => {
                Problem::new(Code::IdempotencyMismatch, text).hint("use a new key for something new")
            }
            Self::Conflict { hint, .. } => Problem::new(Code::Conflict, text).hint(*hint),
            Self::Cursor => Problem::new(Code::InvalidCursor, text).hint("begin the list anew, without a cursor"),
            Self::NotRecorded { .. } => {
                Problem::new(Code::Unavailable, "the database does not take it now").hint("try again with the same key")
            }
            Self::Database(_) => Problem::new(Code::Internal, "the database failed"),
        }
    }
}
