//! Files inside files: archives, office documents, notebooks, and what lies behind a picture.

use kontor_package::{Content, Limits};
use serde_json::Value;

use crate::decode;
use crate::examine::{Examination, Origin};
use crate::kind::{Kind, Language};
use crate::media::{self, End};

/// The most text taken from the printable parts of a file that is no text.
const STRINGS: usize = 4 << 20;

impl Examination<'_> {
    /// Opens an archive, or a document that is one, and examines each file in it.
    pub(crate) fn archive(&mut self, path: &str, bytes: &[u8], nesting: usize) {
        if nesting >= self.scanner.limits.nesting {
            self.skip(path, "archives lie deeper in one another than a scan opens");
            return;
        }
        let most = self.scanner.limits.file_bytes;
        let limits = Limits { file_bytes: most, skill_bytes: most.saturating_mul(2), files: self.scanner.limits.files };
        match Content::from_archive(bytes, &limits) {
            Ok(content) => {
                for left_out in content.left_out() {
                    self.skip(&format!("{path}!/{}", left_out.path), "it was left out when the archive was opened");
                }
                if nesting > 0 || !is_unit(&content) {
                    self.find("file.archive", path, String::new());
                }
                let is_document = is_document(path);
                for (name, bytes) in content.files() {
                    let inner = format!("{path}!/{name}");
                    if is_document && is_page(name) {
                        let origin = Origin { file: inner.clone(), place: Some((0, 0)), ..Origin::default() };
                        self.text(&origin, words_of_page(&String::from_utf8_lossy(bytes)), Kind::Prose);
                    }
                    self.nested(&inner, bytes.to_vec(), nesting + 1);
                }
            }
            Err(error) => {
                if let Some(unfolded) = decode::unfold(bytes) {
                    let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".gz");
                    self.nested(&format!("{path}!/{name}"), unfolded, nesting + 1);
                    return;
                }
                self.skip(path, &format!("the archive cannot be opened: {error}"));
                if is_locked(bytes) {
                    self.find("file.locked-archive", path, String::new());
                }
            }
        }
    }

    /// A picture, sound, film or font: parsed to its end; whatever follows is examined for itself.
    pub(crate) fn media(&mut self, path: &str, bytes: &[u8], nesting: usize) {
        match media::end(bytes) {
            End::Whole => self.strings(path, bytes),
            End::At(end) => {
                let (picture, tail) = bytes.split_at(end);
                self.strings(path, picture);
                self.tail(path, tail, nesting);
            }
            End::Broken => {
                self.strings(path, bytes);
                self.skip(path, "the media file breaks off or does not follow its format");
            }
        }
    }

    /// Bytes behind the end of a file's format.
    pub(crate) fn tail(&mut self, path: &str, tail: &[u8], nesting: usize) {
        let meaning = tail.iter().filter(|byte| !matches!(byte, 0 | b'\n' | b'\r' | b' ')).count();
        if meaning < 8 {
            return;
        }
        self.find("file.tail", path, format!("{} bytes lie behind the end of the file's format", tail.len()));
        if nesting >= self.scanner.limits.nesting {
            self.skip(path, "files lie deeper in one another than a scan opens");
        } else {
            self.nested(&format!("{path}!/tail"), tail.to_vec(), nesting + 1);
        }
    }

    /// The printable texts of bytes that are no text.
    pub(crate) fn strings(&mut self, path: &str, bytes: &[u8]) {
        let text = media::strings_in(bytes, STRINGS);
        if !text.is_empty() {
            let origin = Origin { file: path.to_owned(), place: Some((0, 0)), ..Origin::default() };
            self.text(&origin, text, Kind::Text);
        }
    }

    /// Bytes that nothing here understands: their texts are read, and they count as not examined.
    pub(crate) fn unknown(&mut self, path: &str, bytes: &[u8]) {
        self.strings(path, bytes);
        self.skip(path, "its format is not known; only the texts in it were read");
    }

    /// A Jupyter notebook: each cell for what it is, outputs as text.
    pub(crate) fn notebook(&mut self, path: &str, bytes: &[u8]) {
        let parsed: Option<Value> = serde_json::from_slice(bytes).ok();
        let cells = parsed.as_ref().and_then(|notebook| notebook.get("cells")).and_then(Value::as_array);
        let Some(cells) = cells else {
            let text = String::from_utf8_lossy(bytes).into_owned();
            self.text(&Origin { file: path.to_owned(), ..Origin::default() }, text, Kind::Config);
            return;
        };
        for (number, cell) in (1..).zip(cells) {
            let origin = Origin { file: format!("{path}!/cell-{number}"), ..Origin::default() };
            let source = joined(cell.get("source"));
            let kind = match cell.get("cell_type").and_then(Value::as_str) {
                Some("code") => Kind::Script(Language::Python),
                _ => Kind::Prose,
            };
            if kind == Kind::Prose {
                self.text(&origin, source, kind);
            } else {
                let (commands, program) = split_commands(&source);
                self.text(&origin, commands, Kind::Script(Language::Shell));
                self.text(&origin, program, kind);
            }
            let outputs = cell.get("outputs").and_then(Value::as_array);
            for output in outputs.into_iter().flatten() {
                let mut text = joined(output.get("text"));
                for (kind, data) in output.get("data").and_then(Value::as_object).into_iter().flatten() {
                    if kind.starts_with("text/") {
                        text.push_str(&joined(Some(data)));
                    }
                }
                self.text(&Origin { file: format!("{path}!/output-{number}"), ..Origin::default() }, text, Kind::Text);
            }
        }
    }
}

