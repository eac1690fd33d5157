//! The queue in front of the journals: takes what many workflows write and commits it together.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use kontor_db::workflows::{self, Append, NewQuestion, NewWorkflow, Standing, WorkflowState};
use kontor_db::{Db, Tx, bell};
use kontor_types::{Clock, PersonId, Timestamp, WorkflowId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use crate::workflows::Inner;
use crate::{Error, Started};

/// The most units of one commit: enough that its cost is shared, few enough to bound the wait of the first.
const BATCH: usize = 512;
/// Units that may wait before a caller has to.
const QUEUE: usize = 4_096;
/// Commits under way: while one is on its way to the disk, the next is put together.
const UNDER_WAY: usize = 2;
/// How often a commit is tried again at once that lost a race against another process.
const RACES: usize = 5;
/// The first wait for a database that does not answer; it doubles.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest.
const LONGEST: Duration = Duration::from_secs(2);

/// What is rung when another process may have something to do.
pub(crate) const BELL: &str = "kontor_workflow";

/// Why entries were not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Another worker has the workflow.
    Taken,
    /// Somebody wants the workflow to end, and what was to be written must not be written then.
    Cancelled,
    /// The database did not answer.
    Unavailable(String),
}

/// The way to the recorder's task.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    queue: mpsc::Sender<Unit>,
    inner: Weak<Inner>,
}

/// What is to be written, and whom to tell.
#[derive(Debug)]
struct Unit {
    work: Work,
    reply: Reply,
}

#[derive(Debug, Clone)]
enum Work {
    Start(NewWorkflow),
    Growth(Growth),
}

#[derive(Debug)]
enum Reply {
    Start { permit: Option<OwnedSemaphorePermit>, to: oneshot::Sender<Result<Started, Error>> },
    Growth(oneshot::Sender<Result<(), Refused>>),
}

/// What is committed beside entries.
#[derive(Debug, Clone)]
pub(crate) struct Beside {
    /// Questions that are asked in them.
    pub questions: Vec<NewQuestion>,
    /// The workflow that waits for this one.
    pub parent: Option<WorkflowId>,
    /// Whether it has asked anybody, so that questions may be left open.
    pub asks: bool,
}

/// Entries with all that is committed beside them.
#[derive(Debug, Clone)]
struct Growth {
    append: Append,
    beside: Beside,
}

/// What a commit did.
#[derive(Default)]
struct Done {
    /// Workflows that are there now, by person, kind and key; with what was asked for.
    known: HashMap<(PersonId, String, String), (WorkflowId, kontor_types::Digest)>,
    made: HashSet<WorkflowId>,
    grown: HashSet<WorkflowId>,
}

impl Recorder {
    /// Starts the task; it ends when every handle is gone.
    pub fn start(db: Db, clock: Arc<dyn Clock>, patience: Duration, inner: Weak<Inner>) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(drain(Arc::new(Desk { db, clock, patience, inner: inner.clone() }), receiver));
        Self { queue: sender, inner }
    }

    /// Writes a workflow down. With a permit this process goes on with it at once.
    pub async fn begin(&self, row: NewWorkflow, permit: Option<OwnedSemaphorePermit>) -> Result<Started, Error> {
        let (to, answer) = oneshot::channel();
        let closed = || Error::NotRecorded { reason: "the process is ending".to_owned() };
        let unit = Unit { work: Work::Start(row), reply: Reply::Start { permit, to } };
        self.queue.send(unit).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// The newest version of a kind of workflow that this process knows.
    pub fn newest(&self, kind: &str) -> Option<u32> {
        self.inner.upgrade()?.newest(kind)
    }

    /// Says that there may be something to do.
    pub fn wake(&self) {
        if let Some(inner) = self.inner.upgrade() {
            inner.wake.notify_waiters();
        }
    }

    /// Adds entries to a journal.
    pub async fn append(&self, append: Append, beside: Beside) -> Result<(), Refused> {
        let (reply, answer) = oneshot::channel();
        let closed = || Refused::Unavailable("the process is ending".to_owned());
        let unit = Unit { work: Work::Growth(Growth { append, beside }), reply: Reply::Growth(reply) };
        self.queue.send(unit).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

struct Desk {
    db: Db,
    clock: Arc<dyn Clock>,
    patience: Duration,
    inner: Weak<Inner>,
}

async fn drain(desk: Arc<Desk>, mut queue: mpsc::Receiver<Unit>) {
    let under_way = Arc::new(Semaphore::new(UNDER_WAY));
    loop {
        let Ok(permit) = Arc::clone(&under_way).acquire_owned().await else { return };
        let mut units = Vec::new();
        if queue.recv_many(&mut units, BATCH).await == 0 {
            return;
        }
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            desk.record(units).await;
            drop(permit);
        });
    }
}

