//! Exit codes, the same for every verb.

use std::process::ExitCode;

use kontor_client::ErrorKind;

/// How a verb ended; the number is what the shell sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The answer is no, or something failed that no other code names.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The hub did not answer.
    Unreachable = 3,
    /// Not signed in, or not allowed.
    Denied = 4,
    /// Nothing of that name.
    NotFound = 5,
    /// Understood, but refused: a package, a conflict, local changes, a lock file that does not fit.
    Refused = 6,
    /// Something installed needs attention.
    Attention = 7,
    /// The program of a skill ran and failed.
    ProgramFailed = 8,
}

impl Exit {
    /// Every code with its meaning, for the reference.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (
            Self::Done,
            "done; also a `publish` that is held for review, and an import that ran, whatever it refused, unless `--fail-on-refused` is given",
        ),
        (
            Self::Failed,
            "the answer is no (`check`, `scan` from medium on, `outdated --exit-code`), or something failed that no other code names",
        ),
        (Self::Usage, "the command line or the configuration is wrong; `scan`: something could not be scanned"),
        (Self::Unreachable, "the hub did not answer"),
        (Self::Denied, "not signed in, or not allowed"),
        (Self::NotFound, "nothing of that name"),
        (
            Self::Refused,
            "understood but refused: a package, a policy, a conflict, local changes, a lock file that does not fit, a hub that is not believed; `publish`: taken in, and put in quarantine or rejected",
        ),
        (Self::Attention, "`installed check`: a copy was changed, withdrawn or blocked, or is not known to its hub"),
        (
            Self::ProgramFailed,
            "`run`: the skill's program failed, met a limit, or gave an answer that does not fit; its own code is in the receipt",
        ),
    ];

    /// What an error means to the shell.
    pub fn of(error: &anyhow::Error) -> Self {
        if error.chain().any(<dyn std::error::Error>::is::<UsageError>) {
            return Self::Usage;
        }
        if let Some(run) = error.chain().find_map(|cause| cause.downcast_ref::<kontor_runs::Error>()) {
            return match run {
                kontor_runs::Error::NoScript { .. } | kontor_runs::Error::NoTool { .. } => Self::NotFound,
                kontor_runs::Error::File { .. } => Self::Failed,
                _ => Self::Refused,
            };
        }
        let client = error.chain().find_map(|cause| cause.downcast_ref::<kontor_client::Error>());
        client.map_or(Self::Failed, |cause| match cause.kind() {
            ErrorKind::Unreachable => Self::Unreachable,
            ErrorKind::Denied => Self::Denied,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Refused => Self::Refused,
            ErrorKind::Usage => Self::Usage,
            ErrorKind::Other => Self::Failed,
        })
    }
}

/// What an error means to a program, in a word that stays: the hub's code, or a word of this program.
pub fn word(error: &anyhow::Error) -> &'static str {
    if error.chain().any(<dyn std::error::Error>::is::<UsageError>) {
        return "usage";
    }
    if let Some(run) = error.chain().find_map(|cause| cause.downcast_ref::<kontor_runs::Error>()) {
        return run.code();
    }
    let client = error.chain().find_map(|cause| cause.downcast_ref::<kontor_client::Error>());
    client.map_or("failed", kontor_client::Error::word)
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What to do next, as the context of a failure; it is printed after the failure and its causes.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Hint(pub String);

/// The command line or the configuration is wrong; what to do is in the text.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);
