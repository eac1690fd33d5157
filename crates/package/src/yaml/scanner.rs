use std::collections::{BTreeMap, VecDeque};

use super::reader::{Reader, is_blank_or_end, is_break_or_end};
use super::token::{Comments, Kind, Mark, Token};
use super::{Broken, Place, StrictRule, Strictness};

/// A key on one line may not be longer than this, in characters.
const MAX_SIMPLE_KEY: usize = 1_024;
/// Most `[` and `{` inside each other.
const MAX_FLOW_DEPTH: usize = 64;

/// A token that turns out to be a key when a `:` follows on the same line.
struct SimpleKey {
    token_number: usize,
    required: bool,
    mark: Mark,
}

/// Turns characters into tokens, one step ahead of the parser.
pub(super) struct Scanner {
    pub(super) reader: Reader,
    pub(super) strictness: Vec<Strictness>,
    pub(super) allow_simple_key: bool,
    /// The column of the innermost block collection; -1 outside of any.
    pub(super) indent: i64,
    done: bool,
    flow: Vec<char>,
    tokens: VecDeque<Token>,
    tokens_taken: usize,
    indents: Vec<i64>,
    simple_keys: BTreeMap<usize, SimpleKey>,
}

impl Scanner {
    pub(super) fn new(text: &str) -> Result<Self, Broken> {
        let mut scanner = Self {
            reader: Reader::new(text)?,
            strictness: Vec::new(),
            allow_simple_key: true,
            indent: -1,
            done: false,
            flow: Vec::new(),
            tokens: VecDeque::new(),
            tokens_taken: 0,
            indents: Vec::new(),
            simple_keys: BTreeMap::new(),
        };
        scanner.push(Kind::StreamStart);
        Ok(scanner)
    }

    /// The next token's kind, after comments before it were gathered.
    pub(super) fn peek(&mut self) -> Result<&mut Token, Broken> {
        self.fill()?;
        self.gather_comments()?;
        self.tokens
            .front_mut()
            .ok_or_else(|| Broken { message: "the text ends too early".to_owned(), place: Place::default() })
    }

    /// Takes the next token; comments behind it on its line, or behind a value, hang on it.
    pub(super) fn next(&mut self) -> Result<Token, Broken> {
        self.peek()?;
        if let [first, second, ..] = self.tokens.make_contiguous()
            && second.kind == Kind::Comment
        {
            let same_line = first.end.line == second.start.line;
            let carries = match first.kind {
                Kind::Scalar { .. } => true,
                Kind::Value | Kind::FlowSequenceEnd | Kind::FlowMappingEnd => same_line,
                _ => false,
            };
            if carries {
                self.take_comments_behind()?;
            }
        }
        self.tokens_taken += 1;
        self.tokens
            .pop_front()
            .ok_or_else(|| Broken { message: "the text ends too early".to_owned(), place: Place::default() })
    }

    fn take_comments_behind(&mut self) -> Result<(), Broken> {
        while self.tokens.get(1).is_some_and(|token| token.kind == Kind::Comment) {
            self.tokens_taken += 1;
            self.tokens.remove(1);
            self.fetch_more()?;
        }
        if let Some(first) = self.tokens.front_mut() {
            first.comments.get_or_insert_default().behind = true;
        }
        Ok(())
    }

    /// Notes that the strict subset refuses what stands at `mark`.
    pub(super) fn refuse(&mut self, rule: StrictRule, mark: Mark) {
        if self.strictness.len() < 100 {
            self.strictness.push(Strictness { rule, place: mark.place() });
        }
    }

    fn fill(&mut self) -> Result<(), Broken> {
        while self.needs_more()? {
            self.fetch_more()?;
        }
        Ok(())
    }

    fn gather_comments(&mut self) -> Result<(), Broken> {
        let mut gathered = false;
        if self.tokens.front().is_some_and(|token| token.kind == Kind::Comment) {
            self.tokens.pop_front();
            self.tokens_taken += 1;
            gathered = true;
        }
        while self.needs_more()? {
            self.fetch_more()?;
            if self.tokens.front().is_some_and(|token| token.kind == Kind::Comment) {
                self.tokens.pop_front();
                self.tokens_taken += 1;
                gathered = true;
            }
        }
        if gathered && let Some(first) = self.tokens.front_mut() {
            let comments = first.comments.get_or_insert_default();
            let (met, mark) = (comments.before, first.start);
            comments.before = true;
            if met {
                self.refuse(StrictRule::Comment, mark);
            }
        }
        if !self.done && self.tokens.len() < 2 {
            self.fetch_more()?;
        }
        Ok(())
    }

    fn needs_more(&mut self) -> Result<bool, Broken> {
        if self.done {
            return Ok(false);
        }
        if self.tokens.is_empty() {
            return Ok(true);
        }
        self.drop_stale_keys()?;
        let next_key = self.simple_keys.values().map(|key| key.token_number).min();
        Ok(next_key == Some(self.tokens_taken))
    }