impl Desk {
    async fn record(&self, units: Vec<Unit>) {
        let deadline = Instant::now() + self.patience;
        let (batch, replies): (Vec<_>, Vec<_>) = units.into_iter().map(|Unit { work, reply }| (work, reply)).unzip();
        let batch = Arc::new(batch);
        match self.commit(&batch, deadline).await {
            Ok(done) => self.tell(&batch, replies, &done),
            Err(error) if batch.len() > 1 => {
                tracing::error!(error = %chain(&error), count = batch.len(), "a commit of journals failed; its parts are tried one by one");
                for (work, reply) in batch.iter().zip(replies) {
                    let alone = Arc::new(vec![work.clone()]);
                    match self.commit(&alone, deadline).await {
                        Ok(done) => self.tell(&alone, vec![reply], &done),
                        Err(error) => fail(reply, &error),
                    }
                }
            }
            Err(error) => replies.into_iter().for_each(|reply| fail(reply, &error)),
        }
    }

    /// Commits a batch; waits while the database does not answer. Doing it twice does no harm: a journal that has the entries
    /// already has grown.
    async fn commit(&self, batch: &Arc<Vec<Work>>, deadline: Instant) -> Result<Done, kontor_db::Error> {
        let (mut races, mut pause) = (0, PAUSE);
        loop {
            let this = Arc::clone(batch);
            let now = self.clock.now();
            let outcome = self.db.write(move |tx| Box::pin(async move { write(tx, &this, now).await })).await;
            let error = match outcome {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if error.is_race() && races < RACES {
                races += 1;
                continue;
            }
            let passes = error.is_unreachable() || !self.answers().await;
            if Instant::now() >= deadline || !passes {
                return Err(error);
            }
            tracing::warn!(error = %chain(&error), "the database does not take journals; it is tried again");
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST);
        }
    }

    /// Whether the database answers, so that an error is about what was to be written.
    async fn answers(&self) -> bool {
        let asked =
            async { workflows::standing(&mut self.db.read().await?, &[WorkflowId::new(self.clock.now())]).await };
        asked.await.is_ok_and(|found| found.is_empty())
    }

    fn tell(&self, batch: &[Work], replies: Vec<Reply>, done: &Done) {
        let inner = self.inner.upgrade();
        for (work, reply) in batch.iter().zip(replies) {
            match (work, reply) {
                (Work::Start(row), Reply::Start { permit, to }) => {
                    let outcome = started(row, done);
                    let fresh = outcome.as_ref().is_ok_and(|started| started.fresh);
                    if let (true, Some(permit), Some(inner)) = (fresh, permit, inner.as_ref()) {
                        Inner::go_on(inner, row, permit);
                    }
                    // Whoever asked may have gone away; the workflow is there all the same.
                    let _ = to.send(outcome);
                }
                (Work::Growth(Growth { append, beside }), Reply::Growth(to)) => {
                    let grown = done.grown.contains(&append.id);
                    if let (true, Some(inner)) = (grown, inner.as_ref()) {
                        inner.grew(append, beside.parent.is_some());
                    }
                    let refused = if append.seals { Refused::Cancelled } else { Refused::Taken };
                    let _ = to.send(if grown { Ok(()) } else { Err(refused) });
                }
                _ => {}
            }
        }
    }
}

