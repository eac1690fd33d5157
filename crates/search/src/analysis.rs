//! Text to terms: one way for documents and queries, so that they meet.

mod chinese;
mod words;

use std::borrow::Cow;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;

/// The most bytes of one term.
const TERM_LIMIT: usize = 64;

/// How a text is cut to terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Running text: stems of words, Chinese words.
    Text,
    /// A name: as text, and every Chinese character besides.
    Name,
    /// Words as written, for completion and mending of misspelt words.
    Plain,
}

/// The terms of a text in their order.
pub fn terms(text: &str, style: Style) -> Vec<String> {
    let mut terms = Vec::new();
    let mut stems = words::Stems::new();
    let normal = normal(text);
    for run in words::runs(&normal) {
        match run {
            words::Run::Word(word) => words::push_word(word, style, &mut stems, &mut terms),
            words::Run::Chinese(run) => chinese::push_words(run, style, &mut terms),
        }
    }
    terms.retain(|term| term.len() <= TERM_LIMIT);
    terms
}

/// A text in NFKC, line by line: a line feed joins with nothing, and most lines are in it already.
fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut normal = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.is_ascii() {
            normal.push_str(line);
        } else {
            normal.extend(line.nfkc());
        }
    }
    Cow::Owned(normal)
}

/// Whether the term is a word of grammar or courtesy.
pub fn is_function_word(term: &str) -> bool {
    words::is_function_word(term) || chinese::is_function_word(term)
}

/// The terms of all English words of grammar and courtesy.
pub fn function_terms() -> impl Iterator<Item = &'static str> {
    words::function_terms()
}

/// Whether a text holds Chinese characters.
pub fn has_chinese(text: &str) -> bool {
    text.chars().any(chinese::is_chinese)
}

/// A name as it is compared whole: NFKC, lower case, every run of other characters one hyphen.
pub fn key(name: &str) -> String {
    let mut key = String::new();
    for char in name.nfkc().flat_map(char::to_lowercase).take(256) {
        if char.is_alphanumeric() {
            key.push(char);
        } else if !key.is_empty() && !key.ends_with('-') {
            key.push('-');
        }
    }
    key.truncate(key.trim_end_matches('-').len());
    key
}

/// The same cutting as a tokenizer for the index.
#[derive(Debug, Clone)]
pub struct Cutter(pub Style);

/// The terms of one text, cut.
pub struct Cut {
    terms: std::vec::IntoIter<String>,
    token: Token,
}

impl Tokenizer for Cutter {
    type TokenStream<'a> = Cut;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Cut {
        Cut { terms: terms(text, self.0).into_iter(), token: Token::default() }
    }
}

impl TokenStream for Cut {
    fn advance(&mut self) -> bool {
        let Some(text) = self.terms.next() else { return false };
        self.token.position = self.token.position.wrapping_add(1);
        self.token.text = text;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
