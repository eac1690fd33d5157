//! Driving one workflow: its definition is run over its journal until it is over, or waits.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;

use futures::FutureExt as _;
use kontor_db::workflows::{Claimed, Entry, EntryKind, Leave, WorkflowState};
use kontor_types::Timestamp;
use serde_json::{Value, json};

use crate::core::{Core, CoreParts};
use crate::load::{self, Journaled};
use crate::workflows::Inner;
use crate::{Definition, Journal, Stop};

/// How a definition came to its end.
enum End {
    Finished(Value),
    Failed(Stop),
    Cancelled,
    Stalled(Stop),
    /// This worker can do nothing more; another one takes it when the lease ends.
    Abandoned(Stop),
}

/// What ended an attempt.
enum Came {
    End(End),
    /// It waits, until a moment at most.
    Waits(Option<Timestamp>),
}

impl Inner {
    /// Does what can be done of a workflow now.
    pub(crate) async fn drive(self: &Arc<Self>, claimed: Claimed, entries: Option<Vec<Entry>>) {
        let id = claimed.id;
        if let Err(stop) = Box::pin(self.attempt(claimed, entries)).await {
            tracing::warn!(workflow.id = %id, error = %stop, "a workflow was left to another attempt");
        }
    }

    async fn attempt(self: &Arc<Self>, claimed: Claimed, entries: Option<Vec<Entry>>) -> Result<(), Stop> {
        let entries = match entries {
            Some(entries) => entries,
            None => self.load(&claimed).await?,
        };
        let input = entries.first().and_then(|first| serde_json::from_str::<Value>(&first.data).ok());
        let input = input.and_then(|mut data| data.get_mut("input").map(Value::take)).unwrap_or_default();
        let core = Core::new(self.core_parts(), &claimed, Journaled::of(entries));
        let Some(definition) = self.definition(&claimed.kind, claimed.version) else { return Ok(()) };
        let _held = self.hold(&core);
        if claimed.crashes >= i64::from(self.settings.crashes) {
            let message = format!("its workers died {} times in the same place", claimed.crashes);
            let stop = Stop::Lost { step: String::new(), message };
            return finish(&core, End::Stalled(stop)).await;
        }
        let came = tokio::select! {
            () = core.fence.cancelled() => return Err(Stop::Taken),
            () = self.halt.cancelled() => return Ok(()),
            came = run(definition, &core, input) => came,
        };
        match came {
            Came::End(end) => finish(&core, end).await,
            Came::Waits(until) => put_aside(&core, until).await,
        }
    }

    async fn load(&self, claimed: &Claimed) -> Result<Vec<Entry>, Stop> {
        let found = async { load::entries(&mut self.db.read().await?, claimed.id).await };
        let unavailable = |error: kontor_db::Error| Stop::Unavailable { message: crate::recorder::chain(&error) };
        found.await.map_err(unavailable)
    }

    fn core_parts(&self) -> CoreParts {
        CoreParts {
            db: self.db.clone(),
            clock: Arc::clone(&self.clock),
            settings: self.settings.clone(),
            recorder: self.recorder(),
            stopping: self.stopping.clone(),
        }
    }
}

async fn run(definition: Arc<dyn Definition>, core: &Arc<Core>, input: Value) -> Came {
    let journal = Journal::new(Arc::clone(core));
    let whole = async {
        let ran = AssertUnwindSafe(async { definition.run(journal.clone(), input).await }).catch_unwind().await;
        let ran = ran.unwrap_or_else(|_| Err(Stop::invalid("the definition's code failed")));
        conclude(&journal, ran).await
    };
    let mut whole = std::pin::pin!(whole);
    poll_fn(|context| match whole.as_mut().poll(context) {
        Poll::Ready(end) => Poll::Ready(Came::End(end)),
        Poll::Pending => core.idles().map_or(Poll::Pending, |idle| Poll::Ready(Came::Waits(idle.until))),
    })
    .await
}

/// What follows from what the definition gave: whether something is taken back.
async fn conclude(journal: &Journal, ran: Result<Value, Stop>) -> End {
    let core = journal.core();
    let stop = match ran {
        Ok(output) if !core.was_cancelled() => return sized(journal, output),
        Ok(_) => Stop::Cancelled,
        Err(stop) => stop,
    };
    let end = match stop {
        Stop::Taken | Stop::Unavailable { .. } => return End::Abandoned(stop),
        Stop::Diverged { .. } | Stop::Invalid { .. } => return End::Stalled(stop),
        Stop::Exhausted { .. } | Stop::Lost { .. } if !core.is_cancelled() => return End::Stalled(stop),
        Stop::Cancelled if !core.was_cancelled() => End::Failed(Stop::refuse("cancelled", "it ended itself")),
        Stop::Refused { .. } if !core.was_cancelled() => End::Failed(stop),
        Stop::Cancelled | Stop::Refused { .. } => End::Cancelled,
        Stop::Exhausted { .. } | Stop::Lost { .. } => {
            core.note_cancelling();
            End::Cancelled
        }
    };
    match journal.take_back().await {
        Ok(()) => end,
        Err(stop @ (Stop::Taken | Stop::Unavailable { .. })) => End::Abandoned(stop),
        Err(stop) => End::Stalled(stop),
    }
}

fn sized(journal: &Journal, output: Value) -> End {
    match journal.check_size("what came of it", output.to_string().len()) {
        Ok(()) => End::Finished(output),
        Err(stop) => End::Stalled(stop),
    }
}

/// Writes down how it ended.
async fn finish(core: &Core, end: End) -> Result<(), Stop> {
    let now = core.now();
    let (state, output, error) = match end {
        End::Finished(output) => (WorkflowState::Finished, Some(output), None),
        End::Failed(stop) => (WorkflowState::Failed, None, Some(stop)),
        End::Cancelled => (WorkflowState::Cancelled, None, None),
        End::Stalled(stop) => (WorkflowState::Stalled, None, Some(stop)),
        End::Abandoned(stop) => return Err(stop),
    };
    let error = error.map(|stop| (stop.code().to_owned(), stop.to_string()));
    let mut data = json!({ "state": state.as_str() });
    if let Some(told) = data.as_object_mut() {
        if let Some(output) = &output {
            told.insert("output".to_owned(), output.clone());
        }
        if let Some((code, message)) = &error {
            told.insert("error_code".to_owned(), code.as_str().into());
            told.insert("error".to_owned(), message.as_str().into());
        }
    }
    let kind = if state.is_over() { EntryKind::Ended } else { EntryKind::Stalled };
    core.push(core.line(kind, "", None, state.as_str(), None, data.to_string()));
    let output = output.map(|output| output.to_string());
    let ended_at = state.is_over().then_some(now);
    core.leave(Leave { state, wake_at: None, signals: core.signals, output, error, ended_at }).await
}

/// Lets the workflow go until something happens.
async fn put_aside(core: &Core, until: Option<Timestamp>) -> Result<(), Stop> {
    let state = WorkflowState::Waiting;
    core.leave(Leave { state, wake_at: until, signals: core.signals, output: None, error: None, ended_at: None }).await
}
