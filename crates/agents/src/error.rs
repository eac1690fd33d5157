use kontor_types::{Code, Problem};

/// Why a verb about errands was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not do this.
    #[error(transparent)]
    Access(#[from] kontor_access::Error),
    /// The workflow refuses it, or there is none.
    #[error(transparent)]
    Workflow(#[from] kontor_workflow::Error),
    /// The mandate cannot be used.
    #[error(transparent)]
    Commerce(#[from] kontor_commerce::Error),
    /// No model is set up that reads requests.
    #[error("no model is set up on this hub, and an errand needs one to read the request")]
    NoModel,
    /// There is no model of that name.
    #[error("there is no model `{model}` on this hub")]
    ModelUnknown {
        /// What was asked for.
        model: String,
    },
    /// The mandate does not let anything be bought now.
    #[error("the mandate {id} is {state}, so nothing can be bought under it")]
    Mandate {
        /// Which.
        id: String,
        /// How it stands.
        state: String,
    },
    /// Something in the request breaks a rule.
    #[error("{detail}")]
    Invalid {
        /// What, and what to do.
        detail: String,
    },
    /// No errand of that id that the caller may see.
    #[error("there is no such errand")]
    NotFound,
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
            Self::Workflow(kontor_workflow::Error::NotFound) | Self::NotFound => {
                Problem::new(Code::NotFound, "there is no such errand").hint("`kontor errand list` shows yours")
            }
            Self::Workflow(error) => error.problem(),
            Self::Commerce(error) => error.problem(),
            Self::NoModel => Problem::new(Code::ModelNotFound, text).hint(
                "an administrator adds a provider to the hub's settings (docs/guides/models.md); `kontor demo model` tries an errand without a key",
            ),
            Self::ModelUnknown { .. } => {
                Problem::new(Code::InvalidRequest, text).hint("leave the model out for the hub's own choice, or ask its operator which there are")
            }
            Self::Mandate { .. } => {
                Problem::new(Code::MandateRefused, text).hint("give a new mandate with `kontor mandate new`")
            }
            Self::Invalid { .. } => Problem::new(Code::InvalidRequest, text),
        }
    }
}
