//! What a definition works with: steps, notes, questions, times, other workflows, and what is taken back.

pub(crate) mod ask;
mod children;
pub(crate) mod notes;
mod transact;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::FutureExt as _;
use kontor_db::workflows::{Entry, EntryKind};
use kontor_types::{Digest, WorkflowId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::core::{self, Core};
use crate::step::{Class, Kept, KeptError, Tried};
use crate::undo::{self, Undo};
use crate::{Attempt, Owner, Step, StepError, Stop};

/// The longest name of a step, a question or a branch.
const NAME: usize = 100;

/// A workflow's journal, as its definition sees it; cheap to clone.
#[derive(Debug, Clone)]
pub struct Journal {
    core: Arc<Core>,
    branch: Arc<Branch>,
}

#[derive(Debug)]
struct Branch {
    name: String,
    next: AtomicI64,
    /// Another part has this name.
    twice: bool,
}

/// Where something stands in the definition.
pub(crate) struct Place {
    pub number: i64,
    pub name: String,
    pub input: Option<Digest>,
}

/// A step that is not journaled yet.
struct Try {
    place: Place,
    attempt: Attempt,
}

enum Begun {
    Kept(Entry),
    Try(Try),
}

impl Journal {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, branch: Arc::new(Branch { name: String::new(), next: AtomicI64::new(1), twice: false }) }
    }

    pub(crate) const fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The workflow.
    pub fn workflow(&self) -> WorkflowId {
        self.core.id
    }

    /// For whom it works, and in whose name.
    pub fn owner(&self) -> Owner {
        self.core.owner
    }

    /// A part of the definition that runs beside others, as with `futures::join!`. Names of parts differ within a workflow.
    #[must_use]
    pub fn branch(&self, name: &str) -> Self {
        let path = if self.branch.name.is_empty() { name.to_owned() } else { format!("{}/{name}", self.branch.name) };
        let twice = undo::is_undo(&path) || !self.core.claim_branch(&path);
        let branch = Branch { name: path, next: AtomicI64::new(1), twice };
        Self { core: Arc::clone(&self.core), branch: Arc::new(branch) }
    }

    /// A part of the engine's own.
    pub(crate) fn on(&self, branch: &str) -> Self {
        let branch = Branch { name: branch.to_owned(), next: AtomicI64::new(1), twice: false };
        Self { core: Arc::clone(&self.core), branch: Arc::new(branch) }
    }

    /// Does a step, or gives what was kept when it was done before.
    ///
    /// `body` is called again, after a pause that survives crashes, when it fails with [`StepError::retry`]; and also when a
    /// crash comes between its end and its entry. So what it does outside must bear the attempt's key.
    ///
    /// # Errors
    /// Why the workflow cannot go on; a definition may handle [`Stop::Refused`] and [`Stop::Lost`].
    pub async fn step<I, O, F, Fut>(&self, step: impl Into<Step> + Send, input: &I, body: F) -> Result<O, Stop>
    where
        I: Serialize + Sync + ?Sized,
        O: Serialize + DeserializeOwned + Send,
        F: Fn(Attempt) -> Fut + Send + Sync,
        Fut: Future<Output = Result<O, StepError>> + Send,
    {
        let (step, input) = (step.into(), self.digest_of(input)?);
        self.step_of(step, input, body).await
    }

    pub(crate) async fn step_of<O, F, Fut>(&self, step: Step, input: Digest, body: F) -> Result<O, Stop>
    where
        O: Serialize + DeserializeOwned + Send,
        F: Fn(Attempt) -> Fut + Send + Sync,
        Fut: Future<Output = Result<O, StepError>> + Send,
    {
        let begun = match self.begin(&step, input).await? {
            Begun::Kept(entry) => return kept(&entry),
            Begun::Try(begun) => begun,
        };
        let busy = self.core.busy();
        let outcome = AssertUnwindSafe(body(begun.attempt.clone())).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|_| Err(StepError::lost("the step's code failed")));
        let outcome = outcome.and_then(|output| {
            serde_json::to_string(&output)
                .map_err(|error| StepError::lost(format!("what came of it is no JSON: {error}")))
        });
        fail::fail_point!("workflow::done");
        let settled = self.settle(&step, begun, outcome).await;
        drop(busy);
        match settled? {
            Settled::Done(text) => parse(&step.name, &text),
            Settled::Again(at) => Err(self.core.wait(Some(at)).await),
        }
    }

    /// The idempotency key that the next step of this part gets.
    pub fn next_key(&self) -> String {
        self.key_at(self.branch.next.load(Ordering::SeqCst))
    }

    /// Says what takes something back when the workflow is cancelled or refused: the newest comes first, each is journaled as a
    /// step.
    ///
    /// Say it before the step whose effect it takes back, since a crash may leave unknown whether that step was done: so it must
    /// bear that there is nothing to take back. [`Journal::next_key`] is the key which that step gets.
    pub fn undo<I, F, Fut>(&self, name: &str, input: &I, body: F)
    where
        I: Serialize + ?Sized,
        F: Fn(Attempt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), StepError>> + Send + 'static,
    {
        // What cannot be written as JSON has the digest of nothing: it is only compared with itself.
        let input = Digest::of(&serde_json::to_vec(input).unwrap_or_default());
        let mut unique = name.to_owned();
        let mut count = 1;
        while !self.core.claim_branch(&undo::branch(&unique)) {
            count += 1;
            unique = format!("{name} {count}");
        }
        self.core.add_undo(Undo { name: unique, input, body: Arc::new(move |attempt| body(attempt).boxed()) });
    }

    /// The number and the digest of the newest entry, after everything so far was written: what a receipt names to bind itself
    /// to this journal.
    pub async fn head(&self) -> Result<(i64, Digest), Stop> {
        let busy = self.core.busy();
        self.core.flush().await?;
        let tail = self.core.tail().await;
        drop(busy);
        Ok(tail)
    }

    fn key_at(&self, place: i64) -> String {
        if self.branch.name.is_empty() {
            return format!("{}/{place}", self.core.id);
        }
        format!("{}/{}/{place}", self.core.id, self.branch.name)
    }

    fn digest_of<I: Serialize + ?Sized>(&self, input: &I) -> Result<Digest, Stop> {
        let text =
            serde_json::to_vec(input).map_err(|error| Stop::invalid(format!("a step's input is no JSON: {error}")))?;
        self.check_size("a step's input", text.len())?;
        Ok(Digest::of(&text))
    }

    pub(crate) fn check_size(&self, what: &str, size: usize) -> Result<(), Stop> {
        let most = self.core.settings.text;
        if size <= most {
            return Ok(());
        }
        Err(Stop::invalid(format!("{what} has {size} bytes, and at most {most} are kept")))
    }

    /// The next place of this part.
    pub(crate) fn place(&self, name: &str, input: Option<Digest>) -> Result<Place, Stop> {
        if self.branch.twice {
            return Err(Stop::invalid(format!("two parts of the definition are called `{}`", self.branch.name)));
        }
        if name.is_empty() || name.len() > NAME || name.chars().any(char::is_control) {
            return Err(Stop::invalid("names in a definition have 1 to 100 bytes without control characters"));
        }
        Ok(Place { number: self.branch.next.fetch_add(1, Ordering::SeqCst), name: name.to_owned(), input })
    }

    /// What is journaled at a place, when it is what the definition asks for.
    pub(crate) fn journaled(&self, place: &Place, kind: EntryKind) -> Result<Option<&Entry>, Stop> {
        let Some(entry) = self.core.journaled.at(&self.branch.name, place.number) else { return Ok(None) };
        let same_input = entry.input == place.input || kind == EntryKind::Told;
        if entry.kind == kind && entry.name == place.name && same_input {
            return Ok(Some(entry));
        }
        let asked = format!("{kind} `{}`", place.name);
        let journaled = format!("{} `{}`", entry.kind, entry.name);
        let (journaled, asked) =
            if journaled == asked { (journaled, format!("{asked} with another input")) } else { (journaled, asked) };
        Err(Stop::Diverged { number: entry.number, journaled, asked })
    }

    /// Whether something that is not journaled may be begun.
    pub(crate) async fn go_on(&self) -> Result<(), Stop> {
        if self.core.is_cancelled() && !undo::is_undo(&self.branch.name) {
            return Err(self.core.note_cancelling());
        }
        if self.core.stopping.is_cancelled() {
            // Another process goes on with it, at once.
            return Err(self.core.wait(Some(self.core.now())).await);
        }
        Ok(())
    }

    pub(crate) fn line(&self, kind: EntryKind, place: &Place, data: String) -> crate::chain::Line {
        self.core.line(kind, &self.branch.name, Some(place.number), &place.name, place.input, data)
    }

    async fn begin(&self, step: &Step, input: Digest) -> Result<Begun, Stop> {
        let place = self.place(&step.name, Some(input))?;
        if let Some(entry) = self.journaled(&place, EntryKind::Step)? {
            return Ok(Begun::Kept(entry.clone()));
        }
        self.go_on().await?;
        let tried = self.core.journaled.tried(&self.branch.name, place.number);
        if let Some((_, again_at)) = tried
            && self.core.now() < again_at
        {
            return Err(self.core.wait(Some(again_at)).await);
        }
        let busy = self.core.busy();
        // What was done before is on disk before anything new begins.
        self.core.flush().await?;
        drop(busy);
        let attempt = Attempt {
            key: self.key_at(place.number),
            number: tried.map_or(0, |(tries, _)| tries).saturating_add(1),
            cancelled: self.core.cancel.clone(),
            name: step.name.clone(),
            core: core::weak(&self.core),
        };
        Ok(Begun::Try(Try { place, attempt }))
    }

    /// Writes down what came of a try.
    async fn settle(&self, step: &Step, begun: Try, outcome: Result<String, StepError>) -> Result<Settled, Stop> {
        let tries = begun.attempt.number;
        let outcome = outcome.and_then(|text| {
            let sized = self.check_size("what came of it", text.len());
            sized.map(|()| text).map_err(|stop| StepError::lost(stop.to_string()))
        });
        let error = match outcome {
            Ok(text) => {
                let data = format!("{{\"tries\":{tries},\"output\":{text}}}");
                self.core.push(self.line(EntryKind::Step, &begun.place, data));
                return Ok(Settled::Done(text));
            }
            Err(error) => error,
        };
        if error.class == Class::Cancelled && self.core.is_cancelled() && !undo::is_undo(&self.branch.name) {
            return Err(self.core.note_cancelling());
        }
        let class = match error.class {
            Class::Retry | Class::Cancelled if tries < step.tries => return self.again(step, &begun, error).await,
            Class::Retry | Class::Cancelled => Class::Exhausted,
            class => class,
        };
        let kept = KeptError { class, code: error.code, message: clip(error.message) };
        let data = Kept { tries, output: None, error: Some(kept.clone()) };
        let data = serde_json::to_string(&data).map_err(|error| Stop::invalid(error.to_string()))?;
        self.core.push(self.line(EntryKind::Step, &begun.place, data));
        Err(stop_of(&step.name, kept))
    }

    /// Writes down that a try failed, and when the next one is due.
    async fn again(&self, step: &Step, begun: &Try, error: StepError) -> Result<Settled, Stop> {
        let tries = begun.attempt.number;
        let again_at = self.core.now().after(step.pause(tries, rand::random()));
        let data = Tried { tries, message: clip(error.message), again_at: again_at.micros() };
        let data = serde_json::to_string(&data).map_err(|error| Stop::invalid(error.to_string()))?;
        self.core.push(self.line(EntryKind::Failed, &begun.place, data));
        self.core.flush().await?;
        Ok(Settled::Again(again_at))
    }
}

