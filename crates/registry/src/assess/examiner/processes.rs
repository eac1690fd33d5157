use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kontor_package::Limits;
use kontor_types::Digest;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::frames::{Answer, LONGEST_LINE, Request};
use super::{Examination, Ran, not_done};

/// How long a process without work is kept.
const KEPT: Duration = Duration::from_secs(5);
/// How long a process whose pipes broke may take to end by itself, so that it can be said how it ended.
const LAST_BREATH: Duration = Duration::from_secs(1);

/// Scans in processes of their own, which get nothing but the bytes: what crashes or does not end is a process that can be
/// done without.
pub(super) struct Processes {
    program: PathBuf,
    arguments: Vec<String>,
    limits: Limits,
    rules: Digest,
    variables: &'static [(&'static str, &'static str)],
    idle: Mutex<Vec<Process>>,
}

struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    idle_since: Instant,
}

impl Processes {
    pub(super) const fn new(program: PathBuf, arguments: Vec<String>, limits: Limits, rules: Digest) -> Self {
        Self { program, arguments, limits, rules, variables: &[], idle: Mutex::new(Vec::new()) }
    }

    /// The same, told where programs are.
    pub(super) const fn that_finds_programs(mut self) -> Self {
        self.variables = &[("PATH", "/usr/local/bin:/usr/bin:/bin")];
        self
    }

    pub(super) async fn examine(
        &self,
        name: String,
        archive: Bytes,
        deadline: Duration,
    ) -> Result<Examination, String> {
        let answer = self.ask(name, &archive, deadline).await?;
        self.examined(answer)
    }

    /// Has an archive run.
    pub(super) async fn detonate(&self, name: String, archive: &Bytes, deadline: Duration) -> Result<Ran, String> {
        match self.ask(name, archive, deadline).await? {
            Answer::Ran(ran) => Ok(*ran),
            Answer::Failed(reason) => Err(reason),
            Answer::Examined(_) => Err("the process that runs it scans only; restart the hub".to_owned()),
        }
    }

    async fn ask(&self, name: String, archive: &Bytes, deadline: Duration) -> Result<Answer, String> {
        let mut process = self.take()?;
        let size = u64::try_from(archive.len()).map_err(|_| "it is too large".to_owned())?;
        let request = Request::new(name, size, deadline.as_secs_f32(), &self.limits);
        let answer = tokio::time::timeout(deadline, process.ask(&request, archive)).await;
        match answer.map_err(|_| not_done(deadline))? {
            Ok(answer) => {
                self.keep(process);
                Ok(answer)
            }
            Err(error) => Err(process.ended(&error).await),
        }
    }

    /// What it says, if the process judged by the rules that the hub knows.
    fn examined(&self, answer: Answer) -> Result<Examination, String> {
        match answer {
            Answer::Examined(examined) if examined.report.rules == self.rules.hex() => Ok(*examined),
            Answer::Examined(_) => Err("the scanner is of another version than the hub; restart the hub".to_owned()),
            Answer::Failed(reason) => Err(reason),
            Answer::Ran(_) => Err("the scanner runs what it should scan; restart the hub".to_owned()),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process that waits for work, or a new one.
    fn take(&self) -> Result<Process, String> {
        let mut idle = self.idle();
        while let Some(mut process) = idle.pop() {
            if matches!(process.child.try_wait(), Ok(None)) {
                return Ok(process);
            }
        }
        drop(idle);
        Process::start(&self.program, &self.arguments, self.variables)
            .map_err(|error| format!("the scanner does not start: {error}"))
    }

    fn keep(&self, process: Process) {
        self.idle().push(Process { idle_since: Instant::now(), ..process });
    }

    /// Ends the processes that had no work for a while.
    pub(super) fn rest(&self) {
        self.idle().retain(|process| process.idle_since.elapsed() < KEPT);
    }
}

impl Process {
    /// Starts a process that knows nothing of the hub's environment and that Ctrl-C at the hub's terminal does not reach; it
    /// is ended when it is dropped.
    fn start(program: &PathBuf, arguments: &[String], variables: &[(&str, &str)]) -> std::io::Result<Self> {
        let mut command = Command::new(program);
        // What a list of processes shows: not the link that it is started by.
        #[cfg(unix)]
        command.arg0("kontor");
        let mut child = command
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        };
        Ok(Self { child, input, output: BufReader::new(output), idle_since: Instant::now() })
    }

    async fn ask(&mut self, request: &Request, archive: &[u8]) -> std::io::Result<Answer> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.input.write_all(&line).await?;
        self.input.write_all(archive).await?;
        self.input.flush().await?;
        let mut answer = Vec::new();
        if (&mut self.output).take(LONGEST_LINE).read_until(b'\n', &mut answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_slice(&answer)?)
    }

    /// How it ended, in words.
    async fn ended(mut self, error: &std::io::Error) -> String {
        match tokio::time::timeout(LAST_BREATH, self.child.wait()).await {
            Ok(Ok(status)) => format!("the scanner crashed on it ({status})"),
            _ => format!("the scanner did not answer: {error}"),
        }
    }
}
