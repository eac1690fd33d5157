//! The single writer of SQLite: it takes queued units of work, runs each in a savepoint of one transaction, commits once
//! and only then acknowledges all of them.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{Executor, Sqlite};
use tokio::sync::mpsc;

use crate::connection::Inner;
use crate::{Error, Tx};

/// The most units that share one commit: enough to hide an fsync, few enough to bound the wait of the first.
const BATCH: usize = 128;

/// Units that may wait before a caller has to.
const QUEUE: usize = 1024;

/// Told whether the unit's work is on disk.
type Acknowledge = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// What a unit left behind: whether to keep its changes, and whom to tell after the commit.
pub(crate) struct Finished {
    pub keep: bool,
    pub acknowledge: Acknowledge,
}

/// A queued unit of work.
pub(crate) type Unit = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Finished> + Send>;

/// The way to the writer task.
#[derive(Debug, Clone)]
pub(crate) struct Writer(mpsc::Sender<Unit>);

impl Writer {
    /// Starts the task; it ends when every handle is gone, or with the process.
    pub(crate) fn start(connection: PoolConnection<Sqlite>) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(drain(Tx::new(Inner::Sqlite(connection)), receiver));
        Self(sender)
    }

    /// Queues a unit; waits while the queue is full.
    pub(crate) async fn queue(&self, unit: Unit) -> Result<(), Error> {
        self.0.send(unit).await.map_err(|_| Error::Closed)
    }
}

async fn drain(mut tx: Tx, mut units: mpsc::Receiver<Unit>) {
    let mut batch = Vec::with_capacity(BATCH);
    while units.recv_many(&mut batch, BATCH).await > 0 {
        run_batch(&mut tx, &mut batch).await;
    }
}

async fn run_batch(tx: &mut Tx, batch: &mut Vec<Unit>) {
    let mut done = Vec::with_capacity(batch.len());
    let committed = commit_together(tx, batch, &mut done).await;
    // Units that never ran drop their callers' channels, which reads as a failed commit there.
    batch.clear();
    let reason = committed.err().map(|error| chain(&error));
    if let Some(reason) = &reason {
        tracing::error!(reason, "a batch of writes was not committed");
        let _ = statement(tx, "rollback").await;
    }
    for acknowledge in done {
        acknowledge(reason.clone().map_or(Ok(()), |reason| Err(Error::NotCommitted { reason })));
    }
}

async fn commit_together(tx: &mut Tx, batch: &mut Vec<Unit>, done: &mut Vec<Acknowledge>) -> Result<(), Error> {
    statement(tx, "begin immediate").await?;
    for unit in batch.drain(..) {
        done.extend(run_unit(tx, unit).await?);
    }
    statement(tx, "commit").await
}

/// Runs one unit in a savepoint. An error here means that the whole transaction is broken.
async fn run_unit(tx: &mut Tx, unit: Unit) -> Result<Option<Acknowledge>, Error> {
    statement(tx, "savepoint unit").await?;
    let Ok(finished) = AssertUnwindSafe(unit(tx)).catch_unwind().await else {
        tracing::error!("a unit of writing panicked; its changes are undone");
        statement(tx, "rollback to unit").await?;
        statement(tx, "release unit").await?;
        return Ok(None);
    };
    if !finished.keep {
        statement(tx, "rollback to unit").await?;
    }
    statement(tx, "release unit").await?;
    Ok(Some(finished.acknowledge))
}

async fn statement(tx: &mut Tx, sql: &'static str) -> Result<(), Error> {
    let Inner::Sqlite(connection) = &mut tx.inner else { return Err(Error::Closed) };
    (**connection).execute(sql).await.map_err(Error::Query)?;
    Ok(())
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
