//! PDF documents: their texts, whatever runs by itself, and what lies behind their end.

use std::io::Read as _;

use crate::examine::{Examination, Origin};
use crate::kind::Kind;

/// The most text taken from one document.
const TEXT: usize = 8 << 20;

impl Examination<'_> {
    /// Unfolds the document's streams and reads their texts.
    pub(crate) fn pdf(&mut self, path: &str, bytes: &[u8], nesting: usize) {
        if find(bytes, b"/Encrypt", 0).is_some() {
            self.skip(path, "the document is encrypted");
        }
        let mut text = String::new();
        let mut at = 0;
        let mut broken = false;
        while let Some(start) = find(bytes, b"stream", at) {
            let head = bytes.get(start.saturating_sub(400)..start).unwrap_or_default();
            let body =
                start + 6 + bytes.get(start + 6..start + 8).map_or(0, |ends| if ends == b"\r\n" { 2 } else { 1 });
            let Some(end) = find(bytes, b"endstream", body) else {
                broken = true;
                break;
            };
            let stream = bytes.get(body..end).unwrap_or_default();
            if find(head, b"FlateDecode", 0).is_some() && text.len() < TEXT {
                let mut unfolded = Vec::new();
                // A stream that breaks off still gives what came before.
                let _ = flate2::read::ZlibDecoder::new(stream).take(TEXT as u64).read_to_end(&mut unfolded);
                shown_text(&unfolded, &mut text);
            } else {
                shown_text(stream, &mut text);
            }
            at = end + 9;
        }
        if broken {
            self.skip(path, "the document breaks off");
        }
        if text.len() >= TEXT {
            self.skip(path, "the document has more text than a scan reads");
        }
        if find(bytes, b"/JavaScript", 0).is_some()
            || find(bytes, b"/Launch", 0).is_some()
            || find(bytes, b"/EmbeddedFile", 0).is_some()
        {
            self.find("file.pdf-active", path, String::new());
        }
        let origin = Origin { file: path.to_owned(), place: Some((0, 0)), ..Origin::default() };
        self.text(&origin, text, Kind::Prose);
        self.strings(path, bytes);
        if let Some(end) = bytes.windows(5).rposition(|window| window == b"%%EOF") {
            self.tail(path, bytes.get(end + 5..).unwrap_or_default(), nesting);
        }
    }
}

/// The strings that a page shows: what stands in parentheses.
fn shown_text(stream: &[u8], text: &mut String) {
    let mut depth = 0usize;
    let mut escaped = false;
    for byte in stream {
        if text.len() >= TEXT {
            return;
        }
        match byte {
            _ if escaped => {
                escaped = false;
                text.push(char::from(*byte));
            }
            b'\\' if depth > 0 => escaped = true,
            b'(' => depth += 1,
            b')' if depth > 0 => {
                depth -= 1;
                if depth == 0 && text.len().is_multiple_of(64) {
                    text.push(' ');
                }
            }
            b'\n' if depth == 0 && !text.ends_with([' ', '\n']) => text.push(' '),
            byte if depth > 0 => text.push(char::from(*byte)),
            _ => {}
        }
    }
    text.push('\n');
}

fn find(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    place_of(rest, needle).map(|at| from + at)
}

/// A search that skips by the needle's first byte.
fn place_of(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut at = 0;
    while let Some(step) = bytes.get(at..)?.iter().position(|byte| *byte == first) {
        at += step;
        if bytes.get(at..at + needle.len()) == Some(needle) {
            return Some(at);
        }
        at += 1;
    }
    None
}
