use kontor_db::workflows::{self, Entry, EntryKind, WorkflowState};
use kontor_types::WorkflowId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ask::unavailable;
use super::{Journal, Place};
use crate::workflows::new_row;
use crate::{Start, Stop};

#[derive(Serialize, Deserialize)]
struct Child {
    workflow: WorkflowId,
}

#[derive(Serialize, Deserialize)]
struct Ended {
    of: i64,
    state: String,
    output: Option<Value>,
    code: Option<String>,
    message: Option<String>,
}

impl Journal {
    /// Begins another workflow for the same owner and waits for what comes of it; no worker is held meanwhile. Whoever cancels
    /// this one cancels that one too.
    ///
    /// # Errors
    /// [`Stop::Refused`] when it failed or was cancelled.
    pub async fn child(&self, name: &str, kind: &str, input: &Value) -> Result<Value, Stop> {
        let digest = self.digest_of(&(kind, input))?;
        let place = self.place(name, Some(digest))?;
        match self.journaled(&place, EntryKind::Child)? {
            Some(entry) => self.look_for_end(entry).await,
            None => self.beget(&place, kind, input).await,
        }
    }

    async fn beget(&self, place: &Place, kind: &str, input: &Value) -> Result<Value, Stop> {
        self.go_on().await?;
        let busy = self.core.busy();
        self.core.flush().await?;
        let start = Start {
            key: self.key_at(place.number),
            kind: kind.to_owned(),
            owner: self.core.owner,
            title: place.name.clone(),
            input: input.clone(),
        };
        let version = self
            .core
            .recorder
            .newest(kind)
            .ok_or_else(|| Stop::invalid(format!("`{kind}` is no kind of workflow that this process knows")))?;
        let mut row = new_row(&start, version, self.core.now()).map_err(|error| Stop::invalid(error.to_string()))?;
        row.parent = Some(self.core.id);
        let begun = self.core.recorder.begin(row, None).await;
        let begun = begun.map_err(|error| Stop::Unavailable { message: error.to_string() })?;
        self.core.push(self.line(EntryKind::Child, place, json!({ "workflow": begun.id, "kind": kind }).to_string()));
        self.core.recorder.wake();
        drop(busy);
        Err(self.core.wait(None).await)
    }

    async fn look_for_end(&self, begun: &Entry) -> Result<Value, Stop> {
        let ended = match self.core.journaled.child(begun.number) {
            Some(entry) => serde_json::from_str::<Ended>(&entry.data)
                .map_err(|error| Stop::invalid(format!("entry {} cannot be read: {error}", entry.number)))?,
            None => self.find_end(begun).await?,
        };
        if ended.state == WorkflowState::Finished.as_str() {
            return Ok(ended.output.unwrap_or_default());
        }
        if self.core.is_cancelled() {
            return Err(self.core.note_cancelling());
        }
        let code = ended.code.unwrap_or(ended.state);
        let message = ended.message.unwrap_or_else(|| "the workflow that it waited for was cancelled".to_owned());
        Err(Stop::Refused { step: begun.name.clone(), code, message })
    }

    async fn find_end(&self, begun: &Entry) -> Result<Ended, Stop> {
        let child: Child = serde_json::from_str(&begun.data)
            .map_err(|error| Stop::invalid(format!("entry {} cannot be read: {error}", begun.number)))?;
        let busy = self.core.busy();
        let standing = async { workflows::standing(&mut self.core.db.read().await?, &[child.workflow]).await };
        let found = standing.await.map_err(|error| unavailable(&error))?.pop();
        let Some(row) = found.filter(|row| row.state.is_over()) else {
            drop(busy);
            // Also when somebody cancelled: what that one did is taken back first.
            return Err(self.core.wait(None).await);
        };
        drop(busy);
        let ended = Ended {
            of: begun.number,
            state: row.state.as_str().to_owned(),
            output: row.output.and_then(|text| serde_json::from_str(&text).ok()),
            code: row.error_code,
            message: row.error,
        };
        let data = serde_json::to_string(&ended).map_err(|error| Stop::invalid(error.to_string()))?;
        self.core.push(self.core.line(EntryKind::ChildEnded, &self.branch.name, None, &begun.name, None, data));
        Ok(ended)
    }
}
