//! A hub as a process.

use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The administrator's token.
pub const TOKEN: &str = "crash-administrator-token-of-40-letters-0";
/// Longest time that anything may take which the hub does by itself.
pub const PATIENCE: Duration = Duration::from_mins(1);

const ABORT: i32 = 6;
const KILL: i32 = 9;

/// Where a hub keeps its things, and the program that runs it.
pub struct Place {
    pub program: PathBuf,
    pub data: PathBuf,
    /// The database's address, when it is not in the data folder.
    pub database: Option<String>,
}

/// A running hub.
pub struct Hub {
    process: Child,
}

impl Place {
    fn command(&self, verb: &str) -> Result<Command> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut command = Command::new(&self.program);
        command.arg(verb).arg("--data").arg(&self.data).arg("--json").stdin(Stdio::null()).stderr(log);
        if let Some(database) = &self.database {
            command.args(["--database", database]);
        }
        // The harness names everything; what the machine has set is not for this hub.
        let foreign = std::env::vars_os().map(|(name, _)| name);
        for name in foreign.filter(|name| name.to_string_lossy().starts_with("KONTOR_")) {
            command.env_remove(name);
        }
        Ok(command)
    }

    /// The file with everything that the hub ever said.
    pub fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// Starts the hub, which dies by itself at a step when it is armed.
    pub fn start(&self, armed: Option<&str>) -> Result<Hub> {
        let mut command = self.command("up")?;
        command.args(["--listen", "127.0.0.1:0", "--no-starter"]).env("KONTOR_ADMIN_TOKEN", TOKEN);
        command.env("KONTOR_LOG", "warn").stdout(Stdio::piped()).kill_on_drop(true);
        if let Some(armed) = armed {
            command.env("KONTOR_TEST_ABORT", armed);
        }
        Ok(Hub { process: command.spawn().context("cannot start the hub")? })
    }

    /// Checks the hub's data; returns what was mended and what is wrong.
    pub async fn check(&self, deep: bool, mend: bool) -> Result<(u64, Vec<String>)> {
        let mut command = self.command("fsck")?;
        command.args(deep.then_some("--deep")).args(mend.then_some("--mend")).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.stdout(Stdio::piped()).output());
        let output = output.await.context("fsck takes for ever")??;
        let report: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("fsck ended with {} and no report", output.status))?;
        let faults = report["faults"].as_array().map(Vec::as_slice).unwrap_or_default();
        let (mended, left): (Vec<&Value>, Vec<&Value>) = faults.iter().partition(|fault| fault["mended"] == true);
        let mut left: Vec<String> = left.into_iter().map(|fault| format!("fsck: {fault}")).collect();
        if report["sound"] != true && left.is_empty() {
            left.push(format!("fsck: {report}"));
        }
        Ok((mended.len() as u64, left))
    }
}

impl Hub {
    /// Waits until it answers; returns its address.
    pub async fn ready(&mut self) -> Result<String> {
        let stdout = self.process.stdout.take().context("the hub has no output")?;
        let (mut lines, mut text) = (BufReader::new(stdout).lines(), String::new());
        while !text.ends_with("\n}") {
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.context("the hub does not start")??;
            let line = line.with_context(|| format!("the hub ended while it started: {text}"))?;
            text.push('\n');
            text.push_str(&line);
        }
        let said: Value = serde_json::from_str(&text)?;
        Ok(said["url"].as_str().context("the hub names no address")?.trim_end_matches('/').to_owned())
    }

    /// Kills it and waits until it is gone.
    pub async fn kill(mut self) -> Result<()> {
        self.process.start_kill().context("the hub cannot be killed")?;
        let status = self.process.wait().await?;
        expect(status, KILL)
    }

    /// Waits until it has died at its step.
    pub async fn dead(mut self) -> Result<()> {
        let status = tokio::time::timeout(PATIENCE, self.process.wait()).await.context("the hub does not die")??;
        expect(status, ABORT)
    }
}

fn expect(status: ExitStatus, signal: i32) -> Result<()> {
    if status.signal() != Some(signal) {
        bail!("the hub ended with {status} in place of signal {signal}");
    }
    Ok(())
}

/// Makes every blob of a folder as old as if it had been put two days ago, so that those which nothing points to are due.
pub fn age_blobs(folder: &Path) -> Result<()> {
    let past = std::time::SystemTime::now().checked_sub(Duration::from_hours(48)).context("the clock is too low")?;
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                pending.push(entry.path());
            } else {
                OpenOptions::new().append(true).open(entry.path())?.set_modified(past)?;
            }
        }
    }
    Ok(())
}
