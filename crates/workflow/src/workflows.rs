use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use kontor_db::workflows::{self, Append, Claimed, EntryKind, NewWorkflow, WorkflowState};
use kontor_db::{Conn, Db, Tx};
use kontor_types::{Clock, Digest, PersonId, PublisherId, Timestamp, WorkflowId};
use serde_json::{Value, json};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::chain::{BEGINNING, Line};
use crate::core::Core;
use crate::news::{Awaited, News};
use crate::recorder::{self, Recorder};
use crate::{Definition, Error, Parts, Settings};

/// The longest key and the longest title.
const KEY: usize = 200;

/// How often a workflow is looked at that another process may have.
const LOOK: Duration = Duration::from_secs(1);

/// The verbs about workflows; cheap to clone.
#[derive(Clone)]
pub struct Workflows(pub(crate) Arc<Inner>);

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// Asked for twice under one key by one person, a workflow begins once.
    pub key: String,
    /// Which definition.
    pub kind: String,
    /// For whom.
    pub owner: Owner,
    /// What people read about it.
    pub title: String,
    /// What it works on.
    pub input: Value,
}

/// For whom a workflow works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The person.
    pub person: PersonId,
    /// The publisher in whose name, if any.
    pub publisher: Option<PublisherId>,
}

/// A workflow that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// The workflow.
    pub id: WorkflowId,
    /// Whether it was asked for the first time.
    pub fresh: bool,
}

/// What came of a workflow that was waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The workflow.
    pub id: WorkflowId,
    /// How it ended, or that it stalled.
    pub state: WorkflowState,
    /// What came of it, as JSON.
    pub output: Option<String>,
    /// Why it failed or stalled: a word and a sentence.
    pub error: Option<(String, String)>,
}

pub(crate) struct Inner {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
    pub worker: String,
    definitions: RwLock<BTreeMap<(String, u32), Arc<dyn Definition>>>,
    recorder: Recorder,
    /// Rung when there may be something to do.
    pub wake: Notify,
    /// What is told to those who wait for a workflow here.
    pub news: News,
    /// Workflows that this process may work on at once.
    pub slots: Arc<Semaphore>,
    /// The process ends: nothing new is begun.
    pub stopping: CancellationToken,
    /// What is under way is left to others.
    pub halt: CancellationToken,
    held: Mutex<HashMap<WorkflowId, Weak<Core>>>,
}

/// While it lives the worker has the workflow.
pub(crate) struct Held<'i>(&'i Inner, WorkflowId, i64);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = held.get(&self.1).is_none_or(|core| core.upgrade().is_none_or(|core| core.attempt == self.2));
        if mine {
            held.remove(&self.1);
        }
    }
}

impl std::fmt::Debug for Workflows {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Workflows").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl Workflows {
    /// The verbs over these parts; starts the task that writes journals.
    pub fn new(parts: Parts) -> Self {
        let Parts { db, clock, settings, worker } = parts;
        Self(Arc::new_cyclic(|inner| Inner {
            recorder: Recorder::start(db.clone(), Arc::clone(&clock), settings.patience, inner.clone()),
            db,
            clock,
            settings,
            worker: format!("{worker}-{:08x}", rand::random::<u32>()),
            definitions: RwLock::default(),
            wake: Notify::new(),
            news: News::default(),
            slots: Arc::new(Semaphore::new(0)),
            stopping: CancellationToken::new(),
            halt: CancellationToken::new(),
            held: Mutex::default(),
        }))
    }

