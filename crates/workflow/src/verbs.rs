//! Looking at workflows, answering them, and ending them.

use kontor_access::{Caller, audit};
use kontor_db::bell;
use kontor_db::workflows::{self, Counts, Entry, EntryKind, Filter, Question, Who, Workflow, WorkflowState};
use kontor_types::{Cursor, Page, PageSize, Role, Scope, Timestamp, WorkflowId};
use serde_json::{Value, json};

use crate::chain::Line;
use crate::load::{self, Again};
use crate::recorder::BELL;
use crate::step::Kept;
use crate::undo::is_undo;
use crate::{Error, Owner, Start, Workflows};

/// The longest answer.
const ANSWER: usize = 16 << 10;

/// A question that waits for an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenQuestion {
    /// What it is called.
    pub name: String,
    /// The question, in plain words.
    pub text: String,
    /// The JSON Schema of an answer.
    pub form: Value,
    /// What is shown beside.
    pub detail: Value,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Until when an answer counts.
    pub deadline: Option<Timestamp>,
    /// Whether the caller may answer.
    pub may_answer: bool,
}

/// Where a workflow goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryFrom {
    /// With the step that failed; what was done before stays.
    Step,
    /// With nothing: another workflow is begun, with the same input.
    Start,
}

impl Workflows {
    /// A workflow that the caller may see: their own, one in the name of a publisher that they administer, one that asked them by
    /// name, or any for administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`] also for workflows that the caller may not see.
    pub async fn show(&self, caller: &Caller, id: WorkflowId) -> Result<Workflow, Error> {
        let bound = caller.publishers.as_deref();
        let found = workflows::find(&mut self.read().await?, caller.viewer(), bound, id).await?;
        found.ok_or(Error::NotFound)
    }

    /// Workflows that the caller may see, the newest first.
    ///
    /// # Errors
    /// [`Error::Access`] for somebody who is not signed in, [`Error::Cursor`] for a foreign cursor.
    pub async fn list(
        &self,
        caller: &Caller,
        state: Option<WorkflowState>,
        kind: Option<&str>,
        size: PageSize,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Workflow>, Error> {
        caller.require(Scope::Read)?;
        let before = cursor.map(begins).transpose()?;
        let filter = Filter { bound: caller.publishers.clone(), state, kind: kind.map(str::to_owned) };
        let found = workflows::list(&mut self.read().await?, caller.viewer(), &filter, before, size).await?;
        Ok(Page::cut(found, size, |workflow| Cursor::of(&[&workflow.id])))
    }

    /// The journal of a workflow after an entry.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn entries(&self, caller: &Caller, id: WorkflowId, after: i64, limit: u32) -> Result<Vec<Entry>, Error> {
        self.show(caller, id).await?;
        Ok(workflows::entries(&mut self.read().await?, id, after.max(0), limit).await?)
    }

