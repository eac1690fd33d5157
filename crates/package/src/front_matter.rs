//! Where the front matter of a skill's text ends and its body begins, read twice: as agents commonly do, line by line,
//! and as the reference validator does, at the first two `---` wherever they stand.

use crate::yaml::{self, Broken, Node, Place, Style, Value};

/// The text of a `SKILL.md` with `\n` line ends and without a byte order mark.
pub(crate) struct Text {
    /// Everything.
    pub all: String,
    /// Whether a byte order mark stood at the start.
    pub byte_order_mark: bool,
    /// Whether a line ended in a carriage return.
    pub carriage_returns: bool,
}

impl Text {
    /// Decodes `bytes`; on a byte that is no UTF-8 the line it stands in.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, u32> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            line_number(before.split(|byte| *byte == b'\n').count() - 1)
        })?;
        let (text, byte_order_mark) = match text.strip_prefix('\u{feff}') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let carriage_returns = text.contains('\r');
        let all = if carriage_returns { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() };
        Ok(Self { all, byte_order_mark, carriage_returns })
    }
}

/// The line behind `breaks` line breaks.
pub(crate) fn line_number(breaks: usize) -> u32 {
    u32::try_from(breaks).unwrap_or(u32::MAX).saturating_add(1)
}

/// How the front matter is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiters {
    /// There is no front matter.
    None,
    /// Two lines of `---`.
    Closed,
    /// The first `---` is never closed; it ends where the lines stop looking like front matter.
    Unterminated,
}

/// A text divided into front matter and body.
pub(crate) struct Divided<'a> {
    /// How the front matter is delimited.
    pub delimiters: Delimiters,
    /// The front matter between its delimiters.
    pub front: &'a str,
    /// The line on which `front` starts, counted from 1.
    pub front_line: u32,
    /// Everything behind the front matter.
    pub body: &'a str,
    /// The line on which `body` starts, counted from 1.
    pub body_line: u32,
}

/// Divides a text as agents commonly do: `---` on the first line that is not blank, up to the next line `---`.
pub(crate) fn divide(text: &str) -> Divided<'_> {
    let none = Divided { delimiters: Delimiters::None, front: "", front_line: 1, body: text, body_line: 1 };
    let mut lines = Lines::new(text);
    let opening = lines.by_ref().find(|line| !line.text.trim().is_empty());
    let Some(opening) = opening.filter(|line| line.text.trim_end() == "---") else { return none };
    let (front_start, front_line) = (opening.end, opening.number.saturating_add(1));
    let closing = lines.find(|line| matches!(line.text.trim_end(), "---" | "..."));
    let (delimiters, front_end, body_start, body_line) = if let Some(line) = closing {
        (Delimiters::Closed, line.start, line.end, line.number.saturating_add(1))
    } else {
        let (end, line) = end_of_unterminated(text, front_start, front_line);
        (Delimiters::Unterminated, end, end, line)
    };
    Divided { delimiters, front: &text[front_start..front_end], front_line, body: &text[body_start..], body_line }
}

/// What stands behind the front matter of a skill's text.
pub fn body_of(text: &str) -> &str {
    divide(text.strip_prefix('\u{feff}').unwrap_or(text)).body
}

fn end_of_unterminated(text: &str, start: usize, first_line: u32) -> (usize, u32) {
    let mut end = (start, first_line);
    for line in Lines::new(&text[start..]) {
        let belongs = line.text.starts_with([' ', '\t']) || key_of(line.text).is_some() || line.text.starts_with("- ");
        if belongs && !line.text.trim().is_empty() {
            end = (start + line.end, first_line.saturating_add(line.number));
        } else if !line.text.trim().is_empty() {
            break;
        }
    }
    end
}

/// The key of a line like `key: value`, and what stands behind the colon.
fn key_of(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let key = key.trim_end();
    let word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.');
    let is_key = !key.is_empty() && key.len() <= 64 && key.chars().all(word) && !key.starts_with('-');
    (is_key && (value.is_empty() || value.starts_with([' ', '\t']))).then_some((key, value.trim()))
}