enum Settled {
    Done(String),
    Again(kontor_types::Timestamp),
}

/// What a journaled step gives.
fn kept<O: DeserializeOwned>(entry: &Entry) -> Result<O, Stop> {
    let unreadable = |error: serde_json::Error| Stop::Diverged {
        number: entry.number,
        journaled: format!("what came of `{}`", entry.name),
        asked: format!("another type: {error}"),
    };
    let kept: Kept = serde_json::from_str(&entry.data).map_err(unreadable)?;
    match kept.error {
        Some(error) => Err(stop_of(&entry.name, error)),
        None => serde_json::from_value(kept.output.unwrap_or_default()).map_err(unreadable),
    }
}

/// What a step gives the first time: the same as later, when it comes out of the journal.
fn parse<O: DeserializeOwned>(name: &str, text: &str) -> Result<O, Stop> {
    serde_json::from_str(text)
        .map_err(|error| Stop::invalid(format!("what came of `{name}` cannot be read back: {error}")))
}

fn stop_of(step: &str, KeptError { class, code, message }: KeptError) -> Stop {
    let step = step.to_owned();
    match class {
        Class::Refused => Stop::Refused { step, code, message },
        Class::Exhausted => Stop::Exhausted { step, message },
        Class::Lost | Class::Retry | Class::Cancelled => Stop::Lost { step, message },
    }
}

/// A reason, not too long.
pub(crate) fn clip(text: String) -> String {
    if text.len() <= 2_000 { text } else { text.chars().take(500).chain("…".chars()).collect() }
}
