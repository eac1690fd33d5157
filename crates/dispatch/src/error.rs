use std::time::Duration;

use kontor_types::{Code, Problem};

/// Why a verb about runs was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not do this.
    #[error(transparent)]
    Access(#[from] kontor_access::Error),
    /// The skill or version is not there, or may not be run.
    #[error(transparent)]
    Registry(#[from] kontor_registry::Error),
    /// What is asked for does not fit the skill.
    #[error(transparent)]
    Run(#[from] kontor_runs::Error),
    /// No run of that id that the caller may see.
    #[error("there is no such run")]
    NotFound,
    /// The run has no such file, or it is kept no longer.
    #[error("the run has no file `{}`", shown(path))]
    FileNotFound {
        /// The path that was asked for.
        path: String,
    },
    /// More is to be granted than manifest or overlay ask for, and nobody has consented to that.
    #[error("this grants more than the skill's manifest or the publisher's overlay asks for: {}", missing.join(", "))]
    Consent {
        /// What nobody has consented to.
        missing: Vec<String>,
    },
    /// The share of the caller or of the publisher is used up.
    #[error("{detail}")]
    Quota {
        /// What is used up.
        detail: String,
        /// When to try again.
        wait: Duration,
    },
    /// The operator lets no run have this.
    #[error("the operator of this hub lets no run have {what}")]
    Ceiling {
        /// What was asked for.
        what: String,
    },
    /// Something in the request breaks a rule.
    #[error("{detail}")]
    Invalid {
        /// What, and what to do.
        detail: String,
    },
    /// The run's state does not allow this.
    #[error("{detail}")]
    Conflict {
        /// What stands against it.
        detail: String,
        /// What to do.
        hint: &'static str,
    },
    /// The database failed.
    #[error("a query about runs failed")]
    Database(#[source] kontor_db::Error),
    /// The blob store failed.
    #[error("the blob store failed")]
    Blobs(#[from] kontor_blob::Error),
    /// The worker's own folder could not be used.
    #[error("the folder for runs cannot be used")]
    Folder(#[source] std::io::Error),
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

    pub(crate) fn is_race(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_race())
    }

    /// When to try again, where that helps.
    pub const fn retry_after(&self) -> Option<Duration> {
        if let Self::Quota { wait, .. } = self { Some(*wait) } else { None }
    }

    /// Whether the same may be asked for later with another outcome.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Quota { .. } | Self::Database(_) | Self::Blobs(_) | Self::Folder(_))
    }

    /// What the user is told.
    pub fn problem(&self) -> Problem {
        let text = self.to_string();
        match self {
            Self::Access(error) => error.problem(),
            Self::Registry(error) => error.problem(),
            Self::Run(error) => run_problem(error, text),
            Self::NotFound => {
                Problem::new(Code::NotFound, text).hint("`kontor runs list` shows those that you may see")
            }
            Self::FileNotFound { .. } => {
                Problem::new(Code::FileNotFound, text).hint("`kontor runs show` lists the files that are kept")
            }
            Self::Consent { .. } => Problem::new(Code::ConsentRequired, text)
                .hint("read what it would be granted and name all of it in `consent`; `kontor run --on hub` asks you"),
            Self::Quota { .. } => Problem::new(Code::QuotaExceeded, text).hint(
                "wait for a run to end, cancel one with `kontor runs cancel`, or ask the hub's operator for more",
            ),
            Self::Ceiling { .. } => Problem::new(Code::PolicyForbids, text).hint("leave it out, or ask the operator"),
            Self::Invalid { .. } => Problem::new(Code::InvalidRequest, text),
            Self::Conflict { hint, .. } => Problem::new(Code::Conflict, text).hint(*hint),
            Self::Database(_) => Problem::new(Code::Internal, "the database failed"),
            Self::Blobs(_) => Problem::new(Code::Internal, "the blob store failed"),
            Self::Folder(_) => Problem::new(Code::Internal, "the folder for runs cannot be used"),
        }
    }
}

fn run_problem(error: &kontor_runs::Error, text: String) -> Problem {
    match error {
        kontor_runs::Error::NoScript { .. } => Problem::new(Code::FileNotFound, text),
        kontor_runs::Error::File { .. } | kontor_runs::Error::Keys(_) | kontor_runs::Error::Sandbox { .. } => {
            Problem::new(Code::Internal, "the run cannot be made")
        }
        _ => Problem::new(Code::InvalidRequest, text),
    }
}

/// A foreign path fit for a message.
fn shown(path: &str) -> String {
    path.chars().take(200).filter(|char| !char.is_control()).collect()
}
