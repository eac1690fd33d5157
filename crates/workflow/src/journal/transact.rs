use futures::future::BoxFuture;
use kontor_db::workflows::{self, Append, EntryKind};
use kontor_db::{Error as DbError, Tx};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

use super::{Begun, Journal, Settled, Try, kept, parse};
use crate::core::Within;
use crate::recorder::chain;
use crate::{Attempt, Step, StepError, Stop};

/// What a step does in a transaction; what comes of it as JSON.
type Body = Arc<dyn for<'t> Fn(&'t mut Tx, Attempt) -> BoxFuture<'t, Result<String, StepError>> + Send + Sync>;

/// How a transaction with a step ended.
enum Ended {
    /// It failed; nothing was written.
    Failed(StepError),
    /// Another worker has the workflow.
    Taken,
    /// The database failed, and what was written is to be found out.
    Unknown(String),
}

impl From<DbError> for Ended {
    fn from(error: DbError) -> Self {
        Self::Unknown(chain(&error))
    }
}

impl Journal {
    /// Does a step that writes into the database: its writes and its entry are one commit, so it is done exactly once.
    ///
    /// # Errors
    /// As [`Journal::step`].
    pub async fn step_in_tx<I, O, F>(&self, step: impl Into<Step> + Send, input: &I, body: F) -> Result<O, Stop>
    where
        I: Serialize + Sync + ?Sized,
        O: Serialize + DeserializeOwned + Send + 'static,
        F: for<'t> Fn(&'t mut Tx, Attempt) -> BoxFuture<'t, Result<O, StepError>> + Send + Sync + 'static,
    {
        let (step, input) = (step.into(), self.digest_of(input)?);
        let begun = match self.begin(&step, input).await? {
            Begun::Kept(entry) => return kept(&entry),
            Begun::Try(begun) => begun,
        };
        let busy = self.core.busy();
        let body: Body = Arc::new(move |tx, attempt| {
            let done = body(tx, attempt);
            Box::pin(async move {
                let output = done.await?;
                serde_json::to_string(&output)
                    .map_err(|error| StepError::refused("no_json", format!("what came of it is no JSON: {error}")))
            })
        });
        let settled = match self.transact(&begun, body).await {
            Ok(text) => Ok(Settled::Done(text)),
            Err(Ended::Failed(error)) => self.settle(&step, begun, Err(error)).await,
            Err(Ended::Taken) => {
                self.core.close();
                self.core.fence.cancel();
                Err(Stop::Taken)
            }
            Err(Ended::Unknown(message)) => {
                self.core.close();
                self.core.fence.cancel();
                Err(Stop::Unavailable { message })
            }
        };
        drop(busy);
        match settled? {
            Settled::Done(text) => parse(&step.name, &text),
            Settled::Again(at) => Err(self.core.wait(Some(at)).await),
        }
    }

    async fn transact(&self, begun: &Try, body: Body) -> Result<String, Ended> {
        let within = self.core.within().await.map_err(|_| Ended::Taken)?;
        let (mut races, deadline) = (0_u32, tokio::time::Instant::now() + self.core.settings.patience);
        loop {
            match self.transact_once(&within, begun, &body).await {
                Ok((text, append)) => {
                    if let Some(entry) = append.entries.last() {
                        within.written(entry);
                    }
                    return Ok(text);
                }
                Err(Ended::Unknown(message)) => {
                    races = races.saturating_add(1);
                    if races > 8 && tokio::time::Instant::now() >= deadline {
                        return Err(Ended::Unknown(message));
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(5) * 2_u32.pow(races.min(8))).await;
                    if !self.still_ours(&within).await.map_err(|_| Ended::Unknown(message))? {
                        // Either it was written after all, or another worker has it: a new attempt reads which.
                        return Err(Ended::Taken);
                    }
                }
                Err(other) => return Err(other),
            }
        }
    }

    async fn transact_once(&self, within: &Within<'_>, begun: &Try, body: &Body) -> Result<(String, Append), Ended> {
        let (body, attempt, most) = (Arc::clone(body), begun.attempt.clone(), self.core.settings.text);
        let empty = self.line(EntryKind::Step, &begun.place, String::new());
        let (tail, id, number) = (within.tail(), self.core.id, self.core.attempt);
        self.core
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let tries = attempt.number;
                    let text = body(tx, attempt).await.map_err(Ended::Failed)?;
                    if text.len() > most {
                        let error =
                            StepError::refused("too_large", format!("what came of it has more than {most} bytes"));
                        return Err(Ended::Failed(error));
                    }
                    let data = format!("{{\"tries\":{tries},\"output\":{text}}}");
                    let entry = crate::chain::Line { data, ..empty }.chained(id, tail.0.saturating_add(1), &tail.1);
                    let append = Append {
                        id,
                        attempt: number,
                        before: tail.0,
                        head: entry.digest,
                        entries: vec![entry],
                        seals: false,
                        leave: None,
                    };
                    let held = workflows::append(tx, &[&append]).await?;
                    if held.is_empty() { Err(Ended::Taken) } else { Ok((text, append)) }
                })
            })
            .await
    }

    /// Whether the journal is as long as this attempt left it.
    async fn still_ours(&self, within: &Within<'_>) -> Result<bool, DbError> {
        let standing = workflows::standing(&mut self.core.db.read().await?, &[self.core.id]).await?;
        Ok(standing.iter().any(|row| row.attempt == self.core.attempt && row.entries == within.tail().0))
    }
}
