use kontor_types::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which use of models is added up, and what is told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ModelUseQuery {
    /// From the hour of this moment on; from the beginning unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this moment, its hour included; until now unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Only of this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Only in the name of this publisher.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// Only of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Only of this errand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errand: Option<String>,
    /// Only of this model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What is told apart, separated by commas: `day`, `person`, `publisher`, `run`, `errand`, `model`, `upstream`; day, model
    /// and person unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Use of models added up; what was not told apart is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelUse {
    /// The day, like `2026-11-23`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// The caller.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub person: String,
    /// The publisher in whose name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub publisher: String,
    /// The run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// The errand.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub errand: String,
    /// The model as it was asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// Who answered: `provider/model`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub upstream: String,
    /// Calls.
    pub calls: u64,
    /// Calls that got no answer.
    pub failed: u64,
    /// Calls whose tokens the hub counted itself, because the provider did not tell.
    pub estimated: u64,
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Of these, tokens that the provider had at hand.
    pub cached_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// What the cost is counted in; left out for models without a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The cost in millionths of one major unit.
    pub cost_micros: i64,
}

/// Use of models, one line for each kind that was told apart and each currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelUseList {
    /// In the order of day, person, publisher, run, errand, model and provider.
    pub items: Vec<ModelUse>,
}

/// An amount that somebody may spend on models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Budget {
    /// Whose: `person:NAME`, `publisher:NAME` or `errand:ID`.
    pub owner: String,
    /// The currency.
    pub currency: String,
    /// The limit, in major units like `20.00`.
    pub limit: String,
    /// What is spent; a begun minor unit counts as a whole one.
    pub spent: String,
    /// What the hub's processes hold for calls, and give back if it is not spent.
    pub held: String,
    /// What is left.
    pub free: String,
    /// Whether it takes no calls.
    pub closed: bool,
}

/// Budgets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BudgetList {
    /// The newest first.
    pub items: Vec<Budget>,
}

/// The limit of a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetLimit {
    /// The whole amount, what is spent included, in major units like `20.00`.
    pub limit: String,
    /// The currency, a code of ISO 4217.
    pub currency: String,
}
