use super::Place;

/// One token with its span.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: Mark,
    pub end: Mark,
    pub comments: Option<Comments>,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    StreamStart,
    StreamEnd,
    Directive,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowMappingStart,
    FlowSequenceEnd,
    FlowMappingEnd,
    Key,
    Value,
    BlockEntry,
    FlowEntry,
    Alias(String),
    Anchor(String),
    Tag,
    Scalar { text: String, style: super::Style },
    Comment,
}

impl Kind {
    /// What a person calls it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::StreamStart | Self::StreamEnd => "the end of the front matter",
            Self::Directive => "a `%` directive",
            Self::DocumentStart => "`---`",
            Self::DocumentEnd => "`...`",
            Self::BlockSequenceStart | Self::BlockEntry => "a list entry `-`",
            Self::BlockMappingStart | Self::Key => "a key",
            Self::BlockEnd => "the end of an indented block",
            Self::FlowSequenceStart => "`[`",
            Self::FlowMappingStart => "`{`",
            Self::FlowSequenceEnd => "`]`",
            Self::FlowMappingEnd => "`}`",
            Self::Value => "`:`",
            Self::FlowEntry => "`,`",
            Self::Alias(_) => "an alias `*`",
            Self::Anchor(_) => "an anchor `&`",
            Self::Tag => "a tag `!`",
            Self::Scalar { .. } => "a value",
            Self::Comment => "a comment",
        }
    }
}

/// A place in the text, all counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    pub index: usize,
    pub line: usize,
    pub column: usize,
}

impl Mark {
    pub(super) fn place(self) -> Place {
        let counted = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
        Place { line: counted(self.line), column: counted(self.column) }
    }
}

/// Whether comments hang on a token; the validator's reader carries them along and gives up when two meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Comments {
    /// On the same line, or blank lines behind it.
    pub behind: bool,
    /// On lines of their own before it.
    pub before: bool,
}
