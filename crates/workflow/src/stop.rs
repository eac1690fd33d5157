/// Why a workflow does not go on. Definitions hand it on with `?`; those that know another way may handle [`Stop::Refused`] and
/// [`Stop::Lost`] themselves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// It is refused, and that is final: what was done is taken back and the workflow fails.
    #[error("{message}")]
    Refused {
        /// The step that was refused; empty when the definition itself refuses.
        step: String,
        /// Why, in a word.
        code: String,
        /// Why, in a sentence.
        message: String,
    },
    /// A step failed as often as it may: a person decides.
    #[error("`{step}` failed each time it was tried: {message}")]
    Exhausted {
        /// The step.
        step: String,
        /// How it failed the last time.
        message: String,
    },
    /// Nobody knows whether a step was done: a person decides.
    #[error("nobody knows whether `{step}` was done: {message}")]
    Lost {
        /// The step.
        step: String,
        /// What is known.
        message: String,
    },
    /// Somebody wants the workflow to end: what was done is taken back.
    #[error("it was cancelled")]
    Cancelled,
    /// The definition asks for something else than what is journaled: nothing more is done.
    #[error("entry {number} of the journal is {journaled}, and the definition asks for {asked}")]
    Diverged {
        /// The entry.
        number: i64,
        /// What is journaled.
        journaled: String,
        /// What the definition wants.
        asked: String,
    },
    /// The definition breaks a rule, or what it handles is too large.
    #[error("{message}")]
    Invalid {
        /// Which rule.
        message: String,
    },
    /// This worker no longer has the workflow.
    #[error("another worker has the workflow")]
    Taken,
    /// The database does not answer; another attempt goes on later.
    #[error("the journal could not be written: {message}")]
    Unavailable {
        /// What the database said.
        message: String,
    },
}

impl Stop {
    /// Ends the workflow: what was done is taken back, and it fails with this reason.
    pub fn refuse(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Refused { step: String::new(), code: code.into(), message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into() }
    }

    /// The word for it in errors of workflows.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Exhausted { .. } => "exhausted",
            Self::Lost { .. } => "lost",
            Self::Cancelled => "cancelled",
            Self::Diverged { .. } => "journal_diverged",
            Self::Invalid { .. } => "definition_invalid",
            Self::Taken => "taken",
            Self::Unavailable { .. } => "unavailable",
        }
    }
}
