use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use kontor_db::jobs::{self, Claimed, NewJob};
use kontor_db::{Db, Error};
use kontor_types::{Clock, Timestamp};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::backoff;

/// How long a worker holds a job before others may take it, unless told; heartbeats renew it three times in that span.
const LEASE: Duration = Duration::from_mins(1);

/// How often an idle worker looks for due jobs when nothing woke it.
const POLL: Duration = Duration::from_secs(1);

/// How long done jobs are remembered.
const MEMORY: Duration = Duration::from_hours(24);

/// How a handler's attempt ended badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Worth another try later.
    Retry(String),
    /// No later try can succeed.
    Permanent(String),
}

/// What a handler answers.
pub type Outcome = Result<(), Failure>;

type Handler = Arc<dyn Fn(Claimed) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// The workers of one process: handlers by kind, and recurring work.
#[derive(Clone)]
pub struct Workers {
    db: Db,
    clock: Arc<dyn Clock>,
    name: String,
    handlers: BTreeMap<&'static str, Handler>,
    periods: BTreeMap<&'static str, Duration>,
    wake: Arc<Notify>,
    lease: Duration,
}

impl Workers {
    /// Workers without handlers; `name` tells this process from others in the job table.
    pub fn new(db: Db, clock: Arc<dyn Clock>, name: impl Into<String>) -> Self {
        Self {
            db,
            clock,
            name: name.into(),
            handlers: BTreeMap::new(),
            periods: BTreeMap::new(),
            wake: Arc::default(),
            lease: LEASE,
        }
    }

    /// Lets somebody who has queued a job wake idle workers before their next look.
    #[must_use]
    pub fn woken_by(mut self, wake: Arc<Notify>) -> Self {
        self.wake = wake;
        self
    }

    /// Sets how long a job of a worker that died stays with it before others take it.
    #[must_use]
    pub const fn leased_for(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Registers the handler of a kind of job.
    #[must_use]
    pub fn handle<F, Fut>(mut self, kind: &'static str, handler: F) -> Self
    where
        F: Fn(Claimed) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        self.handlers.insert(kind, Arc::new(move |job| Box::pin(handler(job))));
        self
    }

    /// Registers recurring work: one job of this kind waits or runs at any time, whatever the number of processes.
    #[must_use]
    pub fn every<F, Fut>(mut self, kind: &'static str, period: Duration, handler: F) -> Self
    where
        F: Fn(Claimed) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        self.periods.insert(kind, period);
        self.handle(kind, handler)
    }

    /// Works until `stop` is cancelled; jobs under way are finished first.
    pub async fn run(self, parallel: usize, stop: CancellationToken) {
        self.plan_recurring().await;
        let mut tasks = JoinSet::new();
        for _ in 0..parallel.max(1) {
            let workers = self.clone();
            let stop = stop.clone();
            tasks.spawn(async move { workers.work(stop).await });
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Does everything that is due now and returns how many attempts that took.
    pub async fn run_due(&self) -> Result<usize, Error> {
        let mut attempts = 0;
        while let Some(job) = self.claim().await? {
            self.attempt(job).await?;
            attempts += 1;
        }
        Ok(attempts)
    }

    /// Queues the first job of each recurring kind, unless one waits already.
    pub async fn plan_recurring(&self) {
        for kind in self.periods.keys() {
            if let Err(error) = self.plan(kind, self.clock.now()).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    job.kind = kind,
                    "recurring work could not be queued"
                );
            }
        }
    }

    async fn work(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let woken = self.wake.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            if let Err(error) = self.run_due().await {
                tracing::error!(error = &error as &dyn std::error::Error, "the job queue could not be read");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(POLL) => {}
                () = woken => {}
            }
        }
    }

    async fn claim(&self) -> Result<Option<Claimed>, Error> {
        let kinds: Vec<&'static str> = self.handlers.keys().copied().collect();
        let (name, now, lease) = (self.name.clone(), self.clock.now(), self.lease);
        // A look without the writer first: an idle hub must not take its lock every second.
        let mut conn = self.db.read().await?;
        if !jobs::any_due(&mut conn, &kinds, now).await? {
            return Ok(None);
        }
        drop(conn);
        self.db
            .write(move |tx| Box::pin(async move { jobs::claim(tx, &kinds, &name, now, now.after(lease)).await }))
            .await
    }

    async fn attempt(&self, job: Claimed) -> Result<(), Error> {
        let Some(handler) = self.handlers.get(job.kind.as_str()).cloned() else { return Ok(()) };
        let outcome = tokio::select! {
            outcome = AssertUnwindSafe(handler(job.clone())).catch_unwind() => {
                outcome.unwrap_or_else(|_| Err(Failure::Permanent("the handler panicked".to_owned())))
            }
            () = self.keep_lease(&job) => Err(Failure::Retry("the lease was lost".to_owned())),
        };
        self.record(job, outcome).await
    }

    /// Renews the lease until it is lost.
    async fn keep_lease(&self, job: &Claimed) {
        loop {
            tokio::time::sleep(self.lease / 3).await;
            let (held, until) = (job.clone(), self.clock.now().after(self.lease));
            let renewed: Result<bool, Error> =
                self.db.write(move |tx| Box::pin(async move { jobs::heartbeat(tx, &held, until).await })).await;
            if matches!(renewed, Ok(false)) {
                return;
            }
        }
    }

    async fn record(&self, job: Claimed, outcome: Outcome) -> Result<(), Error> {
        let now = self.clock.now();
        let next = self
            .periods
            .iter()
            .find(|(kind, _)| **kind == job.kind)
            .map(|(kind, period)| recurring(kind, now.after(*period)));
        let jitter = rand::random::<f64>();
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let ended = match outcome {
                        Ok(()) => jobs::complete(tx, &job, now).await?,
                        Err(Failure::Retry(reason)) if next.is_none() && job.attempt >= job.max_attempts => {
                            tracing::warn!(job.kind, reason, "a job failed for the last time");
                            jobs::bury(tx, &job, now, &reason).await?
                        }
                        Err(Failure::Retry(reason)) => {
                            let wait = backoff::delay(job.attempt, jitter);
                            jobs::retry(tx, &job, now.after(wait), &reason).await?;
                            false
                        }
                        Err(Failure::Permanent(reason)) => {
                            tracing::warn!(job.kind, reason, "a job cannot succeed");
                            jobs::bury(tx, &job, now, &reason).await?
                        }
                    };
                    if let (true, Some(next)) = (ended, next) {
                        jobs::enqueue(tx, &next, now).await?;
                        jobs::forget_done(tx, now.before(MEMORY)).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn plan(&self, kind: &'static str, at: Timestamp) -> Result<(), Error> {
        let (job, now) = (recurring(kind, at), self.clock.now());
        self.db.write(move |tx| Box::pin(async move { jobs::enqueue(tx, &job, now).await.map(drop) })).await
    }
}

fn recurring(kind: &str, run_at: Timestamp) -> NewJob {
    NewJob { kind: kind.to_owned(), key: Some("recurring".to_owned()), payload: Value::Null, run_at, max_attempts: 20 }
}
