//! Systems that have no sandbox of ours: everything is there, and says so. On Linux it is compiled for the tests of this crate, so
//! that it goes on to fit.
#![cfg_attr(target_os = "linux", expect(dead_code, reason = "it is compiled here only to see that it fits"))]

use std::convert::Infallible;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use crate::{CollectLimits, Collected, Deed, Error, Finished, InForce, Job, Outcome};

/// Would start commands; says instead that there is no sandbox here.
#[derive(Debug, Clone)]
pub struct Sandbox;

impl Sandbox {
    /// Names a launcher, which is never started.
    pub fn new(_program: PathBuf, _arguments: Vec<String>) -> Self {
        Self
    }

    /// Says why nothing starts.
    #[expect(clippy::unused_self, reason = "it is needed where there are sandboxes")]
    pub fn spawn(&self, _job: &Job) -> Result<Running, Error> {
        Err(none())
    }

    /// Says why nothing starts that could be watched.
    pub fn spawn_watched(&self, job: &Job) -> Result<(Running, Witness), Error> {
        self.spawn(job).map(|running| match running.never {})
    }

    /// Says why no command can be held.
    #[expect(clippy::unused_async, reason = "it waits where there are sandboxes")]
    pub async fn report(&self) -> Result<InForce, Error> {
        Err(none())
    }
}

/// A command that runs: there is none here.
#[derive(Debug)]
pub struct Running {
    /// To its standard input.
    pub stdin: Option<ChildStdin>,
    /// From its standard output.
    pub stdout: Option<ChildStdout>,
    /// From its standard error.
    pub stderr: Option<ChildStderr>,
    never: Infallible,
}

impl Running {
    /// Waits until it ended.
    #[expect(clippy::unused_async, reason = "it waits where there are sandboxes")]
    pub async fn wait(&mut self) -> Result<Outcome, Error> {
        match self.never {}
    }

    /// The same, until `stop` is ready.
    #[expect(clippy::unused_async, reason = "it waits where there are sandboxes")]
    pub async fn wait_or(&mut self, _stop: impl Future<Output = ()>) -> Result<Outcome, Error> {
        match self.never {}
    }

    /// Ends it.
    #[expect(clippy::unused_async, reason = "it waits where there are sandboxes")]
    pub async fn cancel(&mut self) {
        match self.never {}
    }

    /// Gives it input and waits until it ended.
    #[expect(clippy::unused_async, reason = "it waits where there are sandboxes")]
    pub async fn finish(self, _input: &[u8], _most: usize) -> Result<Finished, Error> {
        match self.never {}
    }
}

/// Sees what a watched command does: there is none here.
#[derive(Debug)]
pub struct Witness {
    never: Infallible,
}

/// One call of one process: there is none here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The process.
    pub process: u32,
    /// What it is about.
    pub deed: Deed,
    never: Infallible,
}

impl Seen {
    /// The program that the process runs now.
    pub fn program(&self) -> Option<PathBuf> {
        match self.never {}
    }

    /// The device and the number of a file.
    pub fn identity(&self, _path: &Path) -> Option<(u64, u64)> {
        match self.never {}
    }
}

impl Witness {
    /// Waits until the command is about to begin.
    pub fn wait(&mut self) -> io::Result<bool> {
        match self.never {}
    }

    /// The next call.
    pub fn next(&mut self, _most: Duration) -> io::Result<Option<Seen>> {
        match self.never {}
    }

    /// Whether everything that was watched has ended.
    pub const fn is_over(&self) -> bool {
        match self.never {}
    }

    /// Whether a call still waits.
    pub fn holds(&self, _seen: &Seen) -> bool {
        match self.never {}
    }

    /// Lets it happen.
    pub fn go_on(&self, _seen: &Seen) {
        match self.never {}
    }

    /// Says that it was done.
    pub fn pretend(&self, _seen: &Seen) {
        match self.never {}
    }

    /// A socket that takes connections.
    pub fn listen(&mut self, _port: u16) -> io::Result<Option<TcpListener>> {
        match self.never {}
    }

    /// A socket that takes datagrams.
    pub fn receive(&mut self, _port: u16) -> io::Result<Option<UdpSocket>> {
        match self.never {}
    }
}

/// Says why nothing runs.
pub fn run(_job: &Job) -> Result<Outcome, Error> {
    Err(none())
}

/// Ends as a launcher does that got no job.
pub fn launcher() -> i32 {
    1
}

/// Ends this process at once.
#[expect(clippy::exit, reason = "that is what it is for")]
pub fn leave(code: i32) -> ! {
    std::process::exit(code)
}

/// Says why nothing is collected.
pub fn collect(_folder: &Path, _limits: &CollectLimits) -> io::Result<Collected> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "files are collected on Linux only"))
}

fn none() -> Error {
    Error::Lacking {
        feature: format!("a sandbox: there is none of ours for {}", std::env::consts::OS),
        hint: "run it on a hub, with `kontor run --on hub`, or inside a Linux machine".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Sandbox, run};
    use crate::Job;

    #[test]
    fn nothing_runs_and_the_answer_says_what_to_do() {
        let job = Job::new(["true"]);
        let sandbox = Sandbox::new("kontor".into(), Vec::new());
        let watched = sandbox.spawn_watched(&job).unwrap_err();
        for error in [run(&job).unwrap_err(), sandbox.spawn(&job).unwrap_err(), watched] {
            assert!(error.hint().unwrap().contains("--on hub"), "{error}");
        }
    }
}
