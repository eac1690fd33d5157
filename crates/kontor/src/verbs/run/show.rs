//! What people see of a run.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use kontor_runs::{Finished, Need, Observation, Stream, Watch};
use serde_json::json;

use super::Args;
use crate::session::Session;
use crate::terminal::{plain, plain_lines, write_data};

/// Shows what a program says while it says it. On a terminal nothing of it can steer the terminal.
pub struct Live {
    shown: bool,
    /// An answer that has a schema is shown when it is known to fit.
    holds_back: bool,
    out: Mutex<Shown>,
    err: Mutex<Shown>,
}

/// One stream on its way to people.
struct Shown {
    person: bool,
    /// The beginning of a character whose rest has not come yet.
    held: Vec<u8>,
}

impl Live {
    /// Nothing is shown where data is wanted as JSON: it comes at the end.
    pub fn new(session: &Session, holds_back: bool) -> Self {
        let shown = |person| Mutex::new(Shown { person, held: Vec::new() });
        Self {
            shown: !session.terminal.json,
            holds_back,
            out: shown(std::io::stdout().is_terminal()),
            err: shown(std::io::stderr().is_terminal()),
        }
    }
}

impl Watch for Live {
    fn said(&self, stream: Stream, bytes: &[u8]) {
        if self.shown && !(self.holds_back && stream == Stream::Stdout) {
            self.show(stream, bytes);
        }
    }
}

impl Live {
    /// Shows an answer that was held back and fits.
    pub fn answered(&self, finished: &Finished) {
        if self.shown && self.holds_back && finished.answer.is_some() {
            self.show(Stream::Stdout, &finished.stdout.bytes);
        }
    }

    fn show(&self, stream: Stream, bytes: &[u8]) {
        match stream {
            Stream::Stdout => write_data(&self.out.lock().unwrap_or_else(PoisonError::into_inner).ready(bytes)),
            Stream::Stderr => {
                let bytes = self.err.lock().unwrap_or_else(PoisonError::into_inner).ready(bytes);
                // Nobody is left to be told.
                let _ = std::io::stderr().lock().write_all(&bytes);
            }
        }
    }
}

impl Shown {
    fn ready(&mut self, bytes: &[u8]) -> Vec<u8> {
        if !self.person {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.held) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.held.len(),
        };
        let rest = self.held.split_off(whole);
        let text = plain_lines(&String::from_utf8_lossy(&self.held));
        self.held = rest;
        text.into_bytes()
    }
}

/// Says how it ended.
pub fn finished(finished: &Finished, args: &Args, session: &Session) {
    let terminal = &session.terminal;
    let receipt = &finished.receipt;
    if terminal.json {
        let path = super::Places::own()
            .and_then(|places| places.runs())
            .map(|runs| runs.path().join(format!("{}.receipt.json", receipt.run)));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let stdout = finished.answer.is_none().then(|| text(&finished.stdout.bytes));
        terminal.json(&json!({
            "run": receipt.run,
            "skill": receipt.skill,
            "entry": receipt.entry.name,
            "exit": receipt.exit,
            "answer": finished.answer,
            "problems": finished.problems,
            "stdout": stdout,
            "stderr": text(&finished.stderr.bytes),
            "outputs": receipt.outputs.iter().map(|one| json!({"name": one.name, "size": one.size})).collect::<Vec<_>>(),
            "left_behind": receipt.left_behind,
            "connections": receipt.connections,
            "alarms": receipt.alarms,
            "receipt": path.unwrap_or_else(|_| PathBuf::new()),
        }));
        return;
    }
    for alarm in &receipt.alarms {
        terminal.warn(&format!(
            "the secret {} was in {} ({}) and was taken out; the receipt says so",
            alarm.secret,
            plain(&alarm.place),
            alarm.form
        ));
    }
    for left in receipt.left_behind.iter().take(10) {
        terminal.warn(&format!("not kept: {}: {}", plain(&left.name), plain(&left.reason)));
    }
    for connection in receipt.connections.iter().filter(|connection| connection.decision != "granted").take(10) {
        let place = format!("{}:{}", plain(&connection.host), connection.port);
        terminal.warn(&format!("it tried to reach {place}: {}", plain(&connection.decision)));
    }
    if !finished.problems.is_empty() {
        terminal.warn(&format!("its answer does not fit the schema: {}", plain(&finished.problems.join("; "))));
    }
    if receipt.exit.outcome != "done" {
        failed(finished, terminal);
    }
    let files = receipt.outputs.iter().filter(|one| one.name != "stdout" && one.name != "stderr").count();
    if let (Some(out), 1..) = (&args.out, files) {
        let counted = crate::amounts::count(files as u64, "file");
        terminal.note(&format!("{counted} in {}", plain(&out.display().to_string())));
    }
    terminal.note(&format!("receipt {}; `kontor explain {}` tells what happened", receipt.run, receipt.run));
}

fn failed(finished: &Finished, terminal: &crate::terminal::Terminal) {
    let exit = &finished.receipt.exit;
    let how = match (exit.outcome.as_str(), exit.code, exit.signal) {
        ("time_limit", ..) => "its time was over; --wall gives it more".to_owned(),
        ("disk_limit", ..) => "it wrote more than it may; --disk lets it write more".to_owned(),
        ("memory_limit", ..) => "it wanted more memory than it may have; --memory gives it more".to_owned(),
        ("output_refused", ..) => return,
        ("lost", ..) => {
            "the process that held it was lost, so how it ended is not known; nothing of it is left".to_owned()
        }
        ("cancelled", ..) => "it was cancelled while its program ran".to_owned(),
        (_, Some(code), _) => format!("it ended with code {code}"),
        (_, _, Some(signal)) => format!("signal {signal} ended it"),
        (other, ..) => other.to_owned(),
    };
    terminal.warn(&how);
    for need in Observation::of(&finished.stdout.bytes, &finished.stderr.bytes).needs.into_iter().take(5) {
        let hint = match need {
            Need::Module(name) => format!("the module `{name}` is missing, and nobody names a package for it"),
            Need::Network(Some(host)) => format!("it wanted to reach {host}; --allow-net {host}:443 grants that"),
            Need::Network(None) => "it wanted to reach the network; --allow-net HOST:PORT grants that".to_owned(),
            Need::Variable(name) => format!("it wanted the variable {name}; --secret {name} grants it"),
            Need::Program(name) => format!("it wanted the program `{name}`, which is not in the sandbox"),
        };
        terminal.note(&format!("  {}", plain(&hint)));
    }
}
