//! What came of checking a statement that somebody signed.

use serde::Serialize;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not: what was checked proves nothing.
    Failed,
    /// What it needs is not at hand.
    NotChecked,
}

/// One check of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, for programs.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found, in words.
    pub detail: String,
}

impl Check {
    /// A check by its name, its end and what was found.
    pub fn new(name: &'static str, outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { name, outcome, detail: detail.into() }
    }

    /// Whether no check failed and somebody who is believed signed.
    pub fn all_hold(checks: &[Self]) -> bool {
        let signed = checks.iter().any(|check| check.name == "signature" && check.outcome == Outcome::Passed);
        signed && checks.iter().all(|check| check.outcome != Outcome::Failed)
    }
}
