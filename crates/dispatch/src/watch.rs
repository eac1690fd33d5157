//! Following a run while it goes on.

use std::collections::VecDeque;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use kontor_access::Caller;
use kontor_db::runs::{self, Run, RunEvent};
use kontor_types::RunId;

use crate::{Error, Runs};

/// How often a run of another process is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// Events that are read at a time.
const PART: u32 = 200;

/// One that follows.
struct Follower {
    runs: Runs,
    caller: Caller,
    id: RunId,
    after: i64,
    waiting: VecDeque<RunEvent>,
    /// Everything was told.
    ended: bool,
}

impl Runs {
    /// What happens in a run after event number `after`, as it happens; the stream ends when the run is over and all was
    /// told. Whoever may no longer see the run is told nothing more.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn watch(
        &self,
        caller: &Caller,
        id: RunId,
        after: i64,
    ) -> Result<BoxStream<'static, Result<RunEvent, Error>>, Error> {
        self.show(caller, id).await?;
        let follower = Follower {
            runs: self.clone(),
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

    /// The run when it is over, or as it is after `patience`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn result(&self, caller: &Caller, id: RunId, patience: Duration) -> Result<Run, Error> {
        let waiting = async {
            loop {
                let happened = self.0.happened.notified();
                let mut happened = std::pin::pin!(happened);
                happened.as_mut().enable();
                let run = self.show(caller, id).await?;
                if run.state.is_over() {
                    return Ok(run);
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
    async fn next(&mut self) -> Result<Option<RunEvent>, Error> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                self.after = event.number;
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            let runs = self.runs.clone();
            let happened = runs.0.happened.notified();
            let mut happened = std::pin::pin!(happened);
            happened.as_mut().enable();
            // First whether it is over, then what is told: so nothing that was told before its end is missed.
            let over = self.runs.show(&self.caller, self.id).await?.state.is_over();
            let told = runs::events(&mut self.runs.read().await?, self.id, self.after, PART).await?;
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
