//! One attempt at a workflow: what is journaled, what is to be journaled next, and what it waits for.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use kontor_db::Db;
use kontor_db::workflows::{Append, Claimed, Entry, EntryKind, Leave, NewQuestion};
use kontor_types::{Clock, Digest, Timestamp, WorkflowId};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::chain::Line;
use crate::load::Journaled;
use crate::recorder::{Beside, Recorder, Refused};
use crate::undo::Undo;
use crate::{Owner, Settings, Stop};

/// Shared by a journal's handles, its steps, and the worker that drives it.
pub(crate) struct Core {
    pub id: WorkflowId,
    pub owner: Owner,
    pub parent: Option<WorkflowId>,
    pub attempt: i64,
    /// The signals that were there when the workflow was taken.
    pub signals: i64,
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
    pub recorder: Recorder,
    /// Fires when somebody wants it to end.
    pub cancel: CancellationToken,
    /// Fires when another worker has it.
    pub fence: CancellationToken,
    /// Fires when the process ends: nothing new is begun.
    pub stopping: CancellationToken,
    pub journaled: Journaled,
    /// The end of the journal on disk. Whoever holds it writes.
    tail: tokio::sync::Mutex<Tail>,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct Tail {
    number: i64,
    head: Digest,
}

#[derive(Default)]
struct State {
    /// What is not on disk yet, in order.
    pending: Vec<Pending>,
    /// Steps and writes under way.
    busy: usize,
    /// What is waited for, and until when at most.
    waits: HashMap<u64, Option<Timestamp>>,
    next_wait: u64,
    undo: Vec<Undo>,
    branches: HashSet<String>,
    asked: HashSet<String>,
    sealed: bool,
    /// It has asked somebody.
    asks: bool,
    /// It was seen that somebody wants it to end.
    cancelling: bool,
    writing: Writing,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Writing {
    #[default]
    Goes,
    /// Nothing is written any more by this attempt.
    Ended,
}

/// Nothing goes on but waiting.
pub(crate) struct Idle {
    /// Until when at most.
    pub until: Option<Timestamp>,
}

#[derive(Clone)]
struct Pending {
    line: Line,
    question: Option<NewQuestion>,
}

/// While it lives the workflow is not put aside.
pub(crate) struct Busy(Arc<Core>);

/// While it lives the workflow waits for something.
pub(crate) struct Waits(Arc<Core>, u64);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy = state.busy.saturating_sub(1);
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.state().waits.remove(&self.1);
    }
}

