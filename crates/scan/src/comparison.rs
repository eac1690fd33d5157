//! Two versions of a skill side by side: what the newer one can do and say that the older one could not.

use serde::{Deserialize, Serialize};

use crate::capability::Gained;
use crate::report::{Finding, Report, Severity};

/// What changed from one report to a later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The earlier unit.
    pub old: String,
    /// The later unit.
    pub new: String,
    /// The worst finding of the earlier one.
    pub old_severity: Severity,
    /// The worst finding of the later one.
    pub new_severity: Severity,
    /// Abilities that only the later one has.
    pub gained: Vec<Gained>,
    /// Abilities that only the earlier one had.
    pub lost: Vec<Gained>,
    /// Findings that the earlier one had not: another rule, or the same rule about another text.
    pub findings: Vec<Finding>,
}

impl Comparison {
    /// Compares two reports.
    pub fn of(old: &Report, new: &Report) -> Self {
        let known = |finding: &&Finding| {
            !old.findings.iter().any(|before| before.rule == finding.rule && before.excerpt == finding.excerpt)
        };
        Self {
            old: old.path.clone(),
            new: new.path.clone(),
            old_severity: old.severity,
            new_severity: new.severity,
            gained: new.capabilities.gained_since(&old.capabilities),
            lost: old.capabilities.gained_since(&new.capabilities),
            findings: new.findings.iter().filter(known).cloned().collect(),
        }
    }

    /// Whether the later version can do and says nothing new.
    pub fn is_calm(&self) -> bool {
        self.gained.is_empty() && self.findings.is_empty()
    }

    /// One sentence for each part of the profile that grew.
    pub fn sentences(&self) -> Vec<String> {
        let verbs = [
            ("network", "newly talks to"),
            ("downloads", "newly downloads"),
            ("exec", "newly starts"),
            ("writes", "newly writes"),
            ("secrets", "newly reads the secrets"),
            ("agent_configuration", "newly touches agents' settings"),
        ];
        let told = verbs.into_iter().filter_map(|(part, verb)| {
            let what: Vec<&str> =
                self.gained.iter().filter(|gained| gained.part == part).map(|gained| gained.what.as_str()).collect();
            (!what.is_empty()).then(|| format!("{} {verb} {}", self.new, what.join(", ")))
        });
        told.collect()
    }
}
