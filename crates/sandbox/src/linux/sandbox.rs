//! Sandboxes from a process with threads: each job gets a launcher, a process of its own.

use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use super::watch::Witness;
use super::{groups, launch};
use crate::{Captured, Error, Finished, InForce, Job, Outcome};

/// How often it is tried to take away what a lost launcher left, and how long is waited between.
const CLEARINGS: u32 = 500;
const BETWEEN_CLEARINGS: Duration = Duration::from_millis(10);
/// The longest description of a job, and of its outcome.
const LONGEST: u64 = 64 << 20;

/// Starts commands, each held by a launcher of its own: `program` with `arguments` must do what [`launcher`] does.
#[derive(Debug, Clone)]
pub struct Sandbox {
    program: PathBuf,
    arguments: Vec<String>,
}

/// The three standard streams of a command.
#[derive(Debug)]
pub struct Streams {
    /// What it reads.
    pub stdin: OwnedFd,
    /// What it says.
    pub stdout: OwnedFd,
    /// What it says beside that.
    pub stderr: OwnedFd,
}

impl Sandbox {
    /// Names the launcher.
    pub const fn new(program: PathBuf, arguments: Vec<String>) -> Self {
        Self { program, arguments }
    }

    /// Starts a command with pipes as its standard streams.
    pub fn spawn(&self, job: &Job) -> Result<Running, Error> {
        self.spawn_piped(job, None)
    }

    fn spawn_piped(&self, job: &Job, watcher: Option<OwnedFd>) -> Result<Running, Error> {
        let pair = || io::pipe().map_err(Error::launcher);
        let ((stdin, to), (from, stdout), (from_too, stderr)) = (pair()?, pair()?, pair()?);
        let streams = Streams { stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into() };
        let mut running = self.begin(job, streams, watcher)?;
        running.stdin = Some(pipe::Sender::from_owned_fd(to.into()).map_err(Error::launcher)?);
        running.stdout = Some(pipe::Receiver::from_owned_fd(from.into()).map_err(Error::launcher)?);
        running.stderr = Some(pipe::Receiver::from_owned_fd(from_too.into()).map_err(Error::launcher)?);
        Ok(running)
    }

    /// What holds a command on this machine, seen by holding one that does nothing; or why none can be held.
    pub async fn report(&self) -> Result<InForce, Error> {
        Ok(self.spawn(&Job::new(["/bin/true"]))?.finish(b"", 0).await?.outcome.in_force)
    }

    /// Starts a command with these standard streams.
    pub fn spawn_with(&self, job: &Job, streams: Streams) -> Result<Running, Error> {
        self.begin(job, streams, None)
    }

    /// Starts a command as [`Sandbox::spawn`] does, and watches it: the witness must be asked until the command ended, which
    /// otherwise waits for it.
    pub fn spawn_watched(&self, job: &Job) -> Result<(Running, Witness), Error> {
        let (ours, theirs) = UnixStream::pair().map_err(Error::launcher)?;
        let running = self.spawn_piped(job, Some(theirs.into()))?;
        Ok((running, Witness::new(ours)))
    }

    fn begin(&self, job: &Job, streams: Streams, watcher: Option<OwnedFd>) -> Result<Running, Error> {
        let (ours, theirs) = UnixStream::pair().map_err(Error::launcher)?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| Error::launcher(format!("{} does not start: {error}", self.program.display())))?;
        hand_over(&ours, job, &streams, watcher.as_ref()).map_err(Error::launcher)?;
        drop(watcher);
        // Whoever reads the command's streams sees their end only when nobody here holds them.
        drop(streams);
        ours.set_nonblocking(true).map_err(Error::launcher)?;
        let talk = tokio::net::UnixStream::from_std(ours).map_err(Error::launcher)?;
        Ok(Running { stdin: None, stdout: None, stderr: None, talk, child })
    }
}

/// A command that runs. When this is dropped, the command ends.
#[derive(Debug)]
pub struct Running {
    /// To its standard input; to be dropped when all is said.
    pub stdin: Option<pipe::Sender>,
    /// From its standard output.
    pub stdout: Option<pipe::Receiver>,
    /// From its standard error.
    pub stderr: Option<pipe::Receiver>,
    talk: tokio::net::UnixStream,
    child: Child,
}

impl Running {
    /// Waits until it ended, and all that it started.
    pub async fn wait(&mut self) -> Result<Outcome, Error> {
        self.wait_or(std::future::pending()).await
    }

    /// The same, and ends it when `stop` is ready first: the outcome then says what it used until that moment.
    pub async fn wait_or(&mut self, stop: impl Future<Output = ()>) -> Result<Outcome, Error> {
        let mut answer = Vec::new();
        let (from, mut to) = self.talk.split();
        let mut from = from.take(LONGEST);
        let read = {
            let reading = from.read_to_end(&mut answer);
            let mut reading = std::pin::pin!(reading);
            tokio::select! {
                read = &mut reading => read,
                () = stop => {
                    let _ = to.shutdown().await;
                    reading.await
                }
            }
        };
        let launcher = self.child.id();
        let status = self.child.wait().await.map_err(Error::launcher)?;
        let lost = match read {
            Err(error) => error.to_string(),
            Ok(_) if answer.is_empty() => format!("the launcher ended without an answer ({status})"),
            Ok(_) => match serde_json::from_slice(&answer) {
                Ok(answer) => return answer,
                Err(error) => error.to_string(),
            },
        };
        if let Some(launcher) = launcher {
            clear_after(launcher).await;
        }
        Err(Error::Lost { reason: lost })
    }

