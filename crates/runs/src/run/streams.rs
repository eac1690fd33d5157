use std::collections::BTreeSet;

use kontor_sandbox::{Error as Failure, Job, Sandbox, Work};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use super::end::End;
use crate::Error;
use crate::disk;
use crate::redact::{Alarm, Redactor};

/// The most bytes that are kept and shown of a stream; what comes after is counted and dropped.
const MOST: usize = 16 << 20;

/// One of the two streams on which a program speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Its standard output.
    Stdout,
    /// Its standard error.
    Stderr,
}

/// Sees what a program says while it says it; secrets are taken out before.
pub trait Watch: Sync {
    /// More of a stream.
    fn said(&self, stream: Stream, bytes: &[u8]);
}

/// Nobody watches.
impl Watch for () {
    fn said(&self, _: Stream, _: &[u8]) {}
}

/// What a program has said on one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The first part of it, without secrets.
    pub bytes: Vec<u8>,
    /// How many bytes there were in all.
    pub total: u64,
    /// Secrets that were in it.
    pub alarms: BTreeSet<Alarm>,
    cut: bool,
}

impl Said {
    /// Whether there was more than what was kept.
    pub const fn is_cut(&self) -> bool {
        self.cut
    }
}

/// Runs a job to its end, even when whoever holds it is lost, or until `stop` is cancelled.
pub async fn perform(
    sandbox: &Sandbox,
    job: &Job,
    input: &[u8],
    redactor: &Redactor,
    watch: &dyn Watch,
    stop: &CancellationToken,
) -> Result<(End, Said, Said), Error> {
    let failed = |error: Failure| {
        let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        Error::Sandbox { reason: format!("{error}{hint}") }
    };
    let mut running = sandbox.spawn(job).map_err(failed)?;
    let (stdin, stdout, stderr) = (running.stdin.take(), running.stdout.take(), running.stderr.take());
    let give = async {
        if let Some(mut stdin) = stdin {
            // Whoever does not read its input need not.
            let _ = stdin.write_all(input).await;
        }
    };
    let out = listen(stdout, (Stream::Stdout, "stdout"), redactor, watch);
    let err = listen(stderr, (Stream::Stderr, "stderr"), redactor, watch);
    let ended = async {
        tokio::select! {
            () = stop.cancelled() => {}
            () = overfull(job) => {}
        }
    };
    let (outcome, (), stdout, stderr) = tokio::join!(running.wait_or(ended), give, out, err);
    let end = match outcome {
        Ok(outcome) => End::Told(Box::new(outcome)),
        // It may have run: that is no reason to say nothing of it.
        Err(Failure::Lost { reason }) => End::Lost(reason),
        Err(error) => return Err(failed(error)),
    };
    Ok((end, stdout, stderr))
}

/// Ends when a job has added more to its work folder than its limit.
async fn overfull(job: &Job) {
    match &job.work {
        Work::Folder(folder) => {
            let given = disk::used(folder, disk::MOST_FILES).unwrap_or_default();
            disk::over(folder, given.saturating_add(job.limits.disk), disk::MOST_FILES).await;
        }
        Work::Fresh => std::future::pending().await,
    }
}

async fn listen(
    source: Option<impl AsyncRead + Unpin>,
    (stream, name): (Stream, &str),
    redactor: &Redactor,
    watch: &dyn Watch,
) -> Said {
    let mut said = Said::default();
    let Some(mut source) = source else { return said };
    let mut redacted = redactor.stream(name);
    let mut part = vec![0; 64 << 10];
    while let Ok(read @ 1..) = source.read(&mut part).await {
        said.total = said.total.saturating_add(read as u64);
        let shown = redacted.push(part.get(..read).unwrap_or_default());
        keep(&mut said, &shown, stream, watch);
    }
    let rest = redacted.finish();
    keep(&mut said, &rest, stream, watch);
    said.alarms = redacted.alarms;
    said
}

fn keep(said: &mut Said, bytes: &[u8], stream: Stream, watch: &dyn Watch) {
    let room = MOST.saturating_sub(said.bytes.len()).min(bytes.len());
    said.cut |= room < bytes.len();
    let shown = bytes.get(..room).unwrap_or_default();
    if !shown.is_empty() {
        said.bytes.extend_from_slice(shown);
        watch.said(stream, shown);
    }
}
