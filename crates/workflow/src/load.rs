//! What a journal says already, arranged as a definition asks for it.

use std::collections::HashMap;

use kontor_db::workflows::{self, Entry, EntryKind};
use kontor_db::{Conn, Error};
use kontor_types::{Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};

use crate::step::Tried;

/// Entries that are read at a time.
const PART: u32 = 1_000;

/// The journaled part of a workflow.
#[derive(Debug, Default)]
pub(crate) struct Journaled {
    placed: HashMap<(String, i64), Entry>,
    tried: HashMap<(String, i64), (u32, Timestamp)>,
    answered: HashMap<i64, Entry>,
    children: HashMap<i64, Entry>,
    /// It was seen that somebody wants it to end.
    pub cancelling: bool,
    /// It has asked somebody.
    pub asks: bool,
}

/// What a person had a workflow do again: on each branch all from a place on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Again {
    pub void: Vec<(String, i64)>,
}

/// What an entry that is no part of the definition is about.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct About {
    pub of: i64,
}

impl Journaled {
    /// Takes entries in their order.
    pub fn of(entries: Vec<Entry>) -> Self {
        let mut all = Self::default();
        for entry in entries {
            all.take(entry);
        }
        all
    }

    fn take(&mut self, entry: Entry) {
        match entry.kind {
            EntryKind::Failed => {
                let tried = serde_json::from_str::<Tried>(&entry.data).ok();
                if let (Some(place), Some(tried)) = (entry.place, tried) {
                    let again_at = Timestamp::from_micros(tried.again_at);
                    self.tried.insert((entry.branch, place), (tried.tries, again_at));
                }
            }
            EntryKind::Answered | EntryKind::ChildEnded => {
                let Ok(About { of }) = serde_json::from_str::<About>(&entry.data) else { return };
                let kept = if entry.kind == EntryKind::Answered { &mut self.answered } else { &mut self.children };
                kept.insert(of, entry);
            }
            EntryKind::Cancelling => self.cancelling = true,
            EntryKind::Retried => {
                if let Ok(Again { void }) = serde_json::from_str::<Again>(&entry.data) {
                    self.void(&void);
                }
            }
            _ => {
                self.asks |= entry.kind == EntryKind::Asked;
                if let Some(place) = entry.place {
                    self.placed.insert((entry.branch.clone(), place), entry);
                }
            }
        }
    }

    fn void(&mut self, void: &[(String, i64)]) {
        for (branch, from) in void {
            let stays = |(of, place): &(String, i64)| of != branch || place < from;
            self.placed.retain(|place, _| stays(place));
            self.tried.retain(|place, _| stays(place));
        }
    }

    pub fn at(&self, branch: &str, place: i64) -> Option<&Entry> {
        if self.placed.is_empty() {
            return None;
        }
        self.placed.get(&(branch.to_owned(), place))
    }

    /// How often a step was tried in vain, and when it is tried again.
    pub fn tried(&self, branch: &str, place: i64) -> Option<(u32, Timestamp)> {
        if self.tried.is_empty() {
            return None;
        }
        self.tried.get(&(branch.to_owned(), place)).copied()
    }

    /// The answer to the question that was asked in an entry.
    pub fn answer(&self, number: i64) -> Option<&Entry> {
        self.answered.get(&number)
    }

    /// How the workflow ended that was begun in an entry.
    pub fn child(&self, number: i64) -> Option<&Entry> {
        self.children.get(&number)
    }
}

/// The whole journal.
pub(crate) async fn entries(conn: &mut Conn, id: WorkflowId) -> Result<Vec<Entry>, Error> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let after = all.last().map_or(0, |entry| entry.number);
        let part = workflows::entries(conn, id, after, PART).await?;
        let more = part.len() >= PART as usize;
        all.extend(part);
        if !more {
            return Ok(all);
        }
    }
}
