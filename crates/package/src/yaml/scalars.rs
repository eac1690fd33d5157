//! Tokens with text: plain, quoted and block scalars, anchors and tags.

use super::Style;
use super::reader::{is_blank_or_end, is_break, is_break_or_end};
use super::scanner::Scanner;
use super::token::{Comments, Kind, Mark};
use super::{Broken, StrictRule};

impl Scanner {
    pub(super) fn fetch_anchor(&mut self, indicator: char) -> Result<(), Broken> {
        self.save_simple_key()?;
        self.allow_simple_key = false;
        let start = self.reader.mark();
        self.reader.skip(1);
        let in_name = |char: char| !is_blank_or_end(char) && !matches!(char, ',' | '[' | ']' | '{' | '}' | ':' | '?');
        let length = self.count(in_name);
        if length == 0 {
            return Err(self.broken(&format!("a name is missing behind `{indicator}`; quote the value")));
        }
        let name = self.reader.take(length);
        self.push_from(if indicator == '*' { Kind::Alias(name) } else { Kind::Anchor(name) }, start);
        Ok(())
    }

    pub(super) fn fetch_tag(&mut self) -> Result<(), Broken> {
        self.save_simple_key()?;
        self.allow_simple_key = false;
        let start = self.reader.mark();
        let length = self.count(|char| !is_blank_or_end(char));
        self.reader.skip(length);
        if self.reader.peek() == '\t' {
            return Err(self.broken("a tab stands where only spaces may"));
        }
        self.push_from(Kind::Tag, start);
        Ok(())
    }

    /// How many characters ahead satisfy `wanted`.
    fn count(&self, wanted: impl Fn(char) -> bool) -> usize {
        let mut length = 0;
        while self.reader.peek_at(length) != '\0' && wanted(self.reader.peek_at(length)) {
            length += 1;
        }
        length
    }

    pub(super) fn starts_plain(&self, char: char) -> bool {
        if !is_blank_or_end(char) && !"-?:,[]{}#&*!|>'\"%@`".contains(char) {
            return true;
        }
        let next = self.reader.peek_at(1);
        let glued = !is_blank_or_end(next);
        match char {
            '-' => glued,
            ':' if self.in_flow() => !matches!(next, ' ' | '\t'),
            '?' | ':' => glued && !self.in_flow(),
            _ => false,
        }
    }

    pub(super) fn fetch_plain_scalar(&mut self) -> Result<(), Broken> {
        self.save_simple_key()?;
        self.allow_simple_key = false;
        let start = self.reader.mark();
        let mut end = start;
        let indent = self.indent + 1;
        let mut text = String::new();
        let mut spaces = String::new();
        loop {
            if self.reader.peek() == '#' {
                break;
            }
            let length = self.plain_run();
            self.refuse_colon_in_flow(length)?;
            if length == 0 {
                break;
            }
            self.allow_simple_key = false;
            text.push_str(&spaces);
            text.push_str(&self.reader.take(length));
            end = self.reader.mark();
            spaces = self.plain_spaces();
            let outdented = !self.in_flow() && i64::try_from(self.reader.column()).unwrap_or(i64::MAX) < indent;
            if spaces.is_empty() || self.reader.peek() == '#' || outdented {
                break;
            }
        }
        let comments = spaces.starts_with('\n').then_some(Comments { behind: true, before: false });
        self.push_with_comments(Kind::Scalar { text, style: Style::Plain }, start, end, comments);
        Ok(())
    }

    /// How many characters of the plain scalar stand together here.
    fn plain_run(&self) -> usize {
        let mut length = 0;
        loop {
            let char = self.reader.peek_at(length);
            let next_is_blank = || is_blank_or_end(self.reader.peek_at(length + 1));
            let ends = match char {
                ':' if !next_is_blank() => false,
                '?' => false,
                ':' => true,
                ',' | '[' | ']' | '{' | '}' => self.in_flow(),
                _ => is_blank_or_end(char),
            };
            if ends {
                return length;
            }
            length += 1;
        }
    }

    fn refuse_colon_in_flow(&mut self, length: usize) -> Result<(), Broken> {
        let next = self.reader.peek_at(length + 1);
        let allowed = is_blank_or_end(next) || matches!(next, ',' | '[' | ']' | '{' | '}');
        if self.in_flow() && self.reader.peek_at(length) == ':' && !allowed {
            self.reader.skip(length);
            return Err(self.broken("a `:` stands inside a value in brackets; quote the value"));
        }
        Ok(())
    }

    /// Takes the blanks and breaks behind a run of a plain scalar; what they stand for if the scalar goes on.
    fn plain_spaces(&mut self) -> String {
        let length = self.count(|char| char == ' ');
        let blanks = self.reader.take(length);
        let Some(first) = self.reader.take_break() else { return blanks };
        self.allow_simple_key = true;
        if self.reader.at_document_marker() {
            return String::new();
        }
        let mut breaks = String::new();
        loop {
            if self.reader.peek() == ' ' {
                self.reader.skip(1);
            } else if let Some(char) = self.reader.take_break() {
                breaks.push(char);
                if self.reader.at_document_marker() {
                    return String::new();
                }
            } else {
                return fold(first, &breaks);
            }
        }
    }

