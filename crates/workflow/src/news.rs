//! Telling those in this process who wait for a workflow what happens to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kontor_db::workflows::Leave;
use kontor_types::WorkflowId;
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, mpsc};

use crate::Outcome;

/// Who waits for what.
#[derive(Debug, Default)]
pub(crate) struct News(Mutex<Listeners>);

#[derive(Debug, Default)]
struct Listeners {
    /// How many hear of each workflow, and by what.
    heard: HashMap<WorkflowId, (usize, Arc<Notify>)>,
    /// Who waits for the end of each.
    ends: HashMap<WorkflowId, Vec<mpsc::UnboundedSender<Outcome>>>,
}

/// Hears of a workflow while it lives.
pub(crate) struct Heard<'n> {
    news: &'n News,
    id: WorkflowId,
    notify: Arc<Notify>,
}

/// Waits for the end of a workflow while it lives.
pub(crate) struct Awaited<'n> {
    news: &'n News,
    id: WorkflowId,
    ends: mpsc::UnboundedReceiver<Outcome>,
}

impl News {
    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears whatever is written of a workflow from now on.
    pub fn hear(&self, id: WorkflowId) -> Heard<'_> {
        let mut listeners = self.listeners();
        let (count, notify) = listeners.heard.entry(id).or_default();
        *count += 1;
        Heard { news: self, id, notify: Arc::clone(notify) }
    }

    /// Waits for the end of a workflow.
    pub fn end_of(&self, id: WorkflowId) -> Awaited<'_> {
        let (sender, ends) = mpsc::unbounded_channel();
        self.listeners().ends.entry(id).or_default().push(sender);
        Awaited { news: self, id, ends }
    }

    /// Something was written of a workflow.
    pub fn tell(&self, id: WorkflowId) {
        if let Some((_, notify)) = self.listeners().heard.get(&id) {
            notify.notify_waiters();
        }
    }

    /// A worker let a workflow go.
    pub fn left(&self, id: WorkflowId, leave: &Leave) {
        let mut listeners = self.listeners();
        if leave.ended_at.is_none() && leave.error.is_none() {
            return;
        }
        for waiting in listeners.ends.remove(&id).unwrap_or_default() {
            let outcome = Outcome { id, state: leave.state, output: leave.output.clone(), error: leave.error.clone() };
            // Whoever waited may have gone away.
            let _ = waiting.send(outcome);
        }
    }
}

impl Heard<'_> {
    /// Rung when something is written.
    pub fn notified(&self) -> Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Heard<'_> {
    fn drop(&mut self) {
        let mut listeners = self.news.listeners();
        if let Some((count, _)) = listeners.heard.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                listeners.heard.remove(&self.id);
            }
        }
    }
}

impl Awaited<'_> {
    /// The end; waits for ever when it was told before.
    pub async fn next(&mut self) -> Outcome {
        match self.ends.recv().await {
            Some(outcome) => outcome,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.ends.close();
        let mut listeners = self.news.listeners();
        if let Some(waiting) = listeners.ends.get_mut(&self.id) {
            waiting.retain(|waiting| !waiting.is_closed());
            if waiting.is_empty() {
                listeners.ends.remove(&self.id);
            }
        }
    }
}
