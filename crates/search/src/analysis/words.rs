use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};

use super::Style;
use super::chinese::is_chinese;

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::new(Algorithm::English));

/// Words too frequent to tell anything; not in the index.
const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not", "of",
    "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will", "with",
];

/// Words of grammar and courtesy; they tell little of a task.
const FUNCTION_WORDS: &[&str] = &[
    "about", "above", "after", "again", "against", "all", "also", "am", "any", "arent", "because", "been", "before",
    "being", "below", "between", "both", "can", "cant", "could", "couldnt", "did", "didnt", "do", "does", "doesnt",
    "doing", "dont", "down", "during", "each", "few", "from", "further", "had", "has", "have", "having", "he", "her",
    "here", "hers", "him", "his", "how", "i", "ill", "im", "isnt", "its", "ive", "just", "let", "lets", "may", "me",
    "might", "mine", "more", "most", "must", "my", "myself", "nor", "now", "off", "once", "only", "other", "our",
    "ours", "out", "over", "own", "please", "same", "shall", "she", "should", "shouldnt", "so", "some", "than", "them",
    "theirs", "those", "through", "too", "under", "until", "up", "us", "very", "wasnt", "we", "were", "werent", "weve",
    "what", "when", "where", "which", "while", "who", "whom", "whose", "why", "wont", "would", "wouldnt", "you",
    "your", "youre", "yours", "yourself", "youve",
];

/// The terms of [`FUNCTION_WORDS`].
static FUNCTION_TERMS: LazyLock<HashSet<String>> =
    LazyLock::new(|| FUNCTION_WORDS.iter().flat_map(|word| [(*word).to_owned(), stem(word)]).collect());

/// Whether the term is a word of grammar or courtesy.
pub fn is_function_word(term: &str) -> bool {
    FUNCTION_TERMS.contains(term)
}

/// The terms of all words of grammar and courtesy.
pub fn function_terms() -> impl Iterator<Item = &'static str> {
    FUNCTION_TERMS.iter().map(String::as_str)
}

/// A stretch of text that is cut in one way.
pub enum Run<'a> {
    /// Letters and digits, apostrophes among them.
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
    } else if char.is_alphanumeric() || is_apostrophe(char) {
        Kind::Word
    } else {
        Kind::Between
    }
}

const fn is_apostrophe(char: char) -> bool {
    matches!(char, '\'' | '\u{2019}')
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

/// The terms of words that one text has had; nothing for words that are not in the index. Most words come again.
pub type Stems = HashMap<String, Option<String>>;

/// Adds a word's term, and those of its parts when it is written in camel case.
pub fn push_word(word: &str, style: Style, stems: &mut Stems, terms: &mut Vec<String>) {
    let word = without_apostrophes(word);
    let lower = lower(&word);
    if lower.is_empty() {
        return;
    }
    if style == Style::Plain {
        terms.push(lower.into_owned());
        return;
    }
    let Some(term) = term(&lower, stems) else { return };
    for part in camel_parts(&word) {
        terms.push(stem(&part.to_lowercase()));
    }
    terms.push(term);
}

/// The term of a word in lower case; nothing for a stop word.
fn term(lower: &str, stems: &mut Stems) -> Option<String> {
    if let Some(known) = stems.get(lower) {
        return known.clone();
    }
    let term = (!STOP_WORDS.contains(&lower)).then(|| stem(lower));
    stems.insert(lower.to_owned(), term.clone());
    term
}

fn lower(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(word.to_lowercase())
}

fn stem(lower: &str) -> String {
    STEMMER.stem(lower).into_owned()
}

/// `user's` → `user`, `don't` → `dont`, `'quoted'` → `quoted`.
fn without_apostrophes(word: &str) -> Cow<'_, str> {
    if !word.contains(is_apostrophe) {
        return Cow::Borrowed(word);
    }
    let word = word.trim_matches(is_apostrophe);
    let owner = word.strip_suffix(['s', 'S']).and_then(|word| word.strip_suffix(is_apostrophe));
    Cow::Owned(owner.unwrap_or(word).replace(is_apostrophe, ""))
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
