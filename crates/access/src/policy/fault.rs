//! What is wrong with a policy's text, with its line.

use std::fmt;

use miette::Diagnostic;

/// Something in a policy's text that keeps it from being used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFault {
    /// The line, counted from 1; 0 when it is about the whole text.
    pub line: usize,
    /// What is wrong and what to write in its place.
    pub message: String,
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(formatter, "line {}: {}", self.line, self.message)
        } else {
            formatter.write_str(&self.message)
        }
    }
}

impl PolicyFault {
    /// A fault of the whole text.
    pub(super) fn whole(message: impl Into<String>) -> Self {
        Self { line: 0, message: message.into() }
    }

    /// What the library has to say about a place of the text.
    pub(super) fn of(error: &dyn Diagnostic, text: &str) -> Self {
        let offset = error.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
        let line = offset.map_or(0, |offset| line_of(text, offset));
        let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
        Self { line, message: format!("{error}{help}") }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).matches('\n').count() + 1
}
