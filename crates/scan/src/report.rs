use std::fmt;

use serde::{Deserialize, Serialize};

use crate::capability::Capabilities;

/// How much harm a finding means, or the worst of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing was found.
    #[default]
    None,
    /// Worth knowing; no harm by itself.
    Info,
    /// Harmless alone, part of many attacks.
    Low,
    /// Somebody should look before this is used.
    Medium,
    /// Harm to whoever uses the skill as it says.
    High,
    /// Harm without any doubt about the intent.
    Critical,
}

impl Severity {
    /// The word of the interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// What the scanner says about one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything was examined and nothing reaches `medium`.
    Clean,
    /// Nothing reaches `medium`, but not everything could be examined.
    Incomplete,
    /// The worst finding is `medium`.
    Suspicious,
    /// The worst finding is `high` or `critical`.
    Malicious,
}

impl Verdict {
    /// The verdict that follows from the worst finding and from whether everything was examined.
    pub const fn of(severity: Severity, complete: bool) -> Self {
        match severity {
            Severity::High | Severity::Critical => Self::Malicious,
            Severity::Medium => Self::Suspicious,
            _ if complete => Self::Clean,
            _ => Self::Incomplete,
        }
    }

    /// The word of the interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Incomplete => "incomplete",
            Self::Suspicious => "suspicious",
            Self::Malicious => "malicious",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// One thing that was found, with its place, the reason and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id, for example `prose.ignore-rules`.
    pub rule: String,
    /// How much harm it means here; context can make it less than the rule's own.
    pub severity: Severity,
    /// The file inside the unit. A file inside another is written `outer!/inner`.
    pub file: String,
    /// The line, counted from 1; 0 when it is about the whole file.
    pub line: u32,
    /// The column in characters, counted from 1; 0 when it is about the whole line.
    pub column: u32,
    /// What was found, in a sentence without a full stop.
    pub message: String,
    /// The text that the finding is about, shortened, with control characters written out.
    pub excerpt: String,
    /// Why it is harmful.
    pub why: String,
    /// What to do about it.
    pub remedy: String,
    /// What lay between the file's bytes and the text: `base64`, `hex`, `invisible characters` and the like, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decoded: Vec<String>,
    /// Why it weighs less than the rule says, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub softened: Option<String>,
    /// The waiver that covers it: such a finding is shown and does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
}

/// Something that was not examined, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unexamined {
    /// The file inside the unit.
    pub file: String,
    /// Why it was not examined, or not to its end.
    pub reason: String,
}

/// What the scanner found in one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The unit, as the caller named it.
    pub path: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether every file was examined to its end.
    pub complete: bool,
    /// What was not examined.
    pub unexamined: Vec<Unexamined>,
    /// The worst finding that counts.
    pub severity: Severity,
    /// Everything that was found, worst first.
    pub findings: Vec<Finding>,
    /// Further places of rules that were found too often to list, by rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeated: Vec<Repeated>,
    /// What the unit can do.
    pub capabilities: Capabilities,
    /// How many files were looked at, those inside other files included.
    pub files: usize,
    /// The SHA-256 of the rule pack that judged.
    pub rules: String,
    /// What was run of the unit to see what it does, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detonation: Option<Detonation>,
}

/// What was run of a unit, where it could harm nothing, and how that ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detonation {
    /// Each start of a program, in the order in which they ended.
    pub runs: Vec<Detonated>,
    /// What was not run, or not far enough to see what it does, and why.
    pub not_run: Vec<Unexamined>,
    /// Why nothing could be run at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// One start of a program of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detonated {
    /// The file it is about.
    pub file: String,
    /// The command line, shortened.
    pub command: String,
    /// How it ended, in words.
    pub ended: String,
    /// Its time on the clock in milliseconds.
    pub wall_ms: u64,
    /// How many deeds were seen.
    pub deeds: usize,
    /// The hosts and ports that it reached for.
    pub reached: Vec<String>,
}

/// How many more places a rule was found at than are listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// The rule's id.
    pub rule: String,
    /// Places that are not listed; none of them is worse than the listed ones.
    pub more: usize,
}

impl Report {
    /// Takes in what came of running the unit, and draws the verdict again.
    pub fn add_detonation(&mut self, detonation: Detonation, findings: Vec<Finding>) {
        self.findings.extend(findings);
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        self.unexamined.extend(detonation.not_run.iter().cloned());
        if let Some(reason) = &detonation.failed {
            self.unexamined.push(Unexamined { file: String::new(), reason: format!("not run: {reason}") });
        }
        self.unexamined.sort();
        self.unexamined.dedup();
        self.detonation = Some(detonation);
        self.conclude();
    }

    /// Whether every file was read to its end, whatever came of running it.
    pub fn read_completely(&self) -> bool {
        let run = self.detonation.as_ref();
        self.unexamined.iter().all(|one| {
            run.is_some_and(|run| run.not_run.contains(one) || (run.failed.is_some() && one.file.is_empty()))
        })
    }

    /// Draws the verdict again from the findings that count.
    pub fn conclude(&mut self) {
        let counted = self.findings.iter().filter(|finding| finding.waived.is_none());
        self.severity = counted.map(|finding| finding.severity).max().unwrap_or_default();
        self.complete = self.unexamined.is_empty();
        self.verdict = Verdict::of(self.severity, self.complete);
    }
}