    pub(super) fn fetch_quoted_scalar(&mut self, quote: char) -> Result<(), Broken> {
        self.save_simple_key()?;
        self.allow_simple_key = false;
        let start = self.reader.mark();
        self.reader.skip(1);
        let mut text = String::new();
        self.quoted_run(quote, &mut text)?;
        while self.reader.peek() != quote {
            self.quoted_spaces(start, &mut text)?;
            self.quoted_run(quote, &mut text)?;
        }
        self.reader.skip(1);
        let style = if quote == '"' { Style::DoubleQuoted } else { Style::SingleQuoted };
        self.push_from(Kind::Scalar { text, style }, start);
        Ok(())
    }

    fn quoted_run(&mut self, quote: char, text: &mut String) -> Result<(), Broken> {
        loop {
            let length = self.count(|char| !is_blank_or_end(char) && !matches!(char, '\'' | '"' | '\\'));
            text.push_str(&self.reader.take(length));
            let char = self.reader.peek();
            if quote == '\'' && char == '\'' && self.reader.peek_at(1) == '\'' {
                text.push('\'');
                self.reader.skip(2);
            } else if char != quote && (matches!(char, '\'' | '"') || (quote == '\'' && char == '\\')) {
                text.push(char);
                self.reader.skip(1);
            } else if quote == '"' && char == '\\' {
                self.reader.skip(1);
                self.escape(text)?;
            } else {
                return Ok(());
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), Broken> {
        let char = self.reader.peek();
        let simple = match char {
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            't' | '\t' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            ' ' | '"' | '/' | '\\' => char,
            'N' => '\u{85}',
            '_' => '\u{a0}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            'x' => return self.escaped_code(2, text),
            'u' => return self.escaped_code(4, text),
            'U' => return self.escaped_code(8, text),
            _ if self.reader.take_break().is_some() => return self.quoted_breaks(text),
            _ => return Err(self.broken("a backslash inside double quotes must start a known escape; double it")),
        };
        text.push(simple);
        self.reader.skip(1);
        Ok(())
    }

    fn escaped_code(&mut self, digits: usize, text: &mut String) -> Result<(), Broken> {
        self.reader.skip(1);
        let code = self.hexadecimal(digits)?;
        self.reader.skip(digits);
        // Two halves as JSON writes characters beyond the 16-bit plane.
        let low_follows = (0xd800..0xdc00).contains(&code) && self.reader.ahead(2) == ['\\', 'u'];
        if low_follows {
            self.reader.skip(2);
            let low = self.hexadecimal(4)?;
            self.reader.skip(4);
            let both = char::decode_utf16([code, low].map(|half| u16::try_from(half).unwrap_or_default()));
            text.extend(both.map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)));
            return Ok(());
        }
        if code > u32::from(char::MAX) {
            return Err(self.broken("an escape names no character"));
        }
        text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        Ok(())
    }

    fn hexadecimal(&self, digits: usize) -> Result<u32, Broken> {
        let text: String = self.reader.ahead(digits).iter().collect();
        let complete = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = complete.then(|| u32::from_str_radix(&text, 16).ok()).flatten();
        code.ok_or_else(|| self.broken("an escape lacks hexadecimal digits"))
    }

    fn quoted_spaces(&mut self, start: Mark, text: &mut String) -> Result<(), Broken> {
        let length = self.count(|char| matches!(char, ' ' | '\t'));
        let blanks = self.reader.take(length);
        if self.reader.peek() == '\0' {
            return Err(Broken { message: "this quote is never closed".to_owned(), place: start.place() });
        }
        let Some(first) = self.reader.take_break() else {
            text.push_str(&blanks);
            return Ok(());
        };
        let mut breaks = String::new();
        self.quoted_breaks(&mut breaks)?;
        text.push_str(&fold(first, &breaks));
        Ok(())
    }

    fn quoted_breaks(&mut self, text: &mut String) -> Result<(), Broken> {
        loop {
            if self.reader.at_document_marker() {
                return Err(self.broken("a document marker stands inside quotes"));
            }
            let length = self.count(|char| matches!(char, ' ' | '\t'));
            self.reader.skip(length);
            match self.reader.take_break() {
                Some(char) => text.push(char),
                None => return Ok(()),
            }
        }
    }

