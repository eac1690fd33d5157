//! A text cut into regions that mean different things: prose, comments, code, settings.

use memchr::memchr_iter;

use crate::kind::{Kind, Language, language_of_fence};
use crate::rules::PlaceName;

/// A part of a text that is judged as one thing.
#[derive(Debug, Clone)]
pub struct Region {
    /// First byte in the flat text.
    pub start: usize,
    /// Byte behind the last one in the flat text.
    pub end: usize,
    /// What the region is, as the bit of a [`PlaceName`].
    pub place: u8,
    /// How the region is written.
    pub shape: Shape,
    /// The heading that it stands under, as a place in the list of regions.
    pub heading: Option<usize>,
    /// The language, for code.
    pub language: Option<Language>,
}

/// How a region is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A heading with its level.
    Heading(u8),
    /// A paragraph.
    Paragraph,
    /// An item of a list.
    Item,
    /// A row of a table.
    Row,
    /// A quotation.
    Quotation,
    /// Lines that mean something each: code, settings, data.
    Lines,
}

/// A text with its regions.
#[derive(Debug, Default)]
pub struct Document {
    /// The text as it is matched: in prose each paragraph is one line without marks of emphasis.
    pub flat: String,
    /// The same in ASCII lower case, byte for byte as long.
    pub lower: String,
    /// The regions, in order.
    pub regions: Vec<Region>,
    /// From which flat byte on which byte of the text is meant.
    breaks: Vec<(usize, usize)>,
    /// Where each line of the text begins.
    lines: Vec<usize>,
}

impl Document {
    /// Reads a text of the given kind.
    pub fn new(text: &str, kind: Kind) -> Self {
        let mut document = Self { lines: line_starts(text), ..Self::default() };
        match kind {
            Kind::Prose => Markdown { document: &mut document, text, headings: Vec::new(), open: None }.read(),
            Kind::Script(language) => document.whole(text, place_of(language), Some(language)),
            Kind::Config => document.whole(text, PlaceName::Config, None),
            _ => document.whole(text, PlaceName::Text, None),
        }
        document.lower = document.flat.to_ascii_lowercase();
        document
    }

    /// The byte of the text that a flat byte stands for.
    pub fn origin(&self, flat: usize) -> usize {
        let place = self.breaks.partition_point(|(start, _)| *start <= flat);
        place
            .checked_sub(1)
            .and_then(|place| self.breaks.get(place))
            .map_or(0, |(start, origin)| origin + (flat - start))
    }

    /// Line and column, both from 1, of a byte of the text.
    pub fn position(&self, text: &str, origin: usize) -> (u32, u32) {
        let line = self.lines.partition_point(|start| *start <= origin).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let column = text.get(start..origin).map_or(1, |before| before.chars().count() + 1);
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }

    fn whole(&mut self, text: &str, place: PlaceName, language: Option<Language>) {
        self.code(text, 0, text.len(), place.bit(), language, None);
    }

    /// Adds lines as they are; a shell's continued lines become one.
    fn code(
        &mut self,
        text: &str,
        from: usize,
        to: usize,
        place: u8,
        language: Option<Language>,
        heading: Option<usize>,
    ) {
        let start = self.flat.len();
        let body = text.get(from..to).unwrap_or_default();
        let joins =
            matches!(language, Some(Language::Shell | Language::PowerShell)) || place == PlaceName::Config.bit();
        self.breaks.push((start, from));
        if joins && body.contains("\\\n") {
            let mut at = from;
            for piece in body.split("\\\n") {
                self.breaks.push((self.flat.len(), at));
                self.flat.push_str(piece);
                self.flat.push(' ');
                at += piece.len() + 2;
            }
            self.flat.pop();
        } else {
            self.flat.push_str(body);
        }
        let end = self.flat.len();
        self.flat.push('\n');
        self.regions.push(Region { start, end, place, shape: Shape::Lines, heading, language });
    }
}

/// What the words of a language are judged as.
pub fn place_of(language: Language) -> PlaceName {
    match language {
        Language::Shell | Language::PowerShell => PlaceName::Shell,
        _ => PlaceName::Script,
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    let ends = memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
    std::iter::once(0).chain(ends).collect()
}

/// The part of a paragraph that is being read.
struct Open {
    start: usize,
    shape: Shape,
}

struct Markdown<'a> {
    document: &'a mut Document,
    text: &'a str,
    headings: Vec<(u8, usize)>,
    open: Option<Open>,
}