impl Core {
    pub fn new(parts: CoreParts, claimed: &Claimed, journaled: Journaled) -> Arc<Self> {
        let CoreParts { db, clock, settings, recorder, stopping } = parts;
        let cancel = CancellationToken::new();
        if claimed.cancel_at.is_some() && !claimed.sealed {
            cancel.cancel();
        }
        let state = State { cancelling: journaled.cancelling, ..State::default() };
        Arc::new(Self {
            id: claimed.id,
            owner: Owner { person: claimed.person_id, publisher: claimed.publisher_id },
            parent: claimed.parent,
            attempt: claimed.attempt,
            signals: claimed.signals,
            db,
            clock,
            settings,
            recorder,
            cancel,
            fence: CancellationToken::new(),
            stopping,
            journaled,
            tail: tokio::sync::Mutex::new(Tail { number: claimed.entries, head: claimed.head }),
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn busy(self: &Arc<Self>) -> Busy {
        self.state().busy += 1;
        Busy(Arc::clone(self))
    }

    /// Waits for ever: what ends it is that the workflow is put aside and taken up again.
    pub async fn wait(self: &Arc<Self>, until: Option<Timestamp>) -> Stop {
        let waits = {
            let mut state = self.state();
            let number = state.next_wait;
            state.next_wait += 1;
            state.waits.insert(number, until);
            Waits(Arc::clone(self), number)
        };
        let never: Stop = std::future::pending().await;
        drop(waits);
        never
    }

    /// Whether nothing goes on but waiting.
    pub fn idles(&self) -> Option<Idle> {
        let state = self.state();
        let idle = state.busy == 0 && !state.waits.is_empty();
        idle.then(|| Idle { until: state.waits.values().copied().flatten().min() })
    }

    /// Whether a cancellation still counts.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled() && !self.state().sealed
    }

    /// Whether it was seen that somebody wants it to end.
    pub fn was_cancelled(&self) -> bool {
        self.state().cancelling
    }

    /// Writes down, once, that somebody wants it to end.
    pub fn note_cancelling(&self) -> Stop {
        let mut state = self.state();
        if !state.cancelling {
            state.cancelling = true;
            let data = "{}".to_owned();
            state.pending.push(Pending {
                line: self.line(EntryKind::Cancelling, "", None, "cancel", None, data),
                question: None,
            });
        }
        Stop::Cancelled
    }

    pub fn line(
        &self,
        kind: EntryKind,
        branch: &str,
        place: Option<i64>,
        name: &str,
        input: Option<Digest>,
        data: String,
    ) -> Line {
        Line { at: self.now(), kind, branch: branch.to_owned(), place, name: name.to_owned(), input, data }
    }

    /// Puts a line at the end of what is to be written.
    pub fn push(&self, line: Line) {
        self.state().pending.push(Pending { line, question: None });
    }

    /// Puts a question at the end of what is to be written.
    pub fn push_question(&self, line: Line, question: NewQuestion) {
        let mut state = self.state();
        state.asks = true;
        state.pending.push(Pending { line, question: Some(question) });
    }

    /// Tells of a step while it goes on: written as soon as possible, and not waited for.
    pub fn tell_beside(self: &Arc<Self>, name: &str, data: &Value) {
        let text = data.to_string();
        if text.len() > self.settings.text || (self.state().writing == Writing::Ended) {
            return;
        }
        self.push(self.line(EntryKind::Told, "", None, name, None, text));
        let core = Arc::clone(self);
        tokio::spawn(async move {
            let _busy = core.busy();
            if let Err(error) = core.flush().await {
                tracing::debug!(workflow.id = %core.id, %error, "what a step told was not written");
            }
        });
    }

    /// Claims a name for a branch or a question that is open; `false` when it is taken.
    pub fn claim_branch(&self, name: &str) -> bool {
        self.state().branches.insert(name.to_owned())
    }

    pub fn claim_question(&self, name: &str) -> bool {
        self.state().asked.insert(name.to_owned())
    }

    pub fn free_question(&self, name: &str) {
        self.state().asked.remove(name);
    }

    pub fn add_undo(&self, undo: Undo) {
        self.state().undo.push(undo);
    }

    /// What is to be taken back, the newest first.
    pub fn take_undo(&self) -> Vec<Undo> {
        let mut undo = std::mem::take(&mut self.state().undo);
        undo.reverse();
        undo
    }

    /// From here on nothing is taken back and nobody can cancel.
    pub fn seal(&self) {
        let mut state = self.state();
        state.sealed = true;
        state.undo.clear();
    }

    /// Ends writing by this attempt.
    pub fn close(&self) {
        self.state().writing = Writing::Ended;
    }

    /// Brings what is pending to disk.
    pub async fn flush(&self) -> Result<(), Stop> {
        if self.state().pending.is_empty() {
            return Ok(());
        }
        self.write(false, None).await
    }

    /// Brings what is pending to disk if nobody wants the workflow to end; from then on nobody can.
    pub async fn flush_sealing(&self) -> Result<(), Stop> {
        self.write(true, None).await
    }

    /// Brings what is pending to disk and lets the workflow go.
    pub async fn leave(&self, leave: Leave) -> Result<(), Stop> {
        let left = self.write(false, Some(leave)).await;
        self.close();
        left
    }

    /// The number and the digest of the newest entry on disk.
    pub async fn tail(&self) -> (i64, Digest) {
        let tail = self.tail.lock().await;
        (tail.number, tail.head)
    }

    async fn write(&self, seals: bool, leave: Option<Leave>) -> Result<(), Stop> {
        let mut tail = self.tail.lock().await;
        if self.state().writing == Writing::Ended {
            return Err(Stop::Taken);
        }
        let taken = std::mem::take(&mut self.state().pending);
        if taken.is_empty() && leave.is_none() && !seals {
            return Ok(());
        }
        let kept = if seals { taken.clone() } else { Vec::new() };
        let (append, questions) = self.chain(*tail, taken, seals, leave);
        let asks = self.journaled.asks || self.state().asks;
        let next = Tail { number: append.before.saturating_add(len(&append.entries)), head: append.head };
        self.check_length(next.number, append.leave.is_some())?;
        match self.recorder.append(append, Beside { questions, parent: self.parent, asks }).await {
            Ok(()) => {
                *tail = next;
                Ok(())
            }
            Err(Refused::Cancelled) => {
                let others = kept.into_iter().filter(|pending| pending.line.kind != EntryKind::Sealed);
                self.state().pending.splice(0..0, others);
                Err(Stop::Cancelled)
            }
            Err(Refused::Taken) => {
                self.close();
                self.fence.cancel();
                Err(Stop::Taken)
            }
            Err(Refused::Unavailable(message)) => {
                // Whether it was written is unknown: only another attempt can go on.
                self.close();
                self.fence.cancel();
                Err(Stop::Unavailable { message })
            }
        }
    }

    fn check_length(&self, number: i64, leaves: bool) -> Result<(), Stop> {
        let most = i64::from(self.settings.entries);
        if number <= most || leaves {
            return Ok(());
        }
        Err(Stop::invalid(format!("its journal is longer than {most} entries")))
    }

    fn chain(
        &self,
        mut tail: Tail,
        taken: Vec<Pending>,
        seals: bool,
        leave: Option<Leave>,
    ) -> (Append, Vec<NewQuestion>) {
        let before = tail.number;
        let mut entries = Vec::with_capacity(taken.len());
        let mut questions = Vec::new();
        for Pending { line, question } in taken {
            let entry = line.chained(self.id, tail.number.saturating_add(1), &tail.head);
            tail = Tail { number: entry.number, head: entry.digest };
            questions.extend(question.map(|question| NewQuestion { number: entry.number, ..question }));
            entries.push(entry);
        }
        (Append { id: self.id, attempt: self.attempt, before, entries, head: tail.head, seals, leave }, questions)
    }

    /// The end of the journal, for a step that writes in its own transaction: nobody else writes until its outcome is known.
    pub async fn within(&self) -> Result<Within<'_>, Stop> {
        let tail = self.tail.lock().await;
        if self.state().writing == Writing::Ended {
            return Err(Stop::Taken);
        }
        Ok(Within { tail })
    }
}

/// The end of the journal, held by a step that writes in its own transaction.
pub(crate) struct Within<'c> {
    tail: tokio::sync::MutexGuard<'c, Tail>,
}

impl Within<'_> {
    /// The number and the digest of the newest entry.
    pub fn tail(&self) -> (i64, Digest) {
        (self.tail.number, self.tail.head)
    }

    /// The entry is on disk.
    pub fn written(mut self, entry: &Entry) {
        *self.tail = Tail { number: entry.number, head: entry.digest };
    }
}

/// What a core is made of beside its workflow.
pub(crate) struct CoreParts {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
    pub recorder: Recorder,
    pub stopping: CancellationToken,
}

pub(crate) fn weak(core: &Arc<Core>) -> Weak<Core> {
    Arc::downgrade(core)
}

impl std::fmt::Debug for Core {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Core").field("id", &self.id).field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

fn len(entries: &[Entry]) -> i64 {
    i64::try_from(entries.len()).unwrap_or(i64::MAX)
}
