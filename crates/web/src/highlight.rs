//! Source text in colours: which stretches are keywords, texts, comments, numbers, names, headings. A reader's help, not a
//! parser: it walks once over the text, never back, and stops to mark after so many stretches.

mod languages;

use std::ops::Range;

use maud::{Markup, html};

pub use languages::Language;
use languages::{Quote, Rules};

/// The most stretches that are marked in one text.
pub const MOST: usize = 20_000;
/// The most characters of a character between quotes, such as `'\u{10ffff}'`.
const LONGEST_CHARACTER: usize = 12;

/// What a stretch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word of the language.
    Keyword,
    /// What stands between quotes.
    Text,
    /// What the machine passes over.
    Comment,
    /// A number or a constant.
    Number,
    /// The name of a key, a variable or a table.
    Name,
    /// A heading.
    Heading,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Keyword, Self::Text, Self::Comment, Self::Number, Self::Name, Self::Heading];

    /// Its name in the style of the pages.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Keyword => "t-keyword",
            Self::Text => "t-text",
            Self::Comment => "t-comment",
            Self::Number => "t-number",
            Self::Name => "t-name",
            Self::Heading => "t-heading",
        }
    }
}

/// A stretch of a text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// From where to where.
    pub at: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// The marked stretches of a text, the first first, at most `most` of them; none of them overlap.
pub fn tokens(language: Language, text: &str, most: usize) -> Vec<Token> {
    let mut walk = Walk { text, at: 0, until: text.len(), found: Vec::new(), most: most.min(MOST) };
    match language.rules() {
        Some(rules) => walk.source(rules, text.len()),
        None => walk.markdown(),
    }
    walk.found
}

/// The parts of one stretch of a text, each with what it is; `tokens` begin with the first that may reach into it.
pub fn parts<'t>(text: &'t str, stretch: Range<usize>, tokens: &[Token]) -> Vec<(Option<Kind>, &'t str)> {
    let (mut parts, mut at) = (Vec::new(), stretch.start);
    for token in tokens.iter().take_while(|token| token.at.start < stretch.end) {
        let (start, end) = (token.at.start.max(at), token.at.end.min(stretch.end));
        if start >= end {
            continue;
        }
        parts.extend(text.get(at..start).filter(|part| !part.is_empty()).map(|part| (None, part)));
        parts.extend(text.get(start..end).map(|part| (Some(token.kind), part)));
        at = end;
    }
    parts.extend(text.get(at..stretch.end).filter(|part| !part.is_empty()).map(|part| (None, part)));
    parts
}

/// A whole text with its marks, shown by `show`.
pub fn marked(text: &str, tokens: &[Token], show: impl Fn(&str) -> Markup) -> Markup {
    html! {
        @for (kind, part) in parts(text, 0..text.len(), tokens) {
            @match kind {
                Some(kind) => span class=(kind.class()) { (show(part)) },
                None => (show(part)),
            }
        }
    }
}

/// One walk over a text.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    /// Where the stretch ends that is walked over: nothing behind it is looked at, or each line would cost the whole text.
    until: usize,
    found: Vec<Token>,
    most: usize,
}

