use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use kontor_access::Access;
use kontor_blob::Blobs;
use kontor_crypto::SigningKey;
use kontor_db::{Conn, Db, Tx};
use kontor_jobs::{Failure, Workers};
use kontor_registry::Registry;
use kontor_registry::secrets::Secrets;
use kontor_runs::{Ceiling, Layers};
use kontor_sandbox::Sandbox;
use kontor_types::{Clock, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::work::Faults;

/// The kind of the jobs in which runs are done.
pub const KIND: &str = "run";
/// How long a run of a worker that died stays with it.
const LEASE: Duration = Duration::from_secs(15);
/// How often a unit of writing is tried when another one was faster.
const RACES: usize = 8;

/// What an operator sets about runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where packages and the folders of runs under way are kept; all of it can be thrown away.
    pub folder: PathBuf,
    /// What starts the sandbox's launcher; without it nothing can be run by this process.
    pub launcher: Option<(PathBuf, Vec<String>)>,
    /// Whether programs run although the machine lacks a part of the sandbox.
    pub accept_weaker: bool,
    /// The most that any run gets.
    pub ceiling: Ceiling,
    /// Whether packages of others are brought for runs.
    pub packages: bool,
    /// Runs of one person that are not over.
    pub person_open: u32,
    /// Runs in one publisher's name that are not over.
    pub publisher_open: u32,
    /// Runs of one person in 24 hours.
    pub person_daily: u32,
    /// How often a program is started at most when its workers die.
    pub executions: u32,
    /// How long files of a run, and what it said, are kept.
    pub kept: Duration,
    /// Steps at which workers are made to fail; only tests set any.
    pub faults: Faults,
}

impl Settings {
    /// What is usual, in this folder.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self {
            folder,
            launcher: None,
            accept_weaker: false,
            ceiling: Ceiling { wall: "10m".parse().ok(), memory: "2GiB".parse().ok(), ..Ceiling::default() },
            packages: true,
            person_open: 10,
            publisher_open: 50,
            person_daily: 1_000,
            executions: 3,
            kept: Duration::from_hours(30 * 24),
            faults: Faults::default(),
        }
    }
}

/// What the service is made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The bytes of skills and of what runs take and leave.
    pub blobs: Blobs,
    /// Skills, and who may run them.
    pub registry: Registry,
    /// People, in whose name workers act.
    pub access: Access,
    /// Publishers' sealed secrets.
    pub secrets: Secrets,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Signs receipts.
    pub key: SigningKey,
    /// What the hub is called in receipts.
    pub hub: String,
    /// What the operator set.
    pub settings: Settings,
    /// Tells this process from others in the queue.
    pub worker: String,
}

pub(crate) struct Inner {
    pub parts: Parts,
    pub layers: Option<Layers>,
    pub sandbox: Option<Sandbox>,
    /// Rung when a run was queued here.
    pub queued: Arc<Notify>,
    /// Rung when something happened in a run of this process.
    pub happened: Notify,
    /// The process ends: programs are ended and left to the next worker.
    pub stop: CancellationToken,
}

/// The verbs about runs on this hub; cheap to clone.
#[derive(Clone)]
pub struct Runs(pub(crate) Arc<Inner>);

impl std::fmt::Debug for Runs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Runs").field("settings", &self.0.parts.settings).finish_non_exhaustive()
    }
}

impl Runs {
    /// The verbs over these parts.
    pub fn new(parts: Parts) -> Self {
        let launcher = parts.settings.launcher.clone();
        let sandbox = launcher.map(|(program, arguments)| Sandbox::new(program, arguments));
        let layers = sandbox.clone().map(|sandbox| Layers::new(parts.settings.folder.join("layers"), sandbox));
        Self(Arc::new(Inner {
            parts,
            layers,
            sandbox,
            queued: Arc::default(),
            happened: Notify::new(),
            stop: CancellationToken::new(),
        }))
    }

    /// What the operator set.
    pub fn settings(&self) -> &Settings {
        &self.0.parts.settings
    }

    /// The workers of this process. Programs under way are ended when `stop` is; the next worker takes their runs over.
    pub fn workers(&self, stop: &CancellationToken) -> Workers {
        let (runs, ends, stopped) = (self.clone(), self.0.stop.clone(), stop.clone());
        tokio::spawn(async move {
            stopped.cancelled().await;
            ends.cancel();
        });
        Workers::new(self.0.parts.db.clone(), self.0.parts.clock.clone(), self.0.parts.worker.clone())
            .woken_by(self.0.queued.clone())
            .leased_for(LEASE)
            .handle(KIND, move |job| {
                let runs = runs.clone();
                async move { runs.work(job).await }
            })
    }

    /// Whether this process can run programs, seen by holding one that does nothing.
    ///
    /// # Errors
    /// Why it cannot, in words.
    pub async fn can_run(&self) -> Result<(), String> {
        let sandbox = self.0.sandbox.as_ref().ok_or_else(|| "this process has no launcher for sandboxes".to_owned())?;
        sandbox.report().await.map(drop).map_err(|error| error.to_string())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    pub(crate) async fn read(&self) -> Result<Conn, Error> {
        Ok(self.0.parts.db.read().await?)
    }

    /// Runs a unit of writing, again when another one was faster; then wakes whoever watches.
    pub(crate) async fn write<T, F>(&self, unit: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, Error>> + Send + Sync + 'static,
    {
        let unit = Arc::new(unit);
        let mut tried = 1;
        loop {
            let this = Arc::clone(&unit);
            let outcome = self.0.parts.db.write(move |tx| this(tx)).await;
            match outcome {
                Err(error) if error.is_race() && tried < RACES => tried += 1,
                Ok(value) => {
                    self.0.happened.notify_waiters();
                    return Ok(value);
                }
                failed => return failed,
            }
        }
    }

    /// Until when the files of a run that ends now are kept.
    pub(crate) fn keep_until(&self, now: Timestamp) -> Timestamp {
        now.after(self.settings().kept)
    }
}

/// What failed now may succeed later.
pub(crate) fn again(error: &Error) -> Failure {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    Failure::Retry(text)
}
