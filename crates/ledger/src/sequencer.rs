//! The queue in front of the books: takes the requests of many callers and records them in large commits.

use std::sync::Arc;

use kontor_db::Db;
use kontor_types::Clock;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{Error, Recorded, Refusal, Request, record};

/// The most requests of one commit: enough that its cost is shared, few enough to bound the wait of the first.
const BATCH: usize = 2_048;

/// Requests that may wait before a caller has to.
const QUEUE: usize = 8_192;

/// Commits under way: while one is on its way to the disk, the next is put together.
const UNDER_WAY: usize = 2;

/// How often a commit is tried again that lost a race against another process.
const TRIES: usize = 5;

pub struct Waiting {
    pub request: Request,
    pub reply: oneshot::Sender<Result<Recorded, Error>>,
}

/// Starts the queue's task; it ends when every sender is gone.
pub fn start(db: Db, clock: Arc<dyn Clock>) -> mpsc::Sender<Waiting> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(drain(db, clock, receiver));
    sender
}

async fn drain(db: Db, clock: Arc<dyn Clock>, mut queue: mpsc::Receiver<Waiting>) {
    let under_way = Arc::new(Semaphore::new(UNDER_WAY));
    loop {
        let Ok(permit) = Arc::clone(&under_way).acquire_owned().await else { return };
        let mut waiting = Vec::new();
        if queue.recv_many(&mut waiting, BATCH).await == 0 {
            return;
        }
        let (db, clock) = (db.clone(), Arc::clone(&clock));
        tokio::spawn(async move {
            answer(&db, &clock, waiting).await;
            drop(permit);
        });
    }
}

async fn answer(db: &Db, clock: &Arc<dyn Clock>, waiting: Vec<Waiting>) {
    let (requests, replies): (Vec<_>, Vec<_>) =
        waiting.into_iter().map(|Waiting { request, reply }| (request, reply)).unzip();
    let requests = Arc::new(requests);
    match commit(db, clock, &requests).await {
        Ok(outcomes) => {
            for (reply, outcome) in replies.into_iter().zip(outcomes) {
                // Whoever asked may have gone away; the transfer is there all the same.
                let _ = reply.send(outcome.map_err(Error::from));
            }
        }
        Err(error) if requests.len() > 1 => {
            tracing::error!(error = %chain(&error), count = requests.len(), "a commit of the ledger failed; its transfers are tried one by one");
            for (request, reply) in requests.iter().zip(replies) {
                let outcome = commit(db, clock, &Arc::new(vec![request.clone()])).await;
                let _ = reply.send(single(outcome));
            }
        }
        Err(error) => {
            for reply in replies {
                let _ = reply.send(Err(Error::NotRecorded { reason: chain(&error) }));
            }
        }
    }
}

fn single(outcome: Result<Vec<Result<Recorded, Refusal>>, kontor_db::Error>) -> Result<Recorded, Error> {
    let mut outcomes = outcome.map_err(|error| Error::NotRecorded { reason: chain(&error) })?;
    outcomes.pop().ok_or(Error::Closed)?.map_err(Error::from)
}

async fn commit(
    db: &Db,
    clock: &Arc<dyn Clock>,
    requests: &Arc<Vec<Request>>,
) -> Result<Vec<Result<Recorded, Refusal>>, kontor_db::Error> {
    let mut tries = 0;
    loop {
        let (requests, clock) = (Arc::clone(requests), Arc::clone(clock));
        let outcome = db.write(move |tx| Box::pin(async move { record(tx, &requests, clock.now()).await })).await;
        tries += 1;
        match outcome {
            Err(error) if error.is_race() && tries < TRIES => {}
            outcome => return outcome,
        }
    }
}

fn chain(error: &kontor_db::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