impl Markdown<'_> {
    fn read(mut self) {
        let text = self.text;
        let mut at = 0;
        let mut lines = text.split_inclusive('\n').peekable();
        if text.starts_with("---\n")
            && let Some(end) = text.get(4..).and_then(|rest| rest.find("\n---"))
        {
            let end = 4 + end + 1;
            self.document.code(text, 4, end, PlaceName::Front.bit(), None, None);
            while at < end {
                at += lines.next().map_or(end, str::len);
            }
            at += lines.next().map_or(0, str::len);
        }
        while let Some(line) = lines.next() {
            let start = at;
            at += line.len();
            let trimmed = line.trim_start().trim_end();
            if let Some((mark, word)) = fence(trimmed) {
                self.close();
                let body = at;
                let mut end = at;
                for inner in lines.by_ref() {
                    end = at;
                    at += inner.len();
                    let closing = inner.trim_start_matches(['>', ' ', '\t']).trim_end();
                    if closing.starts_with(mark) && closing.trim_start_matches(&mark[..1]).is_empty() {
                        break;
                    }
                    end = at;
                }
                self.block(body, end, word);
            } else if trimmed.starts_with("<!--") {
                self.close();
                let end = text.get(start..).and_then(|rest| rest.find("-->")).map_or(text.len(), |end| start + end + 3);
                while at < end {
                    at += lines.next().map_or(end, str::len);
                }
                let heading = self.heading();
                self.document.code(text, start, at.min(text.len()), PlaceName::Comment.bit(), None, heading);
            } else {
                self.line(start, line, trimmed);
            }
        }
        self.close();
    }

    fn heading(&self) -> Option<usize> {
        self.headings.last().map(|(_, region)| *region)
    }

    /// A fenced block; what its word does not tell is read as text.
    fn block(&mut self, from: usize, to: usize, word: &str) {
        let kind = language_of_fence(&word.to_ascii_lowercase());
        let (place, language) = match kind {
            Some(Kind::Script(language)) => (place_of(language), Some(language)),
            Some(Kind::Config) => (PlaceName::Config, None),
            Some(Kind::Prose) => (PlaceName::Prose, None),
            _ => (PlaceName::Text, None),
        };
        let heading = self.heading();
        self.document.code(self.text, from, to, place.bit(), language, heading);
    }

    fn line(&mut self, start: usize, line: &str, trimmed: &str) {
        if trimmed.is_empty() {
            self.close();
            return;
        }
        let indent = line.len() - line.trim_start().len();
        let level = trimmed.bytes().take_while(|byte| *byte == b'#').count();
        if (1..=6).contains(&level) && trimmed.as_bytes().get(level).is_some_and(u8::is_ascii_whitespace) {
            self.close();
            let level = u8::try_from(level).unwrap_or(6);
            self.headings.retain(|(other, _)| *other < level);
            self.open(Shape::Heading(level));
            self.push(start + indent, trimmed.trim_start_matches('#'), usize::from(level));
            self.close();
            self.headings.push((level, self.document.regions.len() - 1));
            return;
        }
        if trimmed.starts_with('|') {
            self.close();
            self.open(Shape::Row);
            self.push(start + indent, trimmed, 0);
            self.close();
            return;
        }
        let (marker, shape) = marker(trimmed);
        if let Some(shape) = shape
            && (shape == Shape::Item || !matches!(self.open, Some(Open { shape: Shape::Quotation, .. })))
        {
            self.close();
            self.open(shape);
        } else if self.open.is_none() {
            self.open(Shape::Paragraph);
        }
        self.push(start + indent, trimmed.get(marker..).unwrap_or_default(), marker);
    }

    fn open(&mut self, shape: Shape) {
        self.open = Some(Open { start: self.document.flat.len(), shape });
    }

    /// Adds one line to what is open: white space becomes one blank, marks of emphasis go.
    fn push(&mut self, origin: usize, content: &str, skipped: usize) {
        let document = &mut *self.document;
        document.breaks.push((document.flat.len(), origin + skipped));
        let mut blank = true;
        let mut moved = false;
        let mut offset = 0;
        while let Some(rest) = content.get(offset..).filter(|rest| !rest.is_empty()) {
            // Most of a line stays as it is.
            let kept = rest.bytes().position(|byte| !is_kept(byte)).unwrap_or(rest.len());
            let char = rest.chars().next().unwrap_or_default();
            let dropped = char == '*' || (char.is_whitespace() && blank);
            if !dropped && moved {
                document.breaks.push((document.flat.len(), origin + skipped + offset));
            }
            offset += kept.max(char.len_utf8());
            if kept > 0 {
                document.flat.push_str(rest.get(..kept).unwrap_or_default());
                (blank, moved) = (false, false);
            } else if dropped {
                moved = true;
            } else {
                blank = char.is_whitespace();
                document.flat.push(if blank { ' ' } else { char });
                moved = blank && char.len_utf8() > 1;
            }
        }
        document.flat.push(' ');
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            let heading = self.headings.last().map(|(_, region)| *region);
            let end = self.document.flat.len();
            let place = PlaceName::Prose.bit();
            self.document.regions.push(Region {
                start: open.start,
                end,
                place,
                shape: open.shape,
                heading,
                language: None,
            });
            self.document.flat.push('\n');
        }
    }
}

/// Whether a byte of prose is one character that stays as it is.
const fn is_kept(byte: u8) -> bool {
    byte > b' ' && byte < 0x7f && byte != b'*'
}

/// The mark and the word of an opening fence.
fn fence(trimmed: &str) -> Option<(&str, &str)> {
    let trimmed = trimmed.trim_start_matches(['>', ' ']);
    let first = trimmed.chars().next().filter(|char| matches!(char, '`' | '~'))?;
    let length = trimmed.chars().take_while(|char| *char == first).count();
    let word = trimmed.get(length..)?.trim();
    if length < 3 || word.contains('`') {
        return None;
    }
    let word = word.split(|char: char| char.is_whitespace() || matches!(char, '{' | ':' | ',')).next().unwrap_or("");
    trimmed.get(..length).map(|mark| (mark, word))
}

/// How many bytes of a line are a mark of a list or quotation.
fn marker(trimmed: &str) -> (usize, Option<Shape>) {
    let bytes = trimmed.as_bytes();
    if bytes.first() == Some(&b'>') {
        return (trimmed.len() - trimmed.trim_start_matches(['>', ' ']).len(), Some(Shape::Quotation));
    }
    if matches!(bytes, [b'-' | b'*' | b'+', b' ', ..]) {
        return (2, Some(Shape::Item));
    }
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=3).contains(&digits) && matches!(bytes.get(digits..), Some([b'.' | b')', b' ', ..])) {
        return (digits + 2, Some(Shape::Item));
    }
    (0, None)
}