    /// Makes a definition known. Several versions of one kind may be: new workflows get the newest, those under way keep theirs.
    pub fn define<D: Definition>(&self, definition: D) {
        let key = (definition.kind().to_owned(), definition.version());
        self.0.definitions.write().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::new(definition));
    }

    /// Begins a workflow; when this returns it is on disk and will be done, whatever crashes. Asked for again under the same key
    /// it is found.
    ///
    /// # Errors
    /// [`Error::KeyTaken`] when the key was used with another input, [`Error::KindUnknown`], [`Error::Invalid`].
    pub async fn start(&self, start: Start) -> Result<Started, Error> {
        self.begin(&start, None).await
    }

    /// Begins a workflow, or finds it, and waits until it is over or stalls.
    ///
    /// # Errors
    /// As [`Workflows::start`].
    pub async fn call(&self, start: &Start) -> Result<Outcome, Error> {
        let row = self.row(start)?;
        let ends = self.0.news.end_of(row.id);
        let started = self.put(row).await?;
        let ends = if started.fresh { ends } else { self.0.news.end_of(started.id) };
        self.end(started.id, ends, started.fresh).await
    }

    async fn end(&self, id: WorkflowId, mut ends: Awaited<'_>, fresh: bool) -> Result<Outcome, Error> {
        let mut patience = if fresh { LOOK } else { Duration::ZERO };
        loop {
            if let Ok(end) = tokio::time::timeout(patience, ends.next()).await {
                return Ok(Outcome { id, ..end });
            }
            // Another process may have it.
            let standing = workflows::standing(&mut self.read().await?, &[id]).await?.pop().ok_or(Error::NotFound)?;
            if standing.state.is_over() || standing.state == WorkflowState::Stalled {
                let error = standing.error_code.zip(standing.error);
                return Ok(Outcome { id, state: standing.state, output: standing.output, error });
            }
            patience = LOOK;
        }
    }

    pub(crate) async fn begin(&self, start: &Start, retry_of: Option<WorkflowId>) -> Result<Started, Error> {
        let row = self.row(start)?;
        self.put(NewWorkflow { retry_of, ..row }).await
    }

    async fn put(&self, mut row: NewWorkflow) -> Result<Started, Error> {
        let permit = match Arc::clone(&self.0.slots).try_acquire_owned() {
            Ok(permit) if !self.0.stopping.is_cancelled() => Some(permit),
            _ => None,
        };
        if permit.is_some() {
            let until = self.0.clock.now().after(self.0.settings.lease);
            row.held = Some((self.0.worker.clone(), until));
        }
        let queued = permit.is_none();
        let started = self.0.recorder.begin(row, permit).await?;
        if queued && started.fresh {
            self.wake();
        }
        Ok(started)
    }

    /// Begins a workflow in the caller's own transaction. After its commit, [`Workflows::wake`] brings it on its way at once.
    ///
    /// # Errors
    /// As [`Workflows::start`].
    pub async fn start_in_tx(&self, tx: &mut Tx, start: &Start) -> Result<Started, Error> {
        let row = self.row(start)?;
        recorder::begin_in(tx, &row, self.0.clock.now()).await?
    }

    /// Says that there may be something to do.
    pub fn wake(&self) {
        self.0.wake.notify_waiters();
    }

    fn row(&self, start: &Start) -> Result<NewWorkflow, Error> {
        let unknown = || Error::KindUnknown { kind: start.kind.clone() };
        let version = self.0.newest(&start.kind).ok_or_else(unknown)?;
        let size = start.input.to_string().len();
        if size > self.0.settings.text {
            let most = self.0.settings.text;
            return Err(Error::invalid(format!("what is asked for has {size} bytes, and at most {most} are taken")));
        }
        new_row(start, version, self.0.clock.now())
    }

    pub(crate) async fn read(&self) -> Result<Conn, Error> {
        Ok(self.0.db.read().await?)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

impl Inner {
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    pub fn definition(&self, kind: &str, version: i64) -> Option<Arc<dyn Definition>> {
        let version = u32::try_from(version).ok()?;
        let known = self.definitions.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&(kind.to_owned(), version)).cloned()
    }

    /// All that is known here.
    pub fn known(&self) -> Vec<(String, u32)> {
        self.definitions.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    pub fn newest(&self, kind: &str) -> Option<u32> {
        let known = self.definitions.read().unwrap_or_else(PoisonError::into_inner);
        let of_kind = known.range((kind.to_owned(), 0)..=(kind.to_owned(), u32::MAX));
        of_kind.map(|((_, version), _)| *version).next_back()
    }

    /// Goes on with a workflow that was begun for this process.
    pub fn go_on(inner: &Arc<Self>, row: &NewWorkflow, permit: OwnedSemaphorePermit) {
        let claimed = Claimed {
            id: row.id,
            kind: row.kind.clone(),
            version: i64::from(row.version),
            person_id: row.person,
            publisher_id: row.publisher,
            parent: row.parent,
            attempt: 1,
            crashes: 0,
            signals: 0,
            entries: 1,
            head: row.first.digest,
            sealed: false,
            cancel_at: None,
        };
        let (inner, first) = (Arc::clone(inner), row.first.clone());
        tokio::spawn(async move {
            inner.drive(claimed, Some(vec![first])).await;
            drop(permit);
        });
    }

    /// A journal of this process has grown.
    pub fn grew(&self, append: &Append, has_parent: bool) {
        self.news.tell(append.id);
        if let Some(leave) = &append.leave {
            self.news.left(append.id, leave);
            if has_parent || leave.ended_at.is_none() {
                self.wake.notify_waiters();
            }
        }
    }

    pub fn hold(&self, core: &Arc<Core>) -> Held<'_> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(core.id, Arc::downgrade(core));
        Held(self, core.id, core.attempt)
    }

    /// What this process works on.
    pub fn under_way(&self) -> Vec<Arc<Core>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).values().filter_map(Weak::upgrade).collect()
    }

    /// Tells the steps of a workflow that somebody wants it to end, if it is under way here.
    pub fn cancel_here(&self, id: WorkflowId) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(core) = held.get(&id).and_then(Weak::upgrade) {
            core.cancel.cancel();
        }
    }
}

/// The row of a workflow, with the first entry of its journal.
pub(crate) fn new_row(start: &Start, version: u32, now: Timestamp) -> Result<NewWorkflow, Error> {
    for (what, text) in [("key", &start.key), ("title", &start.title)] {
        if text.is_empty() || text.len() > KEY || text.chars().any(char::is_control) {
            return Err(Error::invalid(format!("the {what} has 1 to {KEY} bytes without control characters")));
        }
    }
    let id = WorkflowId::new(now);
    let asked = json!({ "kind": start.kind, "publisher": start.owner.publisher, "input": start.input });
    let request = Digest::of(asked.to_string().as_bytes());
    let data = json!({
        "kind": start.kind, "version": version, "key": start.key, "person": start.owner.person,
        "publisher": start.owner.publisher, "input": start.input,
    });
    let line = Line {
        at: now,
        kind: EntryKind::Started,
        branch: String::new(),
        place: None,
        name: start.kind.clone(),
        input: Some(request),
        data: data.to_string(),
    };
    Ok(NewWorkflow {
        id,
        kind: start.kind.clone(),
        version,
        key: start.key.clone(),
        title: start.title.clone(),
        person: start.owner.person,
        publisher: start.owner.publisher,
        parent: None,
        retry_of: None,
        request,
        held: None,
        first: line.chained(id, 1, &BEGINNING),
    })
}