struct Line<'a> {
    text: &'a str,
    start: usize,
    /// Behind the line break.
    end: usize,
    /// Counted from 1.
    number: u32,
}

struct Lines<'a> {
    text: &'a str,
    at: usize,
    number: u32,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, number: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').unwrap_or(rest.len());
        let start = self.at;
        self.at = (start + length + 1).min(self.text.len());
        self.number = self.number.saturating_add(1);
        Some(Line { text: &rest[..length], start, end: self.at, number: self.number })
    }
}

/// Most keys that are recovered from a front matter that cannot be read as a whole.
const MAX_RECOVERED_KEYS: usize = 200;

/// Reads a front matter that is no valid YAML key by key; only the keys that are broken themselves are taken as plain
/// text. Mostly it is an unquoted `: ` in the description.
pub(crate) fn recover(front: &str, front_line: u32) -> Node {
    let mut pairs: Vec<(Node, Node)> = Vec::new();
    let mut open: Option<(&str, u32, usize)> = None;
    let close = |open: Option<(&str, u32, usize)>, end: usize, pairs: &mut Vec<(Node, Node)>| {
        let Some((key, line, start)) = open else { return };
        if pairs.len() < MAX_RECOVERED_KEYS {
            let place = Place { line, column: 1 };
            let key_node = Node { value: Value::Scalar(key.to_owned(), Style::Plain), place };
            pairs.push((key_node, recover_value(key, &front[start..end], line)));
        }
    };
    for line in Lines::new(front) {
        if let Some((key, _)) = key_of(line.text) {
            close(open.take(), line.start, &mut pairs);
            open = Some((key, front_line.saturating_add(line.number - 1), line.start));
        }
    }
    close(open.take(), front.len(), &mut pairs);
    Node { value: Value::Mapping(pairs), place: Place { line: front_line, column: 1 } }
}

/// The value of one key, from the lines `chunk` that belong to it.
fn recover_value(key: &str, chunk: &str, line: u32) -> Node {
    let place = Place { line, column: 1 };
    if let Ok(document) = yaml::read(chunk)
        && let Some(value) = document.root.as_ref().and_then(|root| root.get(key))
    {
        return Node { value: value.value.clone(), place };
    }
    let behind_colon = chunk.split_once(':').map_or("", |(_, value)| value);
    let words: Vec<&str> = behind_colon.lines().map(str::trim).filter(|text| !text.is_empty()).collect();
    let text = words.join(" ");
    let text = text.trim_start_matches(['|', '>']).trim_start_matches(['-', '+']).trim();
    Node { value: Value::Scalar(unquote(text).to_owned(), Style::DoubleQuoted), place }
}

/// Takes off a pair of quotes around the whole, or one that was opened and never closed.
fn unquote(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.strip_suffix(quote).unwrap_or(inner);
        }
    }
    text
}

/// What the reference validator takes for the front matter.
pub(crate) enum StrictFront<'a> {
    /// The text does not start with `---`.
    NotAtStart,
    /// There is no second `---`.
    Unclosed,
    /// Everything between the first two `---`, which may stand inside a line.
    Between(&'a str),
}

/// Divides a text at the first two `---`, as the reference validator does.
pub(crate) fn divide_strictly(text: &Text) -> StrictFront<'_> {
    let Some(rest) = text.all.strip_prefix("---").filter(|_| !text.byte_order_mark) else {
        return StrictFront::NotAtStart;
    };
    rest.split_once("---").map_or(StrictFront::Unclosed, |(front, _)| StrictFront::Between(front))
}

/// Moves a place inside a front matter to its place in the file.
pub(crate) fn in_file(place: Place, front_line: u32, front_column: u32) -> Place {
    let column = if place.line <= 1 { place.column.saturating_add(front_column) } else { place.column };
    Place { line: place.line.saturating_add(front_line.saturating_sub(1)), column }
}

/// The same for where reading stopped.
pub(crate) fn broken_in_file(broken: Broken, front_line: u32, front_column: u32) -> Broken {
    Broken { place: in_file(broken.place, front_line, front_column), ..broken }
}