async fn write(tx: &mut Tx, batch: &[Work], now: Timestamp) -> Result<Done, kontor_db::Error> {
    let starts = batch.iter().filter_map(|work| if let Work::Start(row) = work { Some(row) } else { None });
    let growths = batch.iter().filter_map(|work| if let Work::Growth(growth) = work { Some(growth) } else { None });
    let mut done = begin(tx, &starts.collect::<Vec<_>>(), now).await?;
    let growths: Vec<&Growth> = growths.collect();
    let appends: Vec<&Append> = growths.iter().map(|growth| &growth.append).collect();
    if appends.is_empty() {
        return Ok(done);
    }
    done.grown.extend(workflows::append(tx, &appends).await?);
    let mut parents = Vec::new();
    for growth in growths.iter().filter(|growth| done.grown.contains(&growth.append.id)) {
        for question in &growth.beside.questions {
            workflows::add(tx, question).await?;
        }
        if growth.append.leave.as_ref().is_some_and(|leave| leave.ended_at.is_some()) {
            parents.extend(growth.beside.parent);
            if growth.beside.asks {
                workflows::close_all(tx, growth.append.id, now).await?;
            }
        }
    }
    if !parents.is_empty() {
        workflows::signal(tx, &parents, now).await?;
        bell::ring(tx, BELL).await?;
    }
    if done.grown.len() < appends.len() {
        done.grown.extend(written_before(tx, &appends, &done.grown).await?);
    }
    Ok(done)
}

/// What an earlier commit, whose answer got lost, has written already.
async fn written_before(
    tx: &mut Tx,
    appends: &[&Append],
    grown: &HashSet<WorkflowId>,
) -> Result<Vec<WorkflowId>, kontor_db::Error> {
    let missing: Vec<&Append> = appends.iter().copied().filter(|append| !grown.contains(&append.id)).collect();
    let ids: Vec<WorkflowId> = missing.iter().map(|append| append.id).collect();
    let standing = workflows::standing(tx, &ids).await?;
    let has = |append: &&&Append| {
        let mine = |row: &&Standing| row.id == append.id && row.attempt == append.attempt && row.head == append.head;
        standing.iter().find(mine).is_some_and(|row| match append.leave {
            Some(_) => row.state != WorkflowState::Running,
            None => !append.entries.is_empty(),
        })
    };
    Ok(missing.iter().filter(has).map(|append| append.id).collect())
}

/// Writes a workflow down in the caller's own transaction.
pub(crate) async fn begin_in(
    tx: &mut Tx,
    row: &NewWorkflow,
    now: Timestamp,
) -> Result<Result<Started, Error>, kontor_db::Error> {
    let done = begin(tx, &[row], now).await?;
    Ok(started(row, &done))
}

async fn begin(tx: &mut Tx, rows: &[&NewWorkflow], now: Timestamp) -> Result<Done, kontor_db::Error> {
    let mut done = Done::default();
    if rows.is_empty() {
        return Ok(done);
    }
    done.made.extend(workflows::insert(tx, rows, now).await?);
    if rows.iter().any(|row| row.held.is_none() && done.made.contains(&row.id)) {
        bell::ring(tx, BELL).await?;
    }
    let asked: Vec<_> = rows.iter().filter(|row| !done.made.contains(&row.id)).map(|row| key_of(row)).collect();
    for (person, kind, key, id, request) in workflows::with_keys(tx, &asked).await? {
        done.known.insert((person, kind, key), (id, request));
    }
    Ok(done)
}

fn started(row: &NewWorkflow, done: &Done) -> Result<Started, Error> {
    if done.made.contains(&row.id) {
        return Ok(Started { id: row.id, fresh: true });
    }
    match done.known.get(&key_of(row)) {
        Some((id, _)) if *id == row.id => Ok(Started { id: *id, fresh: true }),
        Some((id, request)) if *request == row.request => Ok(Started { id: *id, fresh: false }),
        Some(_) => Err(Error::KeyTaken { key: row.key.clone() }),
        None => Err(Error::NotRecorded { reason: "another request with this key is under way".to_owned() }),
    }
}

fn key_of(row: &NewWorkflow) -> (PersonId, String, String) {
    (row.person, row.kind.clone(), row.key.clone())
}

fn fail(reply: Reply, error: &kontor_db::Error) {
    let reason = chain(error);
    match reply {
        Reply::Start { to, .. } => drop(to.send(Err(Error::NotRecorded { reason }))),
        Reply::Growth(to) => drop(to.send(Err(Refused::Unavailable(reason)))),
    }
}

/// An error with what caused it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