    /// Ends it; [`Running::wait`] then says what it used until now.
    pub async fn cancel(&mut self) {
        let _ = self.talk.shutdown().await;
    }

    /// Gives it this input, collects what it says, no more than `most` bytes of each stream, and waits until it ended.
    pub async fn finish(mut self, input: &[u8], most: usize) -> Result<Finished, Error> {
        let (stdin, stdout, stderr) = (self.stdin.take(), self.stdout.take(), self.stderr.take());
        let give = async {
            if let Some(mut stdin) = stdin {
                // Whoever does not read its input need not.
                let _ = stdin.write_all(input).await;
            }
        };
        let (outcome, (), stdout, stderr) =
            tokio::join!(self.wait(), give, capture(stdout, most), capture(stderr, most));
        Ok(Finished { outcome: outcome?, stdout, stderr })
    }
}

/// Takes away what a launcher left that was lost. With it the kernel ends what it held, which takes a moment.
async fn clear_after(launcher: u32) {
    for _ in 0..CLEARINGS {
        if groups::clear(launcher) {
            return;
        }
        tokio::time::sleep(BETWEEN_CLEARINGS).await;
    }
}

/// Keeps the beginning and reads on, so that the command is not held up by a full pipe.
async fn capture(stream: Option<impl AsyncRead + Unpin>, most: usize) -> Captured {
    let mut captured = Captured::default();
    let Some(mut stream) = stream else { return captured };
    let mut part = vec![0; 64 << 10];
    while let Ok(count @ 1..) = stream.read(&mut part).await {
        captured.total = captured.total.saturating_add(u64::try_from(count).unwrap_or(0));
        let room = most.saturating_sub(captured.bytes.len()).min(count);
        captured.bytes.extend_from_slice(part.get(..room).unwrap_or_default());
    }
    captured
}

/// Sends the streams and the job.
fn hand_over(mut talk: &UnixStream, job: &Job, streams: &Streams, watcher: Option<&OwnedFd>) -> io::Result<()> {
    let text = zeroize::Zeroizing::new(serde_json::to_vec(job)?);
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes();
    let mut descriptors = vec![streams.stdin.as_fd(), streams.stdout.as_fd(), streams.stderr.as_fd()];
    descriptors.extend(watcher.map(AsFd::as_fd));
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(talk, &[IoSlice::new(&length)], &mut ancillary, SendFlags::NOSIGNAL)?;
    talk.write_all(&text)
}

/// What the launcher of a [`Sandbox`] does: it takes one job from its standard input, which is a socket, runs it and answers.
/// The process must have one thread and do nothing else. Gives back the code to end with.
pub fn launcher() -> i32 {
    // Away from the standard streams, which the command's will be.
    let Ok(talk) = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3).map(UnixStream::from) else { return 1 };
    let outcome = take_over(&talk).map_err(Error::launcher).and_then(|(job, streams, watcher)| {
        let [stdin, stdout, stderr] = &streams;
        rustix::stdio::dup2_stdin(stdin).map_err(Error::launcher)?;
        rustix::stdio::dup2_stdout(stdout).map_err(Error::launcher)?;
        rustix::stdio::dup2_stderr(stderr).map_err(Error::launcher)?;
        drop(streams);
        let outcome = launch::run_while(&job, Some(&talk), watcher);
        // Whoever reads the streams sees their end only when nobody here holds them.
        let nothing = std::fs::File::options().read(true).write(true).open("/dev/null").map_err(Error::launcher)?;
        rustix::stdio::dup2_stdin(&nothing).map_err(Error::launcher)?;
        rustix::stdio::dup2_stdout(&nothing).map_err(Error::launcher)?;
        rustix::stdio::dup2_stderr(&nothing).map_err(Error::launcher)?;
        outcome
    });
    let answered = serde_json::to_vec(&outcome).map_err(io::Error::from).and_then(|text| (&talk).write_all(&text));
    i32::from(answered.is_err())
}

fn take_over(mut talk: &UnixStream) -> io::Result<(Job, [OwnedFd; 3], Option<OwnedFd>)> {
    let mut length = [0; 8];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(talk, &mut [IoSliceMut::new(&mut length)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(some) = message {
            descriptors.extend(some);
        }
    }
    talk.read_exact(length.get_mut(got.bytes..).unwrap_or_default())?;
    let watcher = if descriptors.len() > 3 { descriptors.pop() } else { None };
    let streams = descriptors.try_into().map_err(|_| io::Error::other("the streams did not come with the job"))?;
    let length = u64::from_be_bytes(length);
    if length > LONGEST {
        return Err(io::Error::other("the job is too long"));
    }
    let mut text = zeroize::Zeroizing::new(Vec::new());
    talk.take(length).read_to_end(&mut text)?;
    Ok((serde_json::from_slice(&text)?, streams, watcher))
}
