use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The skill is refused.
    Error,
    /// The skill is accepted, but agents may read it otherwise than its author meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// One thing that was noticed about a skill, with its place and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// A stable word, for example `description_missing`.
    pub code: Cow<'static, str>,
    /// How much it weighs.
    pub severity: Severity,
    /// The file inside the skill, or empty when it is about the whole.
    pub file: String,
    /// The line, counted from 1; 0 when it is about the whole file.
    pub line: u32,
    /// The column in characters, counted from 1; 0 when it is about the whole line.
    pub column: u32,
    /// What was found, in a sentence without a full stop.
    pub message: String,
    /// What to do about it; empty when there is nothing to do.
    pub remedy: String,
    /// Whether the reference validator refuses a skill for this.
    pub breaks_spec: bool,
}

impl Finding {
    /// A finding about a whole file, or about the whole skill when `file` is empty.
    pub fn new(
        code: &'static str,
        severity: Severity,
        file: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code: Cow::Borrowed(code),
            severity,
            file: file.into(),
            line: 0,
            column: 0,
            message: message.into(),
            remedy: remedy.into(),
            breaks_spec: false,
        }
    }

    /// Gives the place, both counted from 1.
    #[must_use]
    pub fn at(mut self, line: u32, column: u32) -> Self {
        self.line = line;
        self.column = column;
        self
    }

    /// Marks that the reference validator refuses a skill for this.
    #[must_use]
    pub fn breaking_spec(mut self) -> Self {
        self.breaks_spec = true;
        self
    }
}
