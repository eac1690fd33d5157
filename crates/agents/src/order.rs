use std::collections::BTreeMap;

use kontor_dispatch::RunState;
use kontor_types::{CheckoutId, Currency, Digest, Handle, MandateId, Money, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::judge::Facts;
use crate::offers::{Draft, Refusal};
use crate::wish::Wish;
use crate::{Language, Role};

/// What somebody asks for, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub request: String,
    pub language: Language,
    /// The model that reads the request.
    pub model: String,
    /// For whom.
    pub person: Handle,
    /// The mandate within which it may buy without asking; without one it asks.
    pub mandate: Option<MandateId>,
    /// Where to, when that was said beside the request.
    pub deliver_to: Option<String>,
    /// What amounts are in that have no mark.
    pub currency: Currency,
}

/// What must be the same however often the errand is taken up again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Begun {
    pub day: String,
    pub runs: BTreeMap<Role, RunId>,
    /// Until when questions are waited for.
    pub patience: Timestamp,
}

/// What a call of a model took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub model: String,
    pub input: u64,
    pub output: u64,
    #[serde(default)]
    pub cost_micros: Option<i64>,
    #[serde(default)]
    pub currency: Option<Currency>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Understood {
    pub wish: Wish,
    pub tokens: Vec<Tokens>,
}

/// A merchant whose catalogue is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shop {
    pub id: String,
    pub name: String,
    pub url: String,
    /// The host and port of the address.
    pub host: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Discovered {
    pub shops: Vec<Shop>,
    pub candidates: BTreeMap<Role, Vec<Facts>>,
}

/// A skill that was chosen, by its identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chosen {
    pub skill: String,
    pub digest: Digest,
    pub tool: String,
    pub reason: String,
    /// Why the policy wants its person asked before it runs.
    #[serde(default)]
    pub must_ask: Option<String>,
    pub refused: Vec<String>,
}

/// What a run of a skill left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ran {
    pub run: RunId,
    pub skill: String,
    pub digest: Digest,
    /// SHA-256 of the receipt as it is kept.
    pub receipt: Option<Digest>,
    pub state: String,
    pub answer: Value,
}

impl Ran {
    pub fn finished(state: RunState) -> bool {
        matches!(state, RunState::Finished | RunState::Failed)
    }

    /// Whether it ended well and has a receipt: what a checkout may name.
    pub fn led(&self) -> bool {
        self.receipt.is_some() && self.state == RunState::Finished.as_str()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chose {
    pub offer: String,
    pub reason: String,
    pub refused: Option<Refusal>,
    pub tokens: Option<Tokens>,
}

/// What the merchant asks for the order, and what the purse has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Quoted {
    pub checkout: CheckoutId,
    pub total: Money,
    pub expires_at: Timestamp,
    /// What is free in the purse in that currency.
    pub free: Money,
    /// Why the policy wants its person asked, whatever mandate there is.
    #[serde(default)]
    pub must_ask: Option<String>,
    /// The checkout as its surfaces show it.
    pub shown: Value,
}

/// What an errand that ended well leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bought {
    /// The purchase.
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
    pub total: Money,
    /// Where to.
    pub deliver_to: String,
    /// SHA-256 of the signed order receipt.
    pub receipt: Digest,
}

/// All that the last steps need to know.
pub(crate) struct Story {
    pub order: Order,
    pub wish: Wish,
    pub address: String,
    pub chosen: BTreeMap<Role, Chosen>,
    pub ran: BTreeMap<Role, Ran>,
    pub tokens: Vec<Tokens>,
    pub picked: Chose,
    pub draft: Draft,
}
