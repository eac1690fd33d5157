//! The line that a finding is about, with the place marked.

use kontor_package::{Content, Finding};
use unicode_width::UnicodeWidthChar as _;

use crate::terminal::plain;

/// Columns that an excerpt may take on a terminal.
const WIDTH: usize = 96;
/// Columns kept before the place when a long line is cut.
const BEFORE: usize = 24;

/// The excerpt as lines; none when the finding has no line, or the file is no text.
pub fn lines(content: &Content, finding: &Finding, mark: impl Fn(&str) -> String) -> Vec<String> {
    let text = content.get(&finding.file).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let Some(line) = text.and_then(|text| line_of(text, finding.line)) else { return Vec::new() };
    let characters: Vec<char> = line.chars().map(|char| if char == '\t' { ' ' } else { char }).collect();
    let (start, length) = marked(&characters, finding.column);
    let first = if width(&characters[..start]) > WIDTH - BEFORE { start.saturating_sub(BEFORE) } else { 0 };
    let last = end_of_window(&characters, first);
    let cut_before = if first > 0 { "…" } else { "" };
    let cut_behind = if last < characters.len() { "…" } else { "" };
    let shown: String = characters[first..last].iter().collect();
    let number = finding.line.to_string();
    let gap = " ".repeat(number.len());
    let indent = " ".repeat(cut_before.chars().count() + shown_width(&characters[first..start.min(last)]));
    let carets = "^".repeat(shown_width(&characters[start.min(last)..(start + length).min(last)]).max(1));
    vec![
        format!(" {gap} |"),
        format!(" {number} | {cut_before}{}{cut_behind}", plain(&shown)),
        format!(" {gap} | {indent}{}", mark(&carets)),
    ]
}

/// The line with this number, counted from 1; any of the three ways to end a line ends it.
fn line_of(text: &str, number: u32) -> Option<&str> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    for _ in 1..number {
        let end = rest.find(['\n', '\r'])?;
        let length = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[end + length..];
    }
    (number > 0).then(|| rest.split(['\n', '\r']).next().unwrap_or(""))
}

/// Where the mark starts and how many characters it has: the word at `column`, or the whole line.
fn marked(characters: &[char], column: u32) -> (usize, usize) {
    let first_visible = characters.iter().position(|char| !char.is_whitespace()).unwrap_or(0);
    let end_visible = characters.iter().rposition(|char| !char.is_whitespace()).map_or(0, |at| at + 1);
    if column == 0 {
        return (first_visible, end_visible.saturating_sub(first_visible).max(1));
    }
    let start = usize::try_from(column - 1).unwrap_or(0).min(characters.len());
    let length = characters[start..].iter().take_while(|char| !char.is_whitespace()).count();
    (start, length.max(1))
}

fn end_of_window(characters: &[char], first: usize) -> usize {
    let mut columns = 0;
    for (at, char) in characters.iter().enumerate().skip(first) {
        columns += shown_width(&[*char]);
        if columns > WIDTH {
            return at;
        }
    }
    characters.len()
}

fn width(characters: &[char]) -> usize {
    characters.iter().map(|char| char.width().unwrap_or(0)).sum()
}

/// Columns of the text as it is shown, with escapes for what cannot be.
fn shown_width(characters: &[char]) -> usize {
    let shown = plain(&characters.iter().collect::<String>());
    width(&shown.chars().collect::<Vec<_>>())
}
