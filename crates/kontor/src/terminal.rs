//! What people see: data on standard output, everything else on standard error.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, ErrorKind, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kontor_front::foreign::is_unsafe;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

/// How and where to write.
#[derive(Debug, Clone)]
pub struct Terminal {
    /// Machine-readable output is wanted.
    pub json: bool,
    quiet: bool,
    out: Stream,
    err: Stream,
}

/// A failure as programs read it.
#[derive(Debug, Clone, Serialize)]
pub struct Failure<'f> {
    /// What failed, in a word that stays.
    pub code: &'f str,
    /// What failed and why, for people.
    pub message: &'f str,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'f str>,
    /// What is wrong with a package.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub findings: &'f [kontor_wire::Finding],
    /// The request's name in the hub's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'f str>,
}

/// One of the two streams.
#[derive(Debug, Clone)]
struct Stream {
    target: Target,
    person: bool,
    colour: bool,
}

#[derive(Debug, Clone, Copy)]
enum Target {
    Out,
    Err,
}

impl Stream {
    /// Writes one text and a line end.
    fn line(&self, text: &str) {
        let text = format!("{text}\n");
        match self.target {
            Target::Out => write_data(text.as_bytes()),
            // Nobody is left to be told.
            Target::Err => drop(put(&mut io::stderr().lock(), &text)),
        }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour { format!("\x1b[{}m{text}\x1b[0m", style.code()) } else { text.to_owned() }
    }
}

fn put(out: &mut impl io::Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// The first failure to write standard output.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Writes bytes to standard output, as every verb does; what fails is told at the end, by [`lost_data`].
pub fn write_data(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    note_lost(out.write_all(bytes).and_then(|()| out.flush()));
}

/// Remembers that data could not be written. A reader that went away (`| head`) wanted no more: that is no failure.
pub fn note_lost(outcome: io::Result<()>) {
    if let Err(error) = outcome
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error);
    }
}

/// Why standard output does not hold all that was written to it, if something is missing.
pub fn lost_data() -> Option<&'static io::Error> {
    LOST.get()
}

/// How a piece of text is set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Titles and names.
    Bold,
    /// What matters less.
    Dim,
    /// Success.
    Green,
    /// Needs attention.
    Yellow,
    /// Failure.
    Red,
    /// Places: files, addresses, commands.
    Cyan,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Red => "31",
            Self::Cyan => "36",
        }
    }
}

