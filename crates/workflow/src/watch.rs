//! Following a workflow while it goes on.

use std::collections::VecDeque;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use kontor_access::Caller;
use kontor_db::workflows::{self, Entry, Workflow, WorkflowState};
use kontor_types::WorkflowId;

use crate::{Error, Workflows};

/// How often a workflow of another process is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// Entries that are read at a time.
const PART: u32 = 200;

struct Follower {
    workflows: Workflows,
    caller: Caller,
    id: WorkflowId,
    after: i64,
    waiting: VecDeque<Entry>,
    /// Everything was told.
    ended: bool,
}

impl Workflows {
    /// The journal of a workflow after entry number `after`, as it grows; the stream ends when the workflow is over and all was
    /// told. Whoever may no longer see it is told nothing more.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn watch(
        &self,
        caller: &Caller,
        id: WorkflowId,
        after: i64,
    ) -> Result<BoxStream<'static, Result<Entry, Error>>, Error> {
        self.show(caller, id).await?;
        let follower = Follower {
            workflows: self.clone(),
            caller: caller.clone(),
            id,
            after: after.max(0),
            waiting: VecDeque::new(),
            ended: false,
        };
        Ok(stream::unfold(follower, |mut follower| async move {
            let next = follower.next().await.transpose()?;
            follower.ended |= next.is_err();
            Some((next, follower))
        })
        .boxed())
    }

    /// The workflow when it is over, stalls or has asked something, or as it is after `patience`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn result(&self, caller: &Caller, id: WorkflowId, patience: Duration) -> Result<Workflow, Error> {
        let heard = self.0.news.hear(id);
        let waiting = async {
            loop {
                let happened = heard.notified();
                let mut happened = std::pin::pin!(happened);
                happened.as_mut().enable();
                let workflow = self.show(caller, id).await?;
                if workflow.state.is_over() || workflow.state == WorkflowState::Stalled {
                    return Ok(workflow);
                }
                let asks = workflow.state == WorkflowState::Waiting
                    && !workflows::open(&mut self.read().await?, id).await?.is_empty();
                if asks {
                    return Ok(workflow);
                }
                tokio::select! {
                    () = happened => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
        };
        match tokio::time::timeout(patience, waiting).await {
            Ok(ended) => ended,
            Err(_) => self.show(caller, id).await,
        }
    }
}

impl Follower {
    async fn next(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            if let Some(entry) = self.waiting.pop_front() {
                self.after = entry.number;
                return Ok(Some(entry));
            }
            if self.ended {
                return Ok(None);
            }
            let workflows = self.workflows.clone();
            let heard = workflows.0.news.hear(self.id);
            let happened = heard.notified();
            let mut happened = std::pin::pin!(happened);
            happened.as_mut().enable();
            // First whether it is over, then what is told: so nothing that was told before its end is missed.
            let over = self.workflows.show(&self.caller, self.id).await?.state.is_over();
            let told = workflows::entries(&mut self.workflows.read().await?, self.id, self.after, PART).await?;
            if told.is_empty() && over {
                self.ended = true;
                continue;
            }
            if told.is_empty() {
                tokio::select! {
                    () = happened => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
            self.waiting.extend(told);
        }
    }
}
