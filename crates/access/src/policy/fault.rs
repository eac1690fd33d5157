//! What is wrong with a policy's text, with its line.

use std::fmt;

use miette::Diagnostic;

/// Something in a policy's text that keeps it from being used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFault {
    /// The line, counted from 1; 0 when it is about the whole text.
    pub line: usize,
    /// The `@id` of the policy that it is in, where that is known.
    pub policy: Option<String>,
    /// What is wrong and what to write in its place.
    pub message: String,
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, &self.policy) {
            (0, _) => formatter.write_str(&self.message),
            (line, None) => write!(formatter, "line {line}: {}", self.message),
            (line, Some(id)) => write!(formatter, "line {line}, in `{id}`: {}", self.message),
        }
    }
}

impl PolicyFault {
    /// A fault of the whole text.
    pub(super) fn whole(message: impl Into<String>) -> Self {
        Self { line: 0, policy: None, message: message.into() }
    }

    /// What the library has to say about a place of the text.
    pub(super) fn of(error: &dyn Diagnostic, text: &str) -> Self {
        let offset = error.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
        let line = offset.map_or(0, |offset| line_of(text, offset));
        let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
        let policy = offset.and_then(|offset| id_around(text, offset));
        Self { line, policy, message: format!("{error}{help}") }
    }
}

/// The `@id` of the policy around a place: the last one before it, unless a policy has ended in between.
fn id_around(text: &str, offset: usize) -> Option<String> {
    let before = text.get(..offset)?;
    let (_, rest) = text.get(before.rfind("@id(\"")?..)?.split_once('"')?;
    let (id, _) = rest.split_once('"')?;
    let between = before.get(before.rfind("@id(\"")?..)?;
    // The last line of these is the place's own.
    let lines: Vec<&str> = between.lines().collect();
    let ended = lines.iter().rev().skip(1).any(|line| line.trim_end().ends_with(';'));
    (!ended).then(|| id.to_owned())
}

fn line_of(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).matches('\n').count() + 1
}
