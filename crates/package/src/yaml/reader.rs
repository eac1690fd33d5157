use super::token::Mark;
use super::{Broken, Place};

/// The text as characters with a position; behind its end stands `\0` for ever.
pub(super) struct Reader {
    characters: Vec<char>,
    mark: Mark,
}

impl Reader {
    pub(super) fn new(text: &str) -> Result<Self, Broken> {
        let (mut line, mut column) = (1_u32, 1_u32);
        for char in text.chars() {
            if !is_printable(char) {
                let message = format!("the character U+{:04X} is not allowed", char as u32);
                return Err(Broken { message, place: Place { line, column } });
            }
            if char == '\n' {
                (line, column) = (line.saturating_add(1), 1);
            } else {
                column = column.saturating_add(1);
            }
        }
        Ok(Self { characters: text.chars().collect(), mark: Mark::default() })
    }

    pub(super) fn mark(&self) -> Mark {
        self.mark
    }

    pub(super) fn column(&self) -> usize {
        self.mark.column
    }

    pub(super) fn peek(&self) -> char {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, distance: usize) -> char {
        self.characters.get(self.mark.index.saturating_add(distance)).copied().unwrap_or('\0')
    }

    /// The next `length` characters.
    pub(super) fn ahead(&self, length: usize) -> &[char] {
        let start = self.mark.index.min(self.characters.len());
        let end = start.saturating_add(length).min(self.characters.len());
        &self.characters[start..end]
    }

    pub(super) fn skip(&mut self, length: usize) {
        for _ in 0..length {
            let char = self.peek();
            self.mark.index += 1;
            if char == '\n' {
                self.mark.line += 1;
                self.mark.column = 0;
            } else if char != '\u{feff}' {
                self.mark.column += 1;
            }
        }
    }

    /// Takes the next `length` characters.
    pub(super) fn take(&mut self, length: usize) -> String {
        let text = self.ahead(length).iter().collect();
        self.skip(length);
        text
    }

    /// Takes one line break, if there is one, as the text it stands for.
    pub(super) fn take_break(&mut self) -> Option<char> {
        let char = self.peek();
        let stands_for = match char {
            '\n' | '\u{85}' => '\n',
            '\u{2028}' | '\u{2029}' => char,
            _ => return None,
        };
        self.skip(1);
        Some(stands_for)
    }

    /// Whether a document marker (`---` or `...`) stands here and nothing is glued to it.
    pub(super) fn at_document_marker(&self) -> bool {
        matches!(self.ahead(3), ['-', '-', '-'] | ['.', '.', '.']) && is_blank_or_end(self.peek_at(3))
    }
}

fn is_printable(char: char) -> bool {
    matches!(char,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}'
        | '\u{10000}'..='\u{10ffff}')
}

pub(super) fn is_break(char: char) -> bool {
    matches!(char, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

pub(super) fn is_break_or_end(char: char) -> bool {
    char == '\0' || is_break(char)
}

pub(super) fn is_blank_or_end(char: char) -> bool {
    matches!(char, ' ' | '\t') || is_break_or_end(char)
}
