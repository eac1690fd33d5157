//! The queue in front of the books: takes the requests of many callers and records them in large commits.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kontor_db::Db;
use kontor_types::Clock;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::book::Memory;
use crate::record::record_asked;
use crate::request::Asked;
use crate::{Error, Recorded, Refusal};

/// The most requests of one commit: enough that its cost is shared, few enough to bound the wait of the first.
const BATCH: usize = 2_048;

/// Requests that may wait before a caller has to.
const QUEUE: usize = 8_192;

/// Commits under way: while one is on its way to the disk, the requests of the next are collected and wait for their turn.
const UNDER_WAY: usize = 2;

/// How often a commit is tried that lost a race against another process, or of which nobody knows whether it was made.
const TRIES: usize = 4;

/// How long a caller waits for a place in the queue.
const FOR_A_PLACE: Duration = Duration::from_secs(10);

/// How long one try of a commit may take; longer than a connection is waited for, which says more.
const FOR_A_COMMIT: Duration = Duration::from_secs(25);

/// How long a caller waits for the answer.
const FOR_AN_ANSWER: Duration = Duration::from_secs(30);

type Outcomes = Vec<Result<Recorded, Refusal>>;

struct Waiting {
    asked: Asked,
    reply: oneshot::Sender<Result<Recorded, Error>>,
}

/// The way into the queue.
#[derive(Clone)]
pub struct Queue(mpsc::Sender<Waiting>);

/// Why a commit failed.
enum Failed {
    /// A rule of the database refused some row of it; nothing was recorded.
    Rule(String),
    /// Nothing was recorded, whatever was asked.
    Outage(String),
    /// Another process has the ledger; nothing was recorded.
    Busy,
    /// It may have been recorded or not.
    Open(String),
}

struct Books {
    db: Db,
    clock: Arc<dyn Clock>,
    memory: Arc<Mutex<Memory>>,
}

impl Queue {
    /// Starts the queue's task; it ends when every way into it is gone.
    pub fn start(db: Db, clock: Arc<dyn Clock>) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(drain(Arc::new(Books { db, clock, memory: Arc::default() }), receiver));
        Self(sender)
    }

    /// Has a request recorded.
    pub async fn ask(&self, asked: Asked) -> Result<Recorded, Error> {
        let (reply, answer) = oneshot::channel();
        let place = match self.0.try_reserve() {
            Ok(place) => place,
            Err(_) => {
                timeout(FOR_A_PLACE, self.0.reserve()).await.map_err(|_| Error::Busy)?.map_err(|_| Error::Closed)?
            }
        };
        place.send(Waiting { asked, reply });
        match timeout(FOR_AN_ANSWER, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(unknown("the process is shutting down")),
            Err(_) => Err(unknown("no answer came in time")),
        }
    }
}

fn unknown(reason: &str) -> Error {
    Error::Unknown { reason: reason.to_owned() }
}

async fn drain(books: Arc<Books>, mut queue: mpsc::Receiver<Waiting>) {
    let under_way = Arc::new(Semaphore::new(UNDER_WAY));
    loop {
        let Ok(permit) = Arc::clone(&under_way).acquire_owned().await else { return };
        let mut waiting = Vec::new();
        if queue.recv_many(&mut waiting, BATCH).await == 0 {
            return;
        }
        let books = Arc::clone(&books);
        tokio::spawn(async move {
            books.answer(waiting).await;
            drop(permit);
        });
    }
}

impl Books {
    /// Records what waits and tells everybody. A commit that a rule refused is halved until the request is found that it is about.
    async fn answer(&self, waiting: Vec<Waiting>) {
        let mut parts = vec![waiting];
        while let Some(mut part) = parts.pop() {
            // Whoever has given up was told that it is not known; it is not done behind their back.
            part.retain(|waiting| !waiting.reply.is_closed());
            let (asked, replies): (Vec<_>, Vec<_>) =
                part.into_iter().map(|waiting| (waiting.asked, waiting.reply)).unzip();
            if asked.is_empty() {
                continue;
            }
            let asked = Arc::new(asked);
            match self.commit(&asked).await {
                Ok(outcomes) => {
                    for (reply, outcome) in replies.into_iter().zip(outcomes) {
                        // Whoever asked may have gone away; the transfer is there all the same.
                        let _ = reply.send(outcome.map_err(Error::from));
                    }
                }
                Err(Failed::Rule(reason)) if asked.len() > 1 => {
                    tracing::error!(
                        reason,
                        count = asked.len(),
                        "the rules of the ledger refused a commit; its halves are tried"
                    );
                    let mut first: Vec<Waiting> =
                        asked.iter().cloned().zip(replies).map(|(asked, reply)| Waiting { asked, reply }).collect();
                    let second = first.split_off(first.len() / 2);
                    parts.extend([second, first]);
                }
                Err(failed) => {
                    failed.log(asked.len());
                    for reply in replies {
                        let _ = reply.send(Err(failed.told()));
                    }
                }
            }
        }
    }

    async fn commit(&self, asked: &Arc<Vec<Asked>>) -> Result<Outcomes, Failed> {
        let mut open = None;
        for tried in 1.. {
            let (asked, clock, memory) = (Arc::clone(asked), Arc::clone(&self.clock), Arc::clone(&self.memory));
            let unit = self
                .db
                .write(move |tx| Box::pin(async move { record_asked(tx, &asked, || clock.now(), &memory).await }));
            let error = match timeout(FOR_A_COMMIT, unit).await {
                Ok(Ok(outcomes)) => return Ok(outcomes),
                Ok(Err(error)) => error,
                Err(_) => return Err(Failed::Open("the database did not answer in time".to_owned())),
            };
            if error.leaves_it_open() {
                // What was recorded is found under its key the next time.
                open = Some(chain(&error));
            }
            let again = error.leaves_it_open() || (error.is_race() && !error.is_duplicate());
            if !again || tried >= TRIES {
                return Err(match open {
                    Some(reason) => Failed::Open(reason),
                    None if error.is_rule() => Failed::Rule(chain(&error)),
                    None if error.is_lock_timeout() => Failed::Busy,
                    None => Failed::Outage(chain(&error)),
                });
            }
        }
        Err(Failed::Busy)
    }
}

impl Failed {
    fn log(&self, count: usize) {
        match self {
            Self::Rule(reason) => tracing::error!(reason, "the rules of the ledger refused what the program had taken"),
            Self::Outage(reason) => tracing::error!(reason, count, "transfers could not be recorded"),
            Self::Open(reason) => tracing::error!(reason, count, "whether transfers were recorded is not known"),
            Self::Busy => tracing::warn!(count, "another process has the ledger and does nothing"),
        }
    }

    fn told(&self) -> Error {
        match self {
            Self::Rule(reason) | Self::Outage(reason) => Error::NotRecorded { reason: reason.clone() },
            Self::Open(reason) => Error::Unknown { reason: reason.clone() },
            Self::Busy => Error::Busy,
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