    /// What a workflow asks, and who waits for it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn questions(&self, caller: &Caller, id: WorkflowId) -> Result<Vec<OpenQuestion>, Error> {
        let workflow = self.show(caller, id).await?;
        let mut open = Vec::new();
        for question in workflows::open(&mut self.read().await?, id).await? {
            let may_answer = self.may_answer(caller, &workflow, &question).await?;
            open.push(OpenQuestion {
                form: serde_json::from_str(&question.form).unwrap_or_default(),
                detail: serde_json::from_str(&question.detail).unwrap_or_default(),
                name: question.name,
                text: question.text,
                asked_at: question.asked_at,
                deadline: question.deadline,
                may_answer,
            });
        }
        Ok(open)
    }

    async fn may_answer(&self, caller: &Caller, workflow: &Workflow, question: &Question) -> Result<bool, Error> {
        let Some(person) = caller.person_id() else { return Ok(false) };
        let owner = workflow.person_id == person;
        let admin = |publisher| caller.viewer().role_in(publisher).is_some_and(|role| role.includes(Role::Admin));
        match question.who {
            Who::Owner => Ok(owner),
            Who::Publisher => Ok(owner || workflow.publisher_id.is_some_and(admin)),
            Who::Persons => {
                Ok(workflows::is_asked(&mut self.read().await?, workflow.id, question.number, person).await?)
            }
        }
    }

    /// Answers a question, once.
    ///
    /// # Errors
    /// [`Error::QuestionNotFound`], [`Error::NotAsked`], [`Error::Invalid`] when the answer does not fit the form,
    /// [`Error::Conflict`] when somebody answered before or its time is over.
    pub async fn answer(&self, caller: &Caller, id: WorkflowId, name: &str, value: Value) -> Result<(), Error> {
        let workflow = self.show(caller, id).await?;
        caller.require(Scope::Run)?;
        let missing = || Error::QuestionNotFound { name: name.chars().take(100).collect() };
        let found = workflows::sought(&mut self.read().await?, id, name).await?;
        let question = found.ok_or_else(missing)?;
        let by = caller.person_id().ok_or(Error::NotAsked)?;
        if !self.may_answer(caller, &workflow, &question).await? {
            return Err(Error::NotAsked);
        }
        check(&question, &value)?;
        let (now, number, text, caller) = (self.now(), question.number, value.to_string(), caller.clone());
        let unit = self.0.db.write(move |tx| {
            Box::pin(async move {
                if !workflows::answer(tx, (id, number), by, &text, now).await? {
                    return Ok::<_, Error>(false);
                }
                workflows::signal(tx, &[id], now).await?;
                bell::ring(tx, BELL).await?;
                note(tx, &caller, ("workflow.answer", &workflow), json!({ "question": question.name }), now).await?;
                Ok(true)
            })
        });
        if !unit.await? {
            return Err(Error::Conflict {
                detail: "the question was answered before, or its time is over".to_owned(),
                hint: "`kontor workflows show` tells what became of it",
            });
        }
        self.told(id);
        Ok(())
    }

    /// Ends a workflow: what it did is taken back. One that is over stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it is too late.
    pub async fn cancel(&self, caller: &Caller, id: WorkflowId) -> Result<Workflow, Error> {
        let workflow = self.show(caller, id).await?;
        caller.require(Scope::Run)?;
        if workflow.state.is_over() {
            return Ok(workflow);
        }
        let (now, by, actor) = (self.now(), caller.person_id(), caller.clone());
        let unit = self.0.db.write(move |tx| {
            Box::pin(async move {
                let wanted = workflows::cancel(tx, id, by, now).await?.is_some();
                if wanted {
                    bell::ring(tx, BELL).await?;
                    note(tx, &actor, ("workflow.cancel", &workflow), json!({}), now).await?;
                }
                Ok::<_, Error>(wanted)
            })
        });
        let wanted = unit.await?;
        self.0.cancel_here(id);
        self.told(id);
        let workflow = self.show(caller, id).await?;
        if !wanted && !workflow.state.is_over() {
            return Err(Error::Conflict {
                detail: "it is too late to cancel: what it does can no longer be taken back".to_owned(),
                hint: "wait for its end",
            });
        }
        Ok(workflow)
    }

    /// Lets a workflow that failed or stalled go on, or begins it anew; what comes back is the one that goes on.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when its state does not allow that.
    pub async fn retry(&self, caller: &Caller, id: WorkflowId, from: RetryFrom) -> Result<Workflow, Error> {
        let workflow = self.show(caller, id).await?;
        caller.require(Scope::Run)?;
        let goes_on = match from {
            RetryFrom::Step => self.revive(caller, workflow).await?,
            RetryFrom::Start => self.begin_anew(workflow).await?,
        };
        self.told(id);
        self.show(caller, goes_on).await
    }

    async fn revive(&self, caller: &Caller, workflow: Workflow) -> Result<WorkflowId, Error> {
        let id = workflow.id;
        if !matches!(workflow.state, WorkflowState::Stalled | WorkflowState::Failed) {
            return Err(Error::Conflict {
                detail: format!("the workflow is {}, and only what failed or stalled is done again", workflow.state),
                hint: "begin it anew with `--from start` when it is over",
            });
        }
        let entries = load::entries(&mut self.read().await?, id).await?;
        let void = failed_places(&entries, workflow.state)?;
        let now = self.now();
        let data = json!({ "by": caller.person_id(), "void": Again { void }.void });
        let line = Line {
            at: now,
            kind: EntryKind::Retried,
            branch: String::new(),
            place: None,
            name: "retry".to_owned(),
            input: None,
            data: data.to_string(),
        };
        let entry = line.chained(id, workflow.entries.saturating_add(1), &workflow.head);
        let actor = caller.clone();
        let unit = self.0.db.write(move |tx| {
            Box::pin(async move {
                let revived = workflows::revive(tx, id, &entry, now).await?;
                if revived {
                    bell::ring(tx, BELL).await?;
                    note(tx, &actor, ("workflow.retry", &workflow), json!({ "from": "step" }), now).await?;
                }
                Ok::<_, Error>(revived)
            })
        });
        if unit.await? {
            return Ok(id);
        }
        Err(Error::Conflict { detail: "somebody was faster".to_owned(), hint: "look at it again" })
    }

    async fn begin_anew(&self, workflow: Workflow) -> Result<WorkflowId, Error> {
        if !matches!(workflow.state, WorkflowState::Failed | WorkflowState::Cancelled) {
            return Err(Error::Conflict {
                detail: format!(
                    "the workflow is {}, and only what failed or was cancelled is begun anew",
                    workflow.state
                ),
                hint: "cancel it first, so that what it did is taken back",
            });
        }
        let first = workflows::entries(&mut self.read().await?, workflow.id, 0, 1).await?;
        let input = first.first().map(Entry::value).and_then(|mut data| data.get_mut("input").map(Value::take));
        let start = Start {
            // Asked for twice, it is begun anew once.
            key: format!("retry of {}", workflow.id),
            kind: workflow.kind,
            owner: Owner { person: workflow.person_id, publisher: workflow.publisher_id },
            title: workflow.title,
            input: input.unwrap_or_default(),
        };
        Ok(self.begin(&start, Some(workflow.id)).await?.id)
    }

    /// How many workflows that are not over stand where.
    pub async fn counts(&self) -> Result<Counts, Error> {
        Ok(workflows::counts(&mut self.read().await?).await?)
    }

    fn told(&self, id: WorkflowId) {
        self.0.news.tell(id);
        self.wake();
    }
}

