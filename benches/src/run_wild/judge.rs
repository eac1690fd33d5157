//! What a script's ending says.

use kontor_runs::{Need, Observation};
use kontor_sandbox::{Ended, Outcome, Stopped};

/// What became of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It started, and said how it is used or did its work.
    Answers,
    /// It needs the network.
    Network,
    /// It needs a password, a key or another setting of its user.
    Credentials,
    /// It needs a program that is not on this machine, or not in the sandbox.
    Program,
    /// A package that it needs could not be brought, or nobody names it.
    Packages,
    /// It wants input or files of a project that are not there, and says so without telling how it is used.
    Input,
    /// It did not end in time.
    Time,
    /// It failed by itself.
    Broken,
    /// The sandbox could not be made.
    Sandbox,
}

impl Class {
    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Network => "needs network",
            Self::Credentials => "needs credentials",
            Self::Program => "needs a program",
            Self::Packages => "packages",
            Self::Input => "wants input",
            Self::Time => "no end",
            Self::Broken => "fails by itself",
            Self::Sandbox => "no sandbox",
        }
    }

    /// Whether a run without grants should work: no network, no credentials, no foreign program.
    pub const fn is_eligible(self) -> bool {
        !matches!(self, Self::Network | Self::Credentials | Self::Program)
    }
}

/// What became of a script, and the line that says so.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The class.
    pub class: Class,
    /// Why.
    pub detail: String,
}

impl Judged {
    /// A class with its reason.
    pub fn new(class: Class, detail: impl Into<String>) -> Self {
        let detail: String = detail.into();
        Self { class, detail: detail.chars().filter(|char| !char.is_control()).take(160).collect() }
    }
}

/// Judges an ending by what was observed, never by the script's name.
pub fn judge(outcome: &Outcome, stdout: &[u8], stderr: &[u8]) -> Judged {
    let seen = Observation::of(stdout, stderr);
    let last = last_line(stderr).or_else(|| last_line(stdout)).unwrap_or_default();
    if outcome.ended == Ended::Exit(0) && outcome.stopped.is_none() {
        return Judged::new(Class::Answers, "");
    }
    // A program that tells how it is used has answered, whatever its code.
    let traced = String::from_utf8_lossy(stderr).contains("Traceback (most recent call last)");
    if seen.usage && !traced {
        return Judged::new(Class::Answers, format!("code {}", outcome.code()));
    }
    let class = seen.needs.iter().map(|need| match need {
        Need::Module(_) => Class::Packages,
        Need::Network(_) => Class::Network,
        Need::Variable(_) => Class::Credentials,
        Need::Program(_) => Class::Program,
    });
    if let Some(class) = class.min() {
        return Judged::new(class, last);
    }
    if matches!(outcome.stopped, Some(Stopped::Wall | Stopped::Cpu)) {
        return Judged::new(Class::Time, last);
    }
    if traced || matches!(outcome.ended, Ended::Signal(_)) || outcome.stopped.is_some() {
        return Judged::new(Class::Broken, last);
    }
    Judged::new(Class::Input, last)
}

fn last_line(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}
