use kontor_db::workflows::EntryKind;
use kontor_types::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Journal;
use crate::Stop;

/// What was chosen among what, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Everything that was looked at.
    pub candidates: Vec<Candidate>,
    /// The name of the one that was chosen; none when nothing was good enough.
    pub chosen: Option<String>,
    /// Why, in a sentence.
    pub reason: String,
}

/// Something that might have been chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// What it is.
    pub name: String,
    /// What it was judged by.
    pub marks: Value,
    /// Why it was refused, when it was.
    pub refused: Option<String>,
}

impl Journal {
    /// Writes down a choice, with all that was not chosen.
    ///
    /// # Errors
    /// Why the workflow cannot go on.
    pub async fn choose(&self, name: &str, choice: &Choice) -> Result<(), Stop> {
        self.note(EntryKind::Chosen, name, choice).await
    }

    /// Tells those who follow the workflow something. It is on their screens before the next step begins.
    ///
    /// # Errors
    /// Why the workflow cannot go on.
    pub async fn tell(&self, name: &str, data: &Value) -> Result<(), Stop> {
        self.note(EntryKind::Told, name, data).await
    }

    /// From here on nothing is taken back, and whoever wants to cancel is told that it is too late.
    ///
    /// # Errors
    /// [`Stop::Cancelled`] when somebody cancelled before.
    pub async fn seal(&self, name: &str) -> Result<(), Stop> {
        let place = self.place(name, None)?;
        if self.journaled(&place, EntryKind::Sealed)?.is_none() {
            self.go_on().await?;
            let busy = self.core.busy();
            self.core.push(self.line(EntryKind::Sealed, &place, "{}".to_owned()));
            let sealed = self.core.flush_sealing().await;
            drop(busy);
            if let Err(stop) = sealed {
                return Err(if stop == Stop::Cancelled { self.core.note_cancelling() } else { stop });
            }
        }
        self.core.seal();
        Ok(())
    }

    async fn note<T: Serialize + Sync>(&self, kind: EntryKind, name: &str, data: &T) -> Result<(), Stop> {
        let text = serde_json::to_string(data).map_err(|error| Stop::invalid(format!("a note is no JSON: {error}")))?;
        self.check_size("a note", text.len())?;
        let place = self.place(name, Some(Digest::of(text.as_bytes())))?;
        if self.journaled(&place, kind)?.is_none() {
            self.go_on().await?;
            self.core.push(self.line(kind, &place, text));
        }
        Ok(())
    }
}
