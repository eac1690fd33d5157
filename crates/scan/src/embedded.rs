//! Texts of one kind inside files of another: commands in recipes of builds and settings, words for agents in comments of programs.

use serde_json::Value;

use crate::examine::{Examination, Origin};
use crate::kind::{Kind, Language};

/// The largest file that is looked through.
const LARGEST: usize = 512 << 10;
/// How many texts of one file are read.
const MOST: usize = 200;

/// A text inside another.
#[derive(Debug)]
struct Inner {
    line: u32,
    text: String,
    kind: Kind,
    how: &'static str,
}

impl Examination<'_> {
    /// Reads what a file of one kind holds of another.
    pub(crate) fn inner_texts(&mut self, origin: &Origin, text: &str, kind: Kind) {
        if text.len() > LARGEST || !origin.decoded.is_empty() {
            return;
        }
        for inner in inner(&origin.file, text, kind).into_iter().take(MOST) {
            let line = inner.line.saturating_add(origin.lines_before);
            let mut place = Origin { place: Some((line, 1)), ..origin.clone() };
            place.decoded.push(inner.how.to_owned());
            self.text(&place, inner.text, inner.kind);
        }
    }
}

fn inner(path: &str, text: &str, kind: Kind) -> Vec<Inner> {
    let name = path.rsplit(['/', '!']).next().unwrap_or(path).to_ascii_lowercase();
    match kind {
        Kind::Script(language) => {
            let mut found = comments(text, language);
            if ends_in(&name, "go") {
                found.extend(generators(text));
            }
            found
        }
        _ if matches!(name.as_str(), "makefile" | "gnumakefile" | "justfile") || ends_in(&name, "mk") => recipes(text),
        _ if name == "package.json" => package_scripts(text),
        _ if name.starts_with("dockerfile") || name == "containerfile" => images(text),
        _ => Vec::new(),
    }
}

fn ends_in(name: &str, extension: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, found)| found == extension)
}

fn shell(line: usize, text: String, how: &'static str) -> Inner {
    Inner { line: u32::try_from(line).unwrap_or(u32::MAX), text, kind: Kind::Script(Language::Shell), how }
}

/// The commands of a makefile's rules, each rule as one script.
fn recipes(text: &str) -> Vec<Inner> {
    let mut found: Vec<Inner> = Vec::new();
    let mut open = false;
    for (number, line) in (1..).zip(text.lines()) {
        let set_in = line.starts_with(['\t', ' ']);
        if !set_in {
            open &= line.trim().is_empty();
            continue;
        }
        let command = line.trim_start().trim_start_matches(['@', '-', '+']).replace("$$", "$");
        match found.last_mut().filter(|_| open) {
            Some(last) => {
                last.text.push('\n');
                last.text.push_str(&command);
            }
            None => found.push(shell(number, command, "recipe")),
        }
        open = true;
    }
    found
}

/// The scripts of a package.
fn package_scripts(text: &str) -> Vec<Inner> {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let Some(scripts) = value.get("scripts").and_then(Value::as_object) else { return Vec::new() };
    scripts
        .iter()
        .filter_map(|(name, command)| {
            let at = text.find(&format!("\"{name}\"")).unwrap_or(0);
            let line = text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
            Some(shell(line, command.as_str()?.to_owned(), "package script"))
        })
        .collect()
}

/// The commands that build an image.
fn images(text: &str) -> Vec<Inner> {
    let mut found: Vec<Inner> = Vec::new();
    let mut goes_on = false;
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim_start();
        let command = if goes_on { Some(trimmed) } else { trimmed.strip_prefix("RUN ") };
        let Some(command) = command else { continue };
        let body = command.trim_end_matches('\\');
        match found.last_mut().filter(|_| goes_on) {
            Some(last) => last.text.push_str(body),
            None => found.push(shell(number, body.to_owned(), "build step")),
        }
        goes_on = command.ends_with('\\');
    }
    found
}

/// The commands that Go runs to make code.
fn generators(text: &str) -> Vec<Inner> {
    let lines = (1..).zip(text.lines());
    lines
        .filter_map(|(number, line)| {
            line.trim().strip_prefix("//go:generate ").map(|command| shell(number, command.to_owned(), "generator"))
        })
        .collect()
}

/// Comments that speak to an agent, as prose.
fn comments(text: &str, language: Language) -> Vec<Inner> {
    let marks: &[&str] = match language {
        Language::Python | Language::Shell | Language::PowerShell => &["#"],
        Language::JavaScript | Language::TypeScript => &["//", "*", "/*"],
        Language::Other => &["//", "#", "--", "*", "/*", "%", ";"],
    };
    let mut found = Vec::new();
    let mut block: Option<(usize, String)> = None;
    let mut quoted = false;
    for (number, line) in (1_usize..).zip(text.lines()) {
        let trimmed = line.trim();
        let turns = language == Language::Python && (trimmed.matches("\"\"\"").count() % 2 == 1);
        let said = if quoted || turns {
            Some(trimmed.trim_matches('"'))
        } else {
            marks
                .iter()
                .find_map(|mark| trimmed.strip_prefix(mark))
                .map(|rest| rest.trim_start_matches(['/', '#', '*', '!', '-']))
        };
        quoted ^= turns;
        match (said, &mut block) {
            (Some(said), Some((_, all))) => {
                all.push(' ');
                all.push_str(said.trim());
            }
            (Some(said), none) => *none = Some((number, said.trim().to_owned())),
            (None, _) => finish(block.take(), &mut found),
        }
    }
    finish(block.take(), &mut found);
    found
}

fn finish(block: Option<(usize, String)>, found: &mut Vec<Inner>) {
    let Some((number, text)) = block else { return };
    if speaks_to_agent(&text) {
        let line = u32::try_from(number).unwrap_or(u32::MAX);
        found.push(Inner { line, text, kind: Kind::Prose, how: "comment" });
    }
}

/// Whether a comment names an agent or its user.
fn speaks_to_agent(text: &str) -> bool {
    const NAMES: &[&str] = &[
        "assistant",
        "agent",
        " ai ",
        "AI:",
        "AI,",
        "LLM",
        "llm",
        "Claude",
        "claude",
        "the user",
        "助手",
        "用户",
        "模型",
        "ignore all",
        "SYSTEM",
        "instruction",
    ];
    text.len() > 30 && NAMES.iter().any(|name| text.contains(name))
}
