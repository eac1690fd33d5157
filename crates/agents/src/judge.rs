//! Judging skills by facts, in marks that anybody can add up again.
//!
//! | mark | most | how |
//! |---|---|---|
//! | `verdict` | 40 | clean 40, incomplete 15, never scanned 0; suspicious and malicious are refused |
//! | `permissions` | 20 | nothing asked 20, only what the step needs 10; more than that is refused |
//! | `spec_valid` | 10 | agrees with the open format |
//! | `answers` | 10 | 10 for the first of the search, one less for each place behind it |
//! | `installs` | 10 | twice the number of digits of the count, at most 10 |
//! | `price` | 10 | free 10, else 0 |
//!
//! The most marks win; between equals the better answer to the search, then the name.

use kontor_registry::Verdict;
use kontor_types::Digest;
use serde::{Deserialize, Serialize};

/// What the scanner said of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scanned {
    /// Nothing was found.
    Clean,
    /// Not all of it could be looked at.
    Incomplete,
    /// Something was found.
    Suspicious,
    /// It is held harmful.
    Malicious,
    /// It was never scanned.
    Never,
}

impl From<Option<Verdict>> for Scanned {
    fn from(verdict: Option<Verdict>) -> Self {
        match verdict {
            Some(Verdict::Clean) => Self::Clean,
            Some(Verdict::Incomplete) => Self::Incomplete,
            Some(Verdict::Suspicious) => Self::Suspicious,
            Some(Verdict::Malicious) => Self::Malicious,
            None => Self::Never,
        }
    }
}

/// What is known of a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Its full name with the version.
    pub skill: String,
    /// Its identity.
    pub digest: Digest,
    /// The tool that would be used, if it has one that fits.
    pub tool: Option<String>,
    /// Why no tool of it fits.
    pub misfit: Vec<Misfit>,
    /// What the scanner said.
    pub verdict: Scanned,
    /// Hosts that it asks for.
    pub network: Vec<String>,
    /// Secrets that it asks for.
    pub secrets: Vec<String>,
    /// Whether it agrees with the open format.
    pub spec_valid: bool,
    /// How often it was installed.
    pub installs: u64,
    /// Its place in the search, from 0.
    pub place: u32,
    /// Whether its publisher says that it should no longer be used.
    pub deprecated: bool,
    /// Why the policy forbids it to this person.
    pub forbidden: Option<String>,
    /// What one use costs; nothing is free.
    pub price: Option<String>,
    /// Whether this person lets it run without being asked again.
    pub allowed: bool,
    /// Why the policy wants them asked all the same.
    #[serde(default)]
    pub must_ask: Option<String>,
}

/// Why a tool of a skill does not fit a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Misfit {
    /// The tool; none when there is none.
    pub tool: Option<String>,
    /// What is wrong.
    pub why: Unfit,
    /// Where in what it takes or answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The same as programs tell it, in English.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What is wrong with a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// The skill has none.
    NoTool,
    /// It does not say what it takes and answers.
    NoSchema,
    /// What it says cannot be read.
    BrokenSchema,
    /// It does not take what the step gives.
    Input,
    /// It cannot answer what the next step needs.
    Output,
    /// It may answer anything.
    Anything,
}

/// The marks of a candidate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Of the scanner's verdict.
    pub verdict: u32,
    /// Of what it asks for.
    pub permissions: u32,
    /// Of its form.
    pub spec_valid: u32,
    /// Of its place in the search.
    pub answers: u32,
    /// Of how many use it.
    pub installs: u32,
    /// Of what it costs.
    pub price: u32,
    /// All together, at most 100.
    pub total: u32,
}

/// Why a candidate is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// The scanner holds it harmful.
    Malicious,
    /// The scanner found something that nobody has cleared for errands.
    Suspicious,
    /// The policy forbids it.
    Forbidden,
    /// It wants secrets, which no step of an errand gives.
    Secrets,
    /// It wants hosts that the step does not need.
    Network,
    /// No tool of it takes what the step gives and answers what the next one needs.
    Misfit,
    /// Its publisher withdraws it.
    Deprecated,
}

impl Ground {
    /// The word in journals and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malicious => "malicious",
            Self::Suspicious => "suspicious",
            Self::Forbidden => "forbidden",
            Self::Secrets => "secrets",
            Self::Network => "network",
            Self::Misfit => "misfit",
            Self::Deprecated => "deprecated",
        }
    }
}

/// A candidate with its marks, or the reason that it has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// What is known of it.
    pub facts: Facts,
    /// Its marks; all 0 when it is refused.
    pub marks: Marks,
    /// Why it is not used.
    pub refused: Option<Ground>,
}

/// Judges one candidate; `needed` are the hosts that the step is given anyway.
pub fn judge(facts: Facts, needed: &[String]) -> Judged {
    let refused = refusal(&facts, needed);
    let marks = if refused.is_some() { Marks::default() } else { marks(&facts) };
    Judged { facts, marks, refused }
}

fn refusal(facts: &Facts, needed: &[String]) -> Option<Ground> {
    let more = facts.network.iter().any(|host| !needed.contains(host));
    [
        (facts.verdict == Scanned::Malicious, Ground::Malicious),
        (facts.verdict == Scanned::Suspicious, Ground::Suspicious),
        (facts.forbidden.is_some(), Ground::Forbidden),
        (facts.deprecated, Ground::Deprecated),
        (!facts.secrets.is_empty(), Ground::Secrets),
        (more, Ground::Network),
        (facts.tool.is_none(), Ground::Misfit),
    ]
    .into_iter()
    .find_map(|(holds, ground)| holds.then_some(ground))
}

fn marks(facts: &Facts) -> Marks {
    let verdict = match facts.verdict {
        Scanned::Clean => 40,
        Scanned::Incomplete => 15,
        _ => 0,
    };
    let mut marks = Marks {
        verdict,
        permissions: if facts.network.is_empty() { 20 } else { 10 },
        spec_valid: if facts.spec_valid { 10 } else { 0 },
        answers: 10_u32.saturating_sub(facts.place),
        installs: facts
            .installs
            .checked_ilog10()
            .map_or(0, |digits| digits.saturating_add(1).saturating_mul(2).min(10)),
        price: if facts.price.is_none() { 10 } else { 0 },
        total: 0,
    };
    let parts = [marks.verdict, marks.permissions, marks.spec_valid, marks.answers, marks.installs, marks.price];
    marks.total = parts.iter().sum();
    marks
}

/// The one with the most marks.
pub fn choose(judged: &[Judged]) -> Option<&Judged> {
    let used = judged.iter().filter(|one| one.refused.is_none());
    used.min_by_key(|one| (std::cmp::Reverse(one.marks.total), one.facts.place, one.facts.skill.clone()))
}