impl Walk<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..self.until).unwrap_or_default()
    }

    /// Marks what lies before `end` and goes there.
    fn mark(&mut self, end: usize, kind: Kind) {
        self.found.push(Token { at: self.at..end, kind });
        self.at = end;
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.most
    }

    /// Where the line ends that the walk stands in.
    fn end_of_line(&self) -> usize {
        self.rest().find('\n').map_or(self.until, |length| self.at + length)
    }

    /// Walks over source until `end`.
    fn source(&mut self, rules: &Rules, end: usize) {
        let before = std::mem::replace(&mut self.until, end);
        self.stretch(rules, end);
        self.until = before;
    }

    fn stretch(&mut self, rules: &Rules, end: usize) {
        while self.at < end && !self.is_full() {
            let before = self.text.get(..self.at).and_then(|text| text.chars().next_back());
            if let Some((stop, kind)) = self.marks(rules, before) {
                self.mark(stop.min(end), kind);
                continue;
            }
            let Some(first) = self.rest().chars().next() else { break };
            if first.is_ascii_digit() {
                self.mark(
                    (self.at + length(self.rest(), |char| char.is_alphanumeric() || matches!(char, '_' | '.')))
                        .min(end),
                    Kind::Number,
                );
            } else if is_word(first) {
                self.word(rules, end);
            } else {
                self.at += first.len_utf8();
            }
        }
    }

    /// A comment, a text between quotes or a header that begins here: where it ends, and what it is.
    fn marks(&self, rules: &Rules, before: Option<char>) -> Option<(usize, Kind)> {
        let rest = self.rest();
        let after_space = before.is_none_or(char::is_whitespace);
        if let Some((open, close)) = rules.block
            && let Some(inside) = rest.strip_prefix(open)
        {
            let length = inside.find(close).map_or(rest.len(), |length| open.len() + length + close.len());
            return Some((self.at + length, Kind::Comment));
        }
        let begins = |mark: &str| rest.starts_with(mark) && (mark != "#" || after_space);
        if rules.comments.iter().any(|mark| begins(mark)) {
            return Some((self.end_of_line(), Kind::Comment));
        }
        if rules.has_tables && rest.starts_with('[') && before.is_none_or(|char| char == '\n') {
            return Some((self.end_of_line(), Kind::Heading));
        }
        if rules.has_characters && rest.starts_with('\'') {
            return character(rest).map(|length| (self.at + length, Kind::Text));
        }
        if rules.has_variables && rest.starts_with('$') {
            let name = rest.get(1..)?;
            let length = match name.strip_prefix('{') {
                Some(inside) => length(inside, is_word_or_digit) + 2,
                None => length(name, is_word_or_digit),
            };
            return (length > 0 && self.text.is_char_boundary(self.at + 1 + length))
                .then_some((self.at + 1 + length, Kind::Name));
        }
        let quote = rules.quotes.iter().find(|quote| rest.starts_with(quote.mark))?;
        let length = quoted(rest, *quote);
        let is_key =
            rules.has_keys && rest.get(length..).is_some_and(|after| after.trim_start_matches(' ').starts_with(':'));
        Some((self.at + length, if is_key { Kind::Name } else { Kind::Text }))
    }

    /// A word: of the language, a key, or none of it.
    fn word(&mut self, rules: &Rules, end: usize) {
        let rest = self.rest();
        let dashed = |char: char| is_word_or_digit(char) || (rules.has_dashes && matches!(char, '-' | '.'));
        let length = length(rest, dashed);
        let (word, after) = (rest.get(..length).unwrap_or_default(), rest.get(length..).unwrap_or_default());
        let stop = (self.at + length).min(end);
        let after = after.trim_start_matches(' ');
        if rules.words.contains(&word) {
            self.mark(stop, Kind::Keyword);
        } else if rules.constants.contains(&word) {
            self.mark(stop, Kind::Number);
        } else if (rules.has_keys && after.starts_with(':')) || (rules.has_tables && after.starts_with('=')) {
            self.mark(stop, Kind::Name);
        } else {
            self.at = stop;
        }
    }

    /// Walks over Markdown line by line: its front matter, headings, code.
    fn markdown(&mut self) {
        if self.text.starts_with("---\n")
            && let Some(length) = self.text.get(4..).and_then(|text| text.find("\n---"))
            && let Some(rules) = Language::Yaml.rules()
        {
            self.source(rules, 4 + length);
        }
        let mut inside: Option<(char, &'static Rules)> = None;
        let mut is_code = false;
        while self.at < self.text.len() && !self.is_full() {
            let end = self.end_of_line();
            let line = self.text.get(self.at..end).unwrap_or_default();
            let fence = ['`', '~'].into_iter().find(|mark| length(line.trim_start(), |char| char == *mark) >= 3);
            if let Some(mark) = fence {
                let word = line.trim_start().trim_start_matches(mark).trim();
                self.mark(end, Kind::Comment);
                is_code = !is_code;
                inside = Language::named(word).filter(|_| is_code).and_then(Language::rules).map(|rules| (mark, rules));
            } else if let Some((_, rules)) = inside {
                self.source(rules, end);
            } else if !is_code && is_heading(line) {
                self.mark(end, Kind::Heading);
            } else if !is_code {
                self.prose(end);
            }
            self.at = (end + 1).min(self.text.len().max(end));
        }
    }

    /// Marks what stands between backticks in one line.
    fn prose(&mut self, end: usize) {
        while let Some(start) = self.text.get(self.at..end).and_then(|rest| rest.find('`')) {
            self.at += start;
            let inside = self.text.get(self.at + 1..end).unwrap_or_default();
            match inside.find('`') {
                Some(length) if !self.is_full() => self.mark(self.at + length + 2, Kind::Text),
                _ => break,
            }
        }
    }
}

fn is_word(char: char) -> bool {
    char.is_alphabetic() || char == '_'
}

fn is_word_or_digit(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Bytes of the characters at the beginning that fit.
fn length(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.find(|char| !fits(char)).unwrap_or(text.len())
}

fn is_heading(line: &str) -> bool {
    let marks = length(line, |char| char == '#');
    (1..=6).contains(&marks) && line.get(marks..).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// Bytes of a character between single quotes; none when it is something else, such as a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut letters = rest.char_indices().skip(1).take(LONGEST_CHARACTER);
    let (_, first) = letters.next()?;
    if first == '\\' {
        letters.next()?;
        return letters.find(|(_, char)| *char == '\'').map(|(at, _)| at + 1);
    }
    letters.next().filter(|(_, char)| *char == '\'' && first != '\n').map(|(at, _)| at + 1)
}

/// Bytes of a text between quotes that begins here, until its end or, where it may not hold lines, the line's.
fn quoted(rest: &str, quote: Quote) -> usize {
    let mut at = quote.mark.len();
    while let Some(after) = rest.get(at..) {
        let Some(first) = after.chars().next() else { break };
        if after.starts_with(quote.mark) {
            return at + quote.mark.len();
        }
        if first == '\n' && !quote.holds_lines {
            return at;
        }
        at += first.len_utf8();
        if first == '\\' && quote.escapes {
            at += rest.get(at..).and_then(|after| after.chars().next()).map_or(0, char::len_utf8);
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests;
