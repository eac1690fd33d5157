//! The front matter's language: the dialect of YAML 1.2 that the reference validator reads.
//!
//! One reader serves two judgements. It yields a tree for lenient use, with everything common in the wild (flow style,
//! anchors within a budget), and beside it the [`Strictness`] list: what the validator's strict subset refuses. The
//! token rules follow the validator's own reader even where that departs from the specification of YAML, because
//! agreement with it is what the badge promises; `tests/skills_ref.rs` holds both side by side.

mod compose;
mod node;
mod parser;
mod reader;
mod scalars;
mod scanner;
mod token;

pub(crate) use node::{Node, Style, Value};

/// A place inside the text, line and column counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Place {
    /// The line.
    pub line: u32,
    /// The column in characters.
    pub column: u32,
}

/// Why a text cannot be read as YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// What is wrong, without the place.
    pub message: String,
    /// Where reading stopped.
    pub place: Place,
}

/// What the strict subset refuses in a text that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strictness {
    /// Which rule.
    pub rule: StrictRule,
    /// Where.
    pub place: Place,
}

/// The rules of the strict subset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StrictRule {
    /// `[a, b]` or `{a: b}`.
    FlowStyle,
    /// `&name` or `*name`.
    Anchor,
    /// `!type`.
    Tag,
    /// The same key twice.
    DuplicateKey,
    /// Sibling maps indented differently.
    Indentation,
    /// A key that is a list or a map, or `<<` without a map.
    Key,
    /// A comment where the validator's reader gives up.
    Comment,
}

/// Most characters of a text that is read at all.
pub(crate) const MAX_CHARACTERS: usize = 1 << 20;

/// The outcome of reading a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// The tree; none for a text without content.
    pub root: Option<Node>,
    /// What the strict subset refuses, in the order it was met.
    pub strictness: Vec<Strictness>,
}

/// Reads one document. `text` must have `\n` line ends only.
pub(crate) fn read(text: &str) -> Result<Document, Broken> {
    let characters = text.chars().take(MAX_CHARACTERS + 1).count();
    if characters > MAX_CHARACTERS {
        let message = format!("the text is longer than {MAX_CHARACTERS} characters");
        return Err(Broken { message, place: Place { line: 1, column: 1 } });
    }
    parser::Parser::new(text)?.document()
}