/// Whether an archive is a skill of its own, not a file beside one.
fn is_unit(content: &Content) -> bool {
    content.skill_file().is_some()
}

/// Whether the first entry of a ZIP is encrypted.
fn is_locked(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") && bytes.get(6).is_some_and(|flags| flags & 1 == 1)
}

/// A text that is written as one string or as a list of lines.
fn joined(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

/// The lines of a cell that are for a shell, and the others; each keeps its line.
fn split_commands(source: &str) -> (String, String) {
    let mut commands = String::new();
    let mut program = String::new();
    let all = source.starts_with("%%bash") || source.starts_with("%%sh") || source.starts_with("%%script");
    for line in source.split_inclusive('\n') {
        let command = line.trim_start().strip_prefix('!');
        if all && !line.starts_with("%%") {
            commands.push_str(line);
        } else if let Some(command) = command {
            commands.push_str(command);
            program.push_str("pass\n");
        } else {
            commands.push('\n');
            program.push_str(if line.trim_start().starts_with('%') { "pass\n" } else { line });
        }
    }
    (commands, program)
}

/// Whether an archive is a document of an office program or a book.
fn is_document(path: &str) -> bool {
    let extension = path.rsplit('.').next().unwrap_or("").to_ascii_lowercase();
    ["docx", "docm", "dotx", "xlsx", "xlsm", "pptx", "pptm", "odt", "ods", "odp", "epub"].contains(&extension.as_str())
}

fn is_page(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [".xml", ".xhtml", ".html", ".htm"].iter().any(|end| lower.ends_with(end))
}

/// What a reader sees of a page: its text, a line for each paragraph, without marks.
fn words_of_page(page: &str) -> String {
    let mut words = String::new();
    for piece in page.split('<') {
        let (mark, text) = piece.split_once('>').unwrap_or(("", piece));
        let name = mark.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap_or("");
        let name = name.rsplit(':').next().unwrap_or(name);
        if matches!(name, "p" | "br" | "tr" | "si" | "row" | "h" | "div" | "li" | "h1" | "h2" | "h3") {
            words.push('\n');
        }
        words.push_str(text);
    }
    words.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}
