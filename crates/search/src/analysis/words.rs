use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};

use super::Style;
use super::chinese::is_chinese;

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::new(Algorithm::English));

/// Words too frequent to tell anything.
const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of",
    "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with",
];

/// Whether the word is too frequent to tell anything.
fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(&word)
}

/// A stretch of text that is cut in one way.
pub enum Run<'a> {
    /// Letters and digits.
    Word(&'a str),
    /// Chinese characters.
    Chinese(&'a str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Chinese,
    Between,
}

fn kind(char: char) -> Kind {
    if is_chinese(char) {
        Kind::Chinese
    } else if char.is_alphanumeric() {
        Kind::Word
    } else {
        Kind::Between
    }
}

/// The runs of a text in their order.
pub fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let first = kind(rest.chars().next()?);
            let end = rest.find(|char| kind(char) != first).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            rest = after;
            match first {
                Kind::Word => return Some(Run::Word(run)),
                Kind::Chinese => return Some(Run::Chinese(run)),
                Kind::Between => {}
            }
        }
    })
}

/// Adds a word's term, and those of its parts when it is written in camel case.
pub fn push_word(word: &str, style: Style, terms: &mut Vec<String>) {
    let lower = word.to_lowercase();
    if style == Style::Plain {
        terms.push(lower);
        return;
    }
    if is_stop_word(&lower) {
        return;
    }
    for part in camel_parts(word) {
        terms.push(stem(&part.to_lowercase()));
    }
    terms.push(stem(&lower));
}

fn stem(lower: &str) -> String {
    STEMMER.stem(lower).into_owned()
}

/// The parts of a word in camel case; none when it has only one.
fn camel_parts(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut previous_lower = false;
    for (at, char) in word.char_indices() {
        if char.is_uppercase() && previous_lower {
            parts.push(&word[start..at]);
            start = at;
        }
        previous_lower = char.is_lowercase();
    }
    if parts.is_empty() {
        return parts;
    }
    parts.push(&word[start..]);
    parts
}
