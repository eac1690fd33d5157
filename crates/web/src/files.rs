//! A file of a version as numbered lines, so that a finding can point to one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use kontor_access::Caller;
use kontor_front::extract::Path;
use kontor_front::foreign::is_unsafe;
use kontor_front::{Asker, Failure, Hub};
use kontor_registry::{Found, VersionState};
use kontor_types::Code;
use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::words::size;
use crate::{Language, Reader, highlight, layout, open};

/// The most bytes of a file that are shown.
const MOST: u64 = 256 << 10;
/// The most lines that are shown.
const MOST_LINES: usize = 6_000;
/// The most characters of a line that are shown.
const WIDEST: usize = 4_000;
/// What stands in a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Where a file is shown, below the page of its version.
pub fn address(place: &str, path: &str) -> String {
    format!("{place}/files/{}", utf8_percent_encode(path, PLAIN))
}

/// `GET /@{publisher}/{skill}/files/{path}`
pub async fn show(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    reader: Reader,
    Path((publisher, skill, path)): Path<(String, String, String)>,
) -> Result<Response, Failure> {
    let found = open::found(&hub, &caller, &publisher, &skill).await?;
    let language = reader.language;
    let place = open::place(&found);
    let title = format!("{path} · {}", found.reference());
    if let Some(refused) = refused(&hub, &caller, &found).await? {
        let body = html! {
            (trail(&place, &found, &path))
            h1 { (path) }
            p.note { (language.pick("The rules of this hub do not let you read the files of this version.", "本技能中心的规则不允许您阅读此版本的文件。")) }
            p.faint lang="en" { (refused) }
        };
        return Ok((StatusCode::FORBIDDEN, layout::page(&reader, &title, "", &body)).into_response());
    }
    let file = hub.app.registry.file(caller.viewer(), &found, &path).await.map_err(open::hidden)?;
    let bytes = hub.app.registry.file_bytes(&found, &file, Some(0..file.size.min(MOST))).await?;
    let body = html! {
        (trail(&place, &found, &path))
        h1 { (path) }
        p.faint { (size(file.size)) }
        @match as_text(&bytes, file.size > MOST) {
            Some(text) => (lines(language, &path, text, file.size > MOST)),
            None => div.empty { p { (language.pick("This file is no text. Install the version to look at it.", "此文件不是文本。如需查看，请安装此版本。")) } },
        }
    };
    Ok(layout::page(&reader, &title, "", &body))
}

/// Why the caller may not have the bytes of an admitted version; one that was not admitted is found by its maintainers only.
pub async fn refused(hub: &Hub, caller: &Caller, found: &Found) -> Result<Option<String>, Failure> {
    if found.version.state != VersionState::Visible {
        return Ok(None);
    }
    match hub.app.registry.may_install(caller, found).await {
        Ok(_) => Ok(None),
        Err(error) => {
            let failure = Failure::from(error);
            match failure.code() {
                Code::Forbidden | Code::PolicyForbids => Ok(Some(failure.problem().detail.clone())),
                _ => Err(failure),
            }
        }
    }
}

fn trail(place: &str, found: &Found, path: &str) -> Markup {
    html! { p.trail { a href=(place) { "@" (found.skill.publisher) "/" (found.skill.slug) " " (found.version.number) } " / " (path) } }
}

/// The bytes as text, without a character that was cut in two at the end.
fn as_text(bytes: &[u8], is_cut: bool) -> Option<&str> {
    if bytes.contains(&0) {
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if is_cut && error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()
        }
        Err(_) => None,
    }
}

fn lines(language: Language, path: &str, text: &str, is_cut: bool) -> Markup {
    let goes_on = is_cut || text.lines().nth(MOST_LINES).is_some();
    let marks = highlight::Language::of_file(path).map(|of_file| highlight::tokens(of_file, text, highlight::MOST));
    let marks = marks.unwrap_or_default();
    let mut at = 0;
    html! {
        pre.lines tabindex="0" {
            @for (number, line) in (1..).zip(text.split_inclusive('\n').take(MOST_LINES)) {
                span.line id={ "L" (number) } {
                    a href={ "#L" (number) } tabindex="-1" aria-label=(language.line(number)) { (number) }
                    code { (coloured(text, at, line, &marks)) }
                    "\n"
                }
                @let () = at += line.len();
            }
        }
        @if goes_on { p.note { (language.pick("The file goes on. Install the version to read all of it.", "文件未完。如需阅读全文，请安装此版本。")) } }
    }
}

/// The line that begins at `at`, in the colours of its language.
fn coloured(text: &str, at: usize, line: &str, marks: &[highlight::Token]) -> Markup {
    let line = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
    let cut = head(line);
    let near = marks.partition_point(|mark| mark.at.end <= at);
    html! {
        @for (kind, part) in highlight::parts(text, at..at + cut.len(), marks.get(near..).unwrap_or_default()) {
            @match kind {
                Some(kind) => span class=(kind.class()) { (written_out(part)) },
                None => (written_out(part)),
            }
        }
        @if cut.len() < line.len() { "…" }
    }
}

/// As much of a line as is shown.
fn head(line: &str) -> &str {
    line.char_indices().nth(WIDEST).and_then(|(end, _)| line.get(..end)).unwrap_or(line)
}

/// A line in which characters that hide or turn text are written out.
pub fn visible(line: &str) -> Markup {
    let shown = head(line);
    html! {
        (written_out(shown))
        @if line.len() > shown.len() { "…" }
    }
}

fn written_out(text: &str) -> Markup {
    let is_odd = |char: char| char != '\t' && is_unsafe(char);
    html! {
        @for part in text.split_inclusive(is_odd) {
            @match part.chars().next_back().filter(|char| is_odd(*char)) {
                Some(odd) => { (part.trim_end_matches(odd)) mark { (format!("U+{:04X}", u32::from(odd))) } },
                None => (part),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_an_address_of_its_own() {
        assert_eq!(address("/@acme/pdf", "a b/ü#?.md"), "/@acme/pdf/files/a%20b/%C3%BC%23%3F.md");
    }

    #[test]
    fn what_hides_text_is_written_out() {
        let shown = visible("a\u{202e}b\u{200b}<i>\tc").into_string();
        assert_eq!(shown, "a<mark>U+202E</mark>b<mark>U+200B</mark>&lt;i&gt;\tc");
    }

    #[test]
    fn bytes_are_text_or_nothing() {
        assert_eq!(as_text("héé".as_bytes(), false), Some("héé"));
        assert_eq!(as_text(&"héé".as_bytes()[..4], true), Some("hé"));
        assert_eq!(as_text(&"héé".as_bytes()[..4], false), None);
        assert_eq!(as_text(b"a\0b", false), None);
    }
}
