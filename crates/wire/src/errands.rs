//! Errands: what a person asks for in a sentence, done step by step.

use kontor_types::{CheckoutId, Cursor, Digest, Handle, MandateId, Money, Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// How far an errand has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrandState {
    /// Accepted; no worker has it yet.
    Queued,
    /// A step is being done.
    Running,
    /// It waits for an answer, or to try a step again.
    Waiting,
    /// Something was bought.
    Finished,
    /// It ended without; `error` says why.
    Failed,
    /// Somebody ended it; what was begun was taken back.
    Cancelled,
    /// A person has to decide how it goes on.
    Stalled,
}

impl ErrandState {
    /// Whether nothing more happens to it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Cancelled)
    }
}

/// The language in which an errand is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrandLanguage {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// An errand to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewErrand {
    /// In the person's own words: `order me a milk tea under ¥20 to the office`.
    pub request: String,
    /// The language of the answers; that of the request unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<ErrandLanguage>,
    /// The mandate within which it may buy without asking; without one it asks for one purchase.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub mandate: Option<MandateId>,
    /// Where to, when the request does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver_to: Option<String>,
    /// The model that reads the request; the hub's own choice unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How many seconds to wait for its end, or for a question, before answering, at most 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<u32>,
}

/// An errand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Errand {
    /// Its id; that of its workflow too.
    #[schema(value_type = String)]
    pub id: WorkflowId,
    /// Who asked for it.
    pub person: Handle,
    /// What was asked for.
    pub request: String,
    /// The language in which it is told.
    pub language: ErrandLanguage,
    /// How far it has come.
    pub state: ErrandState,
    /// What happened so far.
    pub steps: Vec<ErrandStep>,
    /// What it asks now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<ErrandQuestion>,
    /// What was bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bought: Option<BoughtItem>,
    /// Why it ended without a purchase, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The same in a sentence that says what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// One entry of an errand's journal, in sentences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrandStep {
    /// Its number, from 1.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// `step`, `chosen`, `told`, `asked`, `answered`, `failed` and so on.
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// In sentences; none for what people need not see.
    pub lines: Vec<String>,
}

/// What an errand asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrandQuestion {
    /// Its name, for the answer.
    pub name: String,
    /// In plain words.
    pub text: String,
    /// The JSON Schema of an answer.
    pub form: Value,
    /// What is shown beside: for a purchase the checkout with the digest of its signed quote.
    pub detail: Value,
    /// Until when an answer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Whether the caller may answer.
    pub may_answer: bool,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrandAnswer {
    /// The question's name.
    pub question: String,
    /// The answer; for a purchase `{"confirm": true, "envelope": …}` with a signed mandate, or `"mandate"` with the id of one.
    pub value: Value,
}

/// What an errand bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BoughtItem {
    /// The purchase.
    #[schema(value_type = String)]
    pub checkout: CheckoutId,
    /// The merchant's name of the order.
    pub order: String,
    /// The hub's name of the merchant.
    pub merchant: String,
    /// What the merchant calls itself.
    pub merchant_name: String,
    /// What was bought, in the merchant's words.
    pub title: String,
    /// How many.
    pub quantity: i64,
    /// What was paid.
    #[schema(value_type = Value)]
    pub total: Money,
    /// Where to.
    pub deliver_to: String,
    /// SHA-256 of the signed order receipt.
    pub receipt: Digest,
}

/// Which errands to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ErrandQuery {
    /// Only those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<ErrandState>,
    /// Where the page begins: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
    /// The most items wanted, 1 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// An errand in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrandSummary {
    /// Its id.
    #[schema(value_type = String)]
    pub id: WorkflowId,
    /// Who asked for it.
    pub person: Handle,
    /// What was asked for, cut short.
    pub request: String,
    /// How far it has come.
    pub state: ErrandState,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// A page of errands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrandPage {
    /// The newest first.
    pub items: Vec<ErrandSummary>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}