/// On each branch the place from which on it is done again.
fn failed_places(entries: &[Entry], state: WorkflowState) -> Result<Vec<(String, i64)>, Error> {
    let mut failed: Vec<(String, i64)> = Vec::new();
    let mut undone = false;
    for entry in entries {
        if entry.kind == EntryKind::Retried
            && let Ok(Again { void }) = serde_json::from_str::<Again>(&entry.data)
        {
            failed.retain(|(branch, place)| !void.iter().any(|(of, from)| of == branch && from <= place));
        }
        let Some(place) = entry.place.filter(|_| entry.kind == EntryKind::Step) else { continue };
        let kept = serde_json::from_str::<Kept>(&entry.data).ok();
        if kept.is_some_and(|kept| kept.error.is_some()) {
            failed.push((entry.branch.clone(), place));
        } else {
            undone |= is_undo(&entry.branch);
        }
    }
    let taking_back: Vec<_> = failed.iter().filter(|(branch, _)| is_undo(branch)).cloned().collect();
    if !taking_back.is_empty() {
        return Ok(taking_back);
    }
    if state == WorkflowState::Failed && (undone || failed.is_empty()) {
        return Err(Error::Conflict {
            detail: if undone { "what it did was taken back" } else { "no step of it failed" }.to_owned(),
            hint: "begin it anew with `--from start`",
        });
    }
    Ok(failed.pop().into_iter().collect())
}

fn check(question: &Question, value: &Value) -> Result<(), Error> {
    if value.to_string().len() > ANSWER {
        return Err(Error::invalid(format!("an answer has at most {ANSWER} bytes")));
    }
    let form: Value = serde_json::from_str(&question.form).unwrap_or_default();
    let form = jsonschema::validator_for(&form).map_err(|error| Error::invalid(error.to_string()))?;
    let wrong: Vec<String> = form.iter_errors(value).take(3).map(|error| error.to_string()).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!("the answer does not fit: {}", wrong.join("; "))))
}

async fn note(
    tx: &mut kontor_db::Tx,
    caller: &Caller,
    (action, workflow): (&'static str, &Workflow),
    mut detail: Value,
    now: Timestamp,
) -> Result<(), Error> {
    if let Some(detail) = detail.as_object_mut() {
        detail.insert("workflow".to_owned(), workflow.id.to_string().into());
    }
    let mut event = audit::Event::new(action, workflow.title.clone()).detail(detail);
    if let Some(publisher) = workflow.publisher_id {
        event = event.publisher(publisher);
    }
    Ok(audit::record(tx, caller, event, now).await?)
}

fn begins(cursor: &Cursor) -> Result<WorkflowId, Error> {
    let [id] = cursor.keys::<1>().ok_or(Error::Cursor)?;
    id.parse().map_err(|_| Error::Cursor)
}