impl Terminal {
    /// Looks at the two streams and at `NO_COLOR`.
    pub fn detect(json: bool, quiet: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|value| value != "dumb");
        let stream = |target, person| Stream { target, person, colour: person && wanted };
        let out = stream(Target::Out, io::stdout().is_terminal());
        let err = stream(Target::Err, io::stderr().is_terminal());
        Self { json, quiet, out, err }
    }

    /// Whether a person reads standard output, so that a secret may be shown there.
    pub fn is_person(&self) -> bool {
        self.out.person
    }

    /// Whether somebody can be asked.
    pub fn can_ask(&self) -> bool {
        self.err.person && io::stdin().is_terminal()
    }

    /// How many columns a person sees on standard output; nothing when no person reads it.
    pub fn columns(&self) -> Option<usize> {
        let told = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
        let seen = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        self.out.person.then(|| told().or_else(seen).unwrap_or(80))
    }

    /// Sets text off on standard output, where there are colours.
    pub fn paint(&self, style: Style, text: &str) -> String {
        self.out.paint(style, text)
    }

    /// Sets text off on standard error, where there are colours.
    pub fn paint_note(&self, style: Style, text: &str) -> String {
        self.err.paint(style, text)
    }

    /// Writes data: one text, ended by a line end.
    ///
    /// Control characters must already be neutralised by [`plain`]; the colours of [`Self::paint`] would not survive it.
    pub fn data(&self, text: &str) {
        self.out.line(text);
    }

    /// Writes data as JSON.
    pub fn json(&self, value: &impl Serialize) {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        self.out.line(&escape_json(&text));
    }

    /// Tells what happens, on standard error, unless `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.err.line(text);
        }
    }

    /// Tells what somebody must know to go on, on standard error, even with `--quiet`.
    pub fn tell(&self, text: &str) {
        self.err.line(text);
    }

    /// Warns on standard error.
    pub fn warn(&self, text: &str) {
        let word = self.paint_note(Style::Yellow, "warning:");
        self.err.line(&format!("{word} {text}"));
    }

    /// Tells of a failure and what to do next, on standard error; with `--json` as one object in one line.
    pub fn error(&self, code: &str, text: &str, hint: Option<&str>) {
        if self.json {
            return self.failure(&Failure { code, message: text, hint, findings: &[], request_id: None });
        }
        self.err.line(&format!("{} {}", self.paint_note(Style::Red, "error:"), plain_lines(text)));
        if let Some(hint) = hint {
            self.err.line(&format!("{} {}", self.paint_note(Style::Cyan, "hint:"), plain_lines(hint)));
        }
    }

    /// Tells of a failure as one object in one line, on standard error.
    pub fn failure(&self, failure: &Failure<'_>) {
        let text = serde_json::to_string(&serde_json::json!({ "error": failure })).unwrap_or_default();
        self.err.line(&escape_json(&text));
    }

    /// Asks yes or no on the terminal; `None` when nobody is there to answer.
    pub fn ask(&self, question: &str) -> Option<bool> {
        if !self.can_ask() {
            return None;
        }
        put(&mut io::stderr().lock(), &format!("{} [y/N] ", plain_lines(question))).ok()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "j" | "ja" | "是"))
    }

    /// Asks on the terminal for one of several answers; `None` when nobody is there to answer.
    pub fn answer(&self, question: &str) -> Option<String> {
        self.can_ask().then(|| self.prompt(question).unwrap_or_default())
    }

    /// Asks for a line of text on the terminal; `None` when nobody is there to answer, or nothing was answered.
    pub fn prompt(&self, question: &str) -> Option<String> {
        if !self.can_ask() {
            return None;
        }
        put(&mut io::stderr().lock(), &format!("{} ", plain_lines(question))).ok()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty())
    }

    /// A bar for `total` steps of long work; hidden unless standard error is a terminal.
    pub fn bar(&self, total: u64, what: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(total), self.target());
        let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}  {elapsed}, {eta} to go");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
        bar.set_message(what.to_owned());
        bar
    }

    /// A sign of life for work of unknown length; hidden unless standard error is a terminal.
    pub fn spinner(&self, what: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, self.target());
        let style = ProgressStyle::with_template("{spinner} {msg}  {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(what.to_owned());
        if self.is_live() {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        bar
    }

    fn is_live(&self) -> bool {
        self.err.person && !self.quiet
    }

    fn target(&self) -> ProgressDrawTarget {
        if self.is_live() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
    }
}

/// Foreign text for one line: control characters and invisible marks become visible escapes.
pub fn plain(text: &str) -> String {
    escape(text, |_| false)
}

/// Foreign text that may have several lines.
pub fn plain_lines(text: &str) -> String {
    escape(text, |char| char == '\n' || char == '\t')
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        if is_unsafe(char) && !keep(char) {
            let _ = write!(safe, "\\u{{{:x}}}", char as u32);
        } else {
            safe.push(char);
        }
    }
    safe
}

/// In JSON such characters stand only within strings, where an escape means the same.
fn escape_json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        if is_unsafe(char) && char != '\n' {
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(char);
        }
    }
    safe
}

/// Text cut to `width` columns of a terminal.
pub fn clip(text: &str, width: usize) -> String {
    let text = plain(text);
    if text.width() <= width {
        return text;
    }
    let mut cut = String::new();
    for char in text.chars() {
        if format!("{cut}{char}").width() >= width {
            break;
        }
        cut.push(char);
    }
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::{clip, escape_json, plain, plain_lines};

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb\r\nc"), "a\\u{1b}[2Jb\\u{d}\\u{a}c");
        assert_eq!(plain_lines("a\n\u{9b}31m"), "a\n\\u{9b}31m");
        assert_eq!(plain("\u{202e}evil"), "\\u{202e}evil");
        assert_eq!(plain("技能 ü"), "技能 ü");
    }

    #[test]
    fn escaped_json_means_the_same() -> Result<(), serde_json::Error> {
        let value = serde_json::json!({"a": "x\u{9b}\u{202e}\u{e0041}\n"});
        let text = escape_json(&serde_json::to_string(&value)?);
        assert!(text.is_ascii());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text)?, value);
        Ok(())
    }

    #[test]
    fn wide_characters_count_double_when_text_is_cut() {
        assert_eq!(clip("会议纪要生成", 7), "会议纪…");
        assert_eq!(clip("short", 7), "short");
    }
}
