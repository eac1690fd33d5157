//! Policies: what may be admitted, installed, run, approved and administered, decided from facts that were computed before.
//!
//! A policy is text in the Cedar language. [`Policy::load`] checks it against the facts there are, so one that is broken
//! never decides anything. Deciding needs no database and no clock.

mod depends;
mod engine;
mod facts;
mod fault;
mod store;

pub use depends::Depends;
pub use engine::{Action, Decided, Permission, Policy, Reason};
pub use facts::{Actor, ModelFacts, PurchaseFacts, SecretFacts, VersionFacts};
pub use fault::PolicyFault;
pub use kontor_db::decisions::Outcome;
pub use store::PolicyInForce;

/// The policies that came with the program, each with its name.
pub const PRESETS: [(&str, &str); 3] = [
    ("open", include_str!("../policies/open.cedar")),
    ("balanced", include_str!("../policies/balanced.cedar")),
    ("enterprise", include_str!("../policies/enterprise.cedar")),
];

/// The preset of a hub on which nobody has set a policy.
pub const DEFAULT: &str = "balanced";

/// The facts that policies may ask about, as a Cedar schema.
pub const FACTS: &str = include_str!("../policies/facts.cedarschema");

/// The text of a preset.
pub fn preset(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