    fn fetch_more(&mut self) -> Result<(), Broken> {
        if let Some((start, end)) = self.skip_to_token() {
            self.tokens.push_back(Token { kind: Kind::Comment, start, end, comments: None });
            return Ok(());
        }
        self.drop_stale_keys()?;
        self.unwind_indent(i64::try_from(self.reader.column()).unwrap_or(i64::MAX));
        let char = self.reader.peek();
        let column = self.reader.column();
        match char {
            '\0' => self.fetch_end_of_stream(),
            '%' if column == 0 => self.fetch_directive(),
            '-' | '.' if column == 0 && self.reader.at_document_marker() => self.fetch_document_marker(char),
            '[' => self.fetch_flow_start(Kind::FlowSequenceStart, '['),
            '{' => self.fetch_flow_start(Kind::FlowMappingStart, '{'),
            ']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            '}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            ',' => self.fetch_flow_entry(),
            '-' if is_blank_or_end(self.reader.peek_at(1)) => self.fetch_block_entry(),
            '?' if self.in_flow() || is_blank_or_end(self.reader.peek_at(1)) => self.fetch_key(),
            ':' if self.is_value_indicator() => self.fetch_value(),
            '*' | '&' => self.fetch_anchor(char),
            '!' => self.fetch_tag(),
            '|' | '>' if !self.in_flow() => self.fetch_block_scalar(char),
            '\'' | '"' => self.fetch_quoted_scalar(char),
            _ if self.starts_plain(char) => self.fetch_plain_scalar(),
            '\t' => Err(self.broken("a tab stands where only spaces may")),
            _ => Err(self.broken(&format!("the character `{}` cannot start a value; quote it", char.escape_debug()))),
        }
    }

    /// Skips blanks, line breaks and comments; returns the span of one comment or run of blank lines, if any.
    pub(super) fn skip_to_token(&mut self) -> Option<(Mark, Mark)> {
        if self.reader.mark().index == 0 && self.reader.peek() == '\u{feff}' {
            self.reader.skip(1);
        }
        loop {
            while self.reader.peek() == ' ' {
                self.reader.skip(1);
            }
            if self.reader.peek() == '#' {
                return Some(self.skip_comment());
            }
            self.reader.take_break()?;
            self.allow_simple_key |= !self.in_flow();
            if self.reader.peek() == '\n' {
                let start = self.reader.mark();
                while self.reader.take_break().is_some() || matches!(self.reader.peek(), ' ' | '\t') {
                    if matches!(self.reader.peek(), ' ' | '\t') {
                        self.reader.skip(1);
                    }
                }
                return Some((start, self.reader.mark()));
            }
        }
    }

    fn skip_comment(&mut self) -> (Mark, Mark) {
        let start = self.reader.mark();
        while !is_break_or_end(self.reader.peek()) {
            self.reader.skip(1);
        }
        while self.reader.take_break().is_some() {}
        self.allow_simple_key |= !self.in_flow();
        (start, self.reader.mark())
    }

    pub(super) fn in_flow(&self) -> bool {
        !self.flow.is_empty()
    }

    pub(super) fn broken(&self, message: &str) -> Broken {
        Broken { message: message.to_owned(), place: self.reader.mark().place() }
    }

    pub(super) fn push(&mut self, kind: Kind) {
        let mark = self.reader.mark();
        self.push_from(kind, mark);
    }

    pub(super) fn push_from(&mut self, kind: Kind, start: Mark) {
        self.tokens.push_back(Token { kind, start, end: self.reader.mark(), comments: None });
    }

    pub(super) fn push_with_comments(&mut self, kind: Kind, start: Mark, end: Mark, comments: Option<Comments>) {
        self.tokens.push_back(Token { kind, start, end, comments });
    }

    fn insert(&mut self, token_number: usize, kind: Kind, mark: Mark) {
        let at = token_number.checked_sub(self.tokens_taken).map_or_else(
            || self.tokens.len().saturating_sub(self.tokens_taken - token_number),
            |at| at.min(self.tokens.len()),
        );
        self.tokens.insert(at, Token { kind, start: mark, end: mark, comments: None });
    }

    fn unclosed_key(key: &SimpleKey) -> Broken {
        Broken { message: "a `:` is missing behind this key".to_owned(), place: key.mark.place() }
    }

    fn drop_stale_keys(&mut self) -> Result<(), Broken> {
        let here = self.reader.mark();
        let stale = |key: &SimpleKey| key.mark.line != here.line || here.index - key.mark.index > MAX_SIMPLE_KEY;
        if let Some(key) = self.simple_keys.values().find(|key| stale(key) && key.required) {
            return Err(Self::unclosed_key(key));
        }
        self.simple_keys.retain(|_, key| !stale(key));
        Ok(())
    }

    pub(super) fn save_simple_key(&mut self) -> Result<(), Broken> {
        let mark = self.reader.mark();
        let required = !self.in_flow() && self.indent == i64::try_from(mark.column).unwrap_or(i64::MAX);
        if self.allow_simple_key {
            self.remove_simple_key()?;
            let token_number = self.tokens_taken + self.tokens.len();
            self.simple_keys.insert(self.flow.len(), SimpleKey { token_number, required, mark });
        }
        Ok(())
    }

    pub(super) fn remove_simple_key(&mut self) -> Result<(), Broken> {
        match self.simple_keys.remove(&self.flow.len()) {
            Some(key) if key.required => Err(Self::unclosed_key(&key)),
            _ => Ok(()),
        }
    }

    fn unwind_indent(&mut self, column: i64) {
        if self.in_flow() {
            return;
        }
        while self.indent > column {
            self.indent = self.indents.pop().unwrap_or(-1);
            self.push(Kind::BlockEnd);
        }
    }

    fn add_indent(&mut self, column: usize) -> bool {
        let column = i64::try_from(column).unwrap_or(i64::MAX);
        if self.indent >= column {
            return false;
        }
        self.indents.push(self.indent);
        self.indent = column;
        true
    }

    fn fetch_end_of_stream(&mut self) -> Result<(), Broken> {
        self.unwind_indent(-1);
        self.remove_simple_key()?;
        self.allow_simple_key = false;
        self.simple_keys.clear();
        self.push(Kind::StreamEnd);
        self.done = true;
        Ok(())
    }

    /// A directive only makes sense before `---`, which a front matter cannot contain, so its content is not read.
    fn fetch_directive(&mut self) -> Result<(), Broken> {
        self.unwind_indent(-1);
        self.remove_simple_key()?;
        self.allow_simple_key = false;
        let start = self.reader.mark();
        while !is_break_or_end(self.reader.peek()) {
            self.reader.skip(1);
        }
        self.push_from(Kind::Directive, start);
        Ok(())
    }

    fn fetch_document_marker(&mut self, char: char) -> Result<(), Broken> {
        self.unwind_indent(-1);
        self.remove_simple_key()?;
        self.allow_simple_key = false;
        let start = self.reader.mark();
        self.reader.skip(3);
        self.push_from(if char == '-' { Kind::DocumentStart } else { Kind::DocumentEnd }, start);
        Ok(())
    }

    fn fetch_indicator(&mut self, kind: Kind) {
        let start = self.reader.mark();
        self.reader.skip(1);
        self.push_from(kind, start);
    }

    fn fetch_flow_start(&mut self, kind: Kind, bracket: char) -> Result<(), Broken> {
        self.save_simple_key()?;
        self.flow.push(bracket);
        if self.flow.len() > MAX_FLOW_DEPTH {
            return Err(self.broken("brackets are nested too deep"));
        }
        self.allow_simple_key = true;
        self.fetch_indicator(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind) -> Result<(), Broken> {
        self.remove_simple_key()?;
        self.flow.pop();
        self.allow_simple_key = false;
        self.fetch_indicator(kind);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Result<(), Broken> {
        self.allow_simple_key = true;
        self.remove_simple_key()?;
        self.fetch_indicator(Kind::FlowEntry);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Broken> {
        if !self.in_flow() {
            if !self.allow_simple_key {
                return Err(self.broken("a list entry `-` cannot stand here; begin a new line"));
            }
            if self.add_indent(self.reader.column()) {
                self.push(Kind::BlockSequenceStart);
            }
        }
        self.allow_simple_key = true;
        self.remove_simple_key()?;
        self.fetch_indicator(Kind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Broken> {
        if !self.in_flow() {
            if !self.allow_simple_key {
                return Err(self.broken("a key cannot stand here"));
            }
            if self.add_indent(self.reader.column()) {
                self.push(Kind::BlockMappingStart);
            }
        }
        self.allow_simple_key = !self.in_flow();
        self.remove_simple_key()?;
        self.fetch_indicator(Kind::Key);
        Ok(())
    }

    fn is_value_indicator(&self) -> bool {
        let blank = is_blank_or_end(self.reader.peek_at(1));
        match self.flow.last() {
            None | Some('[') => blank,
            Some(_) => blank || self.tokens.back().is_none_or(|token| token.kind != Kind::Value),
        }
    }

    fn fetch_value(&mut self) -> Result<(), Broken> {
        if let Some(key) = self.simple_keys.remove(&self.flow.len()) {
            self.insert(key.token_number, Kind::Key, key.mark);
            if !self.in_flow() && self.add_indent(key.mark.column) {
                self.insert(key.token_number, Kind::BlockMappingStart, key.mark);
            }
            self.allow_simple_key = false;
        } else {
            if !self.in_flow() {
                if !self.allow_simple_key {
                    return Err(self.broken("a `: ` stands inside a value; quote the value"));
                }
                if self.add_indent(self.reader.column()) {
                    self.push(Kind::BlockMappingStart);
                }
            }
            self.allow_simple_key = !self.in_flow();
            self.remove_simple_key()?;
        }
        self.fetch_indicator(Kind::Value);
        Ok(())
    }
}
