use std::time::Duration;

use bytes::Bytes;
use kontor_types::{Code, Currency, Problem};

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Who asks may not: not signed in, no scope, no member, no role.
    #[error(transparent)]
    Access(#[from] kontor_access::Error),
    /// The policy forbids it.
    #[error("the policy of this hub does not let you call `{model}`{}", reason.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    PolicyForbids {
        /// The model.
        model: String,
        /// What the policy says.
        reason: Option<String>,
    },
    /// There is no such model.
    #[error("there is no model `{model}`")]
    ModelUnknown {
        /// What was asked for.
        model: String,
    },
    /// The request cannot be passed on.
    #[error("{detail}")]
    Invalid {
        /// What is wrong.
        detail: String,
        /// The field it is about.
        param: Option<&'static str>,
    },
    /// No such budget that the caller may see.
    #[error("there is no such budget")]
    BudgetUnknown {
        /// Whose.
        owner: String,
    },
    /// A budget has not enough left for the most that the call can cost.
    #[error("the budget of {owner} has {free} left, and this call may cost {wanted}")]
    BudgetSpent {
        /// Whose budget.
        owner: String,
        /// What is left.
        free: String,
        /// What the call may cost.
        wanted: String,
    },
    /// A budget takes no calls any more.
    #[error("the budget of {owner} is closed")]
    BudgetClosed {
        /// Whose budget.
        owner: String,
    },
    /// The model has no price, so no budget can pay for it.
    #[error("`{model}` has no price, so the budget of {owner} cannot pay for it")]
    BudgetUnpriced {
        /// The model.
        model: String,
        /// Whose budget.
        owner: String,
    },
    /// There is a budget, but in another currency.
    #[error("`{model}` costs {currency}, and the budget of {owner} is in another currency")]
    BudgetCurrency {
        /// The model.
        model: String,
        /// What it costs.
        currency: Currency,
        /// Whose budget.
        owner: String,
    },
    /// Every upstream of the model wants to be left alone.
    #[error("every provider of `{model}` asks to wait")]
    RateLimited {
        /// The model.
        model: String,
        /// For how long.
        wait: Duration,
    },
    /// Every upstream of the model has as many calls as it takes, or is left alone after errors.
    #[error("no provider of `{model}` takes a call now")]
    Busy {
        /// The model.
        model: String,
        /// When to try again.
        wait: Duration,
    },
    /// No upstream gave an answer.
    #[error("no provider of `{model}` answered: {reason}")]
    UpstreamFailed {
        /// The model.
        model: String,
        /// What the last one did.
        reason: String,
    },
    /// The last upstream was too slow.
    #[error("the provider of `{model}` took too long: {reason}")]
    UpstreamTimeout {
        /// The model.
        model: String,
        /// Which part.
        reason: String,
    },
    /// The upstream says that the request itself is wrong.
    #[error("the provider refused the request with status {status}")]
    Refused {
        /// Its status.
        status: u16,
        /// What it said, in OpenAI's form.
        body: Bytes,
    },
    /// Use cannot be written down at the moment, so none is made.
    #[error("use cannot be written down at the moment")]
    Unmetered,
    /// The ledger refused or failed.
    #[error("the ledger did not take it")]
    Ledger(#[from] kontor_ledger::Error),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] kontor_db::Error),
}

impl Error {
    pub(crate) fn invalid(detail: impl Into<String>, param: Option<&'static str>) -> Self {
        Self::Invalid { detail: detail.into(), param }
    }

    /// A stable name, as clients find it in `error.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "upstream_refused",
            Self::BudgetClosed { .. } => "budget_closed",
            Self::BudgetUnpriced { .. } => "model_unpriced",
            Self::BudgetCurrency { .. } => "currency_mismatch",
            other => other.problem().code.as_str(),
        }
    }

    /// The HTTP status that goes with it.
    pub fn status(&self) -> u16 {
        match self {
            Self::Refused { status, .. } => *status,
            other => other.problem().code.status(),
        }
    }

    /// When it is worth trying again.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { wait, .. } | Self::Busy { wait, .. } => Some(*wait),
            Self::Unmetered => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::Busy { .. }
                | Self::UpstreamFailed { .. }
                | Self::UpstreamTimeout { .. }
                | Self::Unmetered
                | Self::Ledger(_)
                | Self::Db(_)
        )
    }

    /// What the user is told.
    pub fn problem(&self) -> Problem {
        let (code, hint) = match self {
            Self::Access(error) => return error.problem(),
            Self::PolicyForbids { .. } => {
                (Code::PolicyForbids, "ask an administrator; `kontor policy show` has the policy")
            }
            Self::ModelUnknown { .. } => (Code::ModelNotFound, "`GET /openai/v1/models` lists the models of this hub"),
            Self::Invalid { .. } => return Problem::new(Code::InvalidRequest, self.to_string()),
            Self::BudgetUnknown { .. } => (Code::NotFound, "`kontor budget list` shows the budgets that you may see"),
            Self::BudgetSpent { .. } => {
                (Code::BudgetSpent, "ask for less with max_tokens, or have the limit raised with `kontor budget set`")
            }
            Self::BudgetClosed { .. } => (Code::BudgetSpent, "open it again with `kontor budget set`"),
            Self::BudgetUnpriced { .. } => {
                (Code::BudgetMismatch, "give the model a price in the hub's configuration, 0 if it costs nothing")
            }
            Self::BudgetCurrency { .. } => {
                (Code::BudgetMismatch, "set a budget in that currency with `kontor budget set`")
            }
            Self::RateLimited { .. } => (Code::RateLimited, "wait as long as Retry-After says"),
            Self::Busy { .. } | Self::Unmetered => (Code::Unavailable, "wait as long as Retry-After says"),
            Self::UpstreamFailed { .. } => (Code::UpstreamFailed, "try again later, or ask for another model"),
            Self::UpstreamTimeout { .. } => (Code::UpstreamTimeout, "try again later, or ask for another model"),
            Self::Refused { status, .. } if *status == 413 => (Code::TooLarge, "send less"),
            Self::Refused { .. } => return Problem::new(Code::InvalidRequest, self.said()),
            Self::Ledger(_) | Self::Db(_) => return Problem::new(Code::Internal, self.to_string()),
        };
        Problem::new(code, self.to_string()).hint(hint)
    }

    /// What the upstream said, for people.
    fn said(&self) -> String {
        let Self::Refused { body, .. } = self else { return self.to_string() };
        let value: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let text = value.as_ref().and_then(|value| value.pointer("/error/message")).and_then(|text| text.as_str());
        text.map_or_else(|| self.to_string(), |text| format!("{self}: {}", text.chars().take(500).collect::<String>()))
    }
}