    pub(super) fn fetch_block_scalar(&mut self, indicator: char) -> Result<(), Broken> {
        self.allow_simple_key = true;
        self.remove_simple_key()?;
        let start = self.reader.mark();
        self.reader.skip(1);
        let (chomping, increment) = self.block_header()?;
        let comment = self.block_header_rest()?;
        let at_top = self.indent < 0;
        let least = usize::try_from(self.indent + 1).unwrap_or(0);
        let (indent, breaks, end) = match increment {
            None => self.block_indentation(least),
            Some(increment) => {
                let indent = (least.max(1) + increment).saturating_sub(1);
                let (breaks, end) = self.block_breaks(indent);
                (indent, breaks, end)
            }
        };
        let at_top = at_top && increment.is_none();
        let mut block = Block { text: String::new(), breaks, end, last_break: None };
        self.block_lines(indicator == '>', indent, at_top, &mut block);
        let Block { mut text, breaks, end, last_break } = block;
        if chomping != Chomping::Strip {
            text.extend(last_break);
        }
        let mut comments = comment.then_some(Comments { behind: false, before: true });
        if chomping == Chomping::Keep {
            text.push_str(&breaks);
        } else if !breaks.is_empty() {
            while self.skip_to_token().is_some() {}
            comments.get_or_insert_default().behind = true;
        }
        let style = if indicator == '>' { Style::Folded } else { Style::Literal };
        self.push_with_comments(Kind::Scalar { text, style }, start, end, comments);
        Ok(())
    }

    fn block_header(&mut self) -> Result<(Chomping, Option<usize>), Broken> {
        let mut chomping = None;
        let mut increment = None;
        for _ in 0..2 {
            match self.reader.peek() {
                '+' if chomping.is_none() => chomping = Some(Chomping::Keep),
                '-' if chomping.is_none() => chomping = Some(Chomping::Strip),
                digit @ '0'..='9' if increment.is_none() => increment = digit.to_digit(10),
                _ => break,
            }
            self.reader.skip(1);
        }
        let char = self.reader.peek();
        if increment == Some(0) || !(char == ' ' || is_break_or_end(char)) {
            return Err(self.broken("behind `|` or `>` only `+`, `-` or a digit from 1 may stand; quote the value"));
        }
        Ok((chomping.unwrap_or(Chomping::Clip), increment.and_then(|digit| usize::try_from(digit).ok())))
    }

    /// Takes the rest of the line behind `|`; whether it was a comment.
    fn block_header_rest(&mut self) -> Result<bool, Broken> {
        let length = self.count(|char| char == ' ');
        self.reader.skip(length);
        let comment = self.reader.peek() == '#';
        if comment {
            let length = self.count(|char| !is_break(char));
            self.reader.skip(length);
        }
        if !is_break_or_end(self.reader.peek()) {
            return Err(self.broken("behind `|` or `>` the text must begin on a new line; quote the value"));
        }
        self.reader.take_break();
        Ok(comment)
    }

    fn block_indentation(&mut self, least: usize) -> (usize, String, Mark) {
        let mut breaks = String::new();
        let mut deepest = 0;
        let mut end = self.reader.mark();
        loop {
            if let Some(char) = self.reader.take_break() {
                breaks.push(char);
                end = self.reader.mark();
            } else if self.reader.peek() == ' ' {
                self.reader.skip(1);
                deepest = deepest.max(self.reader.column());
            } else {
                return (least.max(deepest), breaks, end);
            }
        }
    }

    fn block_breaks(&mut self, indent: usize) -> (String, Mark) {
        let mut breaks = String::new();
        let mut end = self.reader.mark();
        loop {
            while self.reader.column() < indent && self.reader.peek() == ' ' {
                self.reader.skip(1);
            }
            let Some(char) = self.reader.take_break() else { return (breaks, end) };
            breaks.push(char);
            end = self.reader.mark();
        }
    }

    fn block_lines(&mut self, folded: bool, indent: usize, at_top: bool, block: &mut Block) {
        while self.reader.column() == indent && self.reader.peek() != '\0' {
            block.text.push_str(&block.breaks);
            let leading = matches!(self.reader.peek(), ' ' | '\t');
            let length = self.count(|char| !is_break(char));
            block.text.push_str(&self.reader.take(length));
            block.last_break = self.reader.take_break();
            (block.breaks, block.end) = self.block_breaks(indent);
            if at_top && self.reader.column() == 0 && self.reader.at_document_marker() {
                break;
            }
            if self.reader.column() != indent || self.reader.peek() == '\0' {
                break;
            }
            let joins = folded && !leading && !matches!(self.reader.peek(), ' ' | '\t');
            let folds = joins && block.last_break == Some('\n');
            if !folds {
                block.text.extend(block.last_break);
            } else if block.breaks.is_empty() {
                block.text.push(' ');
            }
        }
    }

    /// Notes a tag, an anchor or an alias, which the strict subset refuses.
    pub(super) fn refuse_property(&mut self, kind: &Kind, mark: Mark) {
        let rule = if *kind == Kind::Tag { StrictRule::Tag } else { StrictRule::Anchor };
        self.refuse(rule, mark);
    }
}

/// The text of a block scalar while it is read.
struct Block {
    text: String,
    breaks: String,
    end: Mark,
    last_break: Option<char>,
}

/// What becomes of the line breaks at the end of a block scalar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Clip,
    Strip,
    Keep,
}

/// One break between two lines reads as a space, several as one fewer.
fn fold(first: char, breaks: &str) -> String {
    let mut text = String::new();
    if first != '\n' {
        text.push(first);
    } else if breaks.is_empty() {
        text.push(' ');
    }
    text.push_str(breaks);
    text
}
