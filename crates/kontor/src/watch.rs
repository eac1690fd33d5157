//! The newest checkpoint of each hub's log that was seen: a log that becomes shorter or tells another history is noticed.

mod evidence;
mod memory;

use std::collections::BTreeSet;
use std::sync::Arc;

use kontor_client::{Client, Distrust, Error};
use kontor_translog::{Checkpoint, FetchedNodes, consistency, verify_consistency};
use kontor_types::{Clock as _, Digest, SystemClock, Timestamp};
use tokio::sync::Mutex;

pub use memory::Memory;
use memory::Remembered;

use crate::amounts::moment;
use crate::session::{HistoryName, HubKeys, KnownHubs, Meeting, Session};

/// Most tiles that one comparison of two checkpoints fetches; a tree of any size needs fewer.
const MOST_TILES: usize = 300;

/// Compares what the log of a hub shows with what it has shown.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    keys: HubKeys,
    /// Checkpoints that fit what is remembered: name, size, root.
    proven: Mutex<BTreeSet<(String, u64, Digest)>>,
}

/// What a look at a log has shown.
#[derive(Debug)]
pub struct Look {
    /// The newest checkpoint; none while the log has none.
    pub newest: Option<Checkpoint>,
    /// How many entries the same history had when it was seen last, and when.
    pub before: Option<(u64, Timestamp)>,
    /// What somebody should be told: that a new history began, that nothing could be remembered.
    pub news: Vec<String>,
}

/// A checkpoint as it was shown, with what it says.
struct Shown {
    note: String,
    checkpoint: Checkpoint,
}

/// Meets a hub: its keys are compared with those known, its log with what it has shown before.
///
/// # Errors
/// When it shows keys or a log that contradict what is known of it.
pub async fn meet(client: &Client, session: &Session) -> anyhow::Result<(Arc<Watch>, Look)> {
    // The log and its keys are public; nobody's token is needed for them, and a wrong one says nothing about them.
    let public = Client::new(client.registry(), None)?;
    let keys = HubKeys::parse(&public.log_keys().await?)?;
    let mut known = KnownHubs::read()?;
    let meeting = known.meet(client.registry(), keys.clone())?;
    if meeting != Meeting::Known
        && let Err(error) = known.write()
    {
        session.terminal.warn(&format!("the hub's keys are not remembered: {error:#}"));
    }
    if meeting == Meeting::Replaced {
        Memory::keep(client.registry(), Vec::new())?;
    }
    let watch = Watch { client: public, keys, proven: Mutex::default() };
    let look = watch.look().await?;
    for news in &look.news {
        session.terminal.warn(news);
    }
    Ok((Arc::new(watch), look))
}

impl Watch {
    /// The keys that the hub shows.
    pub const fn keys(&self) -> &HubKeys {
        &self.keys
    }

    /// Asks for the newest checkpoint of each history that counts and compares it with the one remembered.
    async fn look(&self) -> Result<Look, Error> {
        let known = Memory::read()?.of(self.client.registry());
        let histories = self.keys.histories();
        let named = |origin: &str| histories.iter().any(|history| history.origin == origin);
        if let Some(lost) = known.iter().find(|known| !named(&known.origin)) {
            let reason = format!("does not name its log `{}` any more", lost.origin);
            return Err(self.refuse(Distrust::LogReplaced, &reason, &lost.checkpoint, ""));
        }
        let mut look = Look { newest: None, before: None, news: Vec::new() };
        let mut kept = Vec::new();
        for (number, history) in histories.iter().enumerate() {
            let before = known.iter().find(|known| known.origin == history.origin);
            let is_last = number + 1 == histories.len();
            if before.is_none() && !is_last {
                continue;
            }
            if let Some(before) = before.filter(|before| before.ended) {
                kept.push(before.clone());
                continue;
            }
            let later = histories.get(number + 1..).unwrap_or_default();
            let successor = later.iter().find(|later| !known.iter().any(|known| known.origin == later.origin));
            let shown = self.shown(history).await?;
            if let Some(before) = before {
                look.news.extend(self.compare(history, before, shown.as_ref(), successor).await?);
            }
            let newest = newest(before, shown, successor.is_some());
            if is_last {
                look.newest = newest.as_ref().and_then(Remembered::parsed);
                look.before = before.map(|before| (before.entries(), before.seen_at));
            }
            kept.extend(newest);
        }
        if let Err(error) = Memory::keep(self.client.registry(), kept) {
            look.news.push(format!("what the hub's log shows is not remembered: {error}"));
        }
        Ok(look)
    }

    /// The checkpoint that the hub shows of a history, signed by its key.
    async fn shown(&self, history: &HistoryName) -> Result<Option<Shown>, Error> {
        let Some(note) = self.client.log_file(&format!("{}/checkpoint", history.path)).await? else { return Ok(None) };
        let keys = self.log_keys()?;
        let checkpoint = Checkpoint::open(&note, &keys).map_err(|error| self.unreadable(&error))?;
        let note = String::from_utf8(note).map_err(|error| self.unreadable(&error))?;
        if checkpoint.origin == history.origin {
            return Ok(Some(Shown { note, checkpoint }));
        }
        let reason = format!("shows `{}` where its log `{}` should be", checkpoint.origin, history.origin);
        Err(self.refuse(Distrust::LogReplaced, &reason, "", &note))
    }

    /// Compares what is shown with what is remembered; what is to be told of it, when a documented new history explains it.
    async fn compare(
        &self,
        history: &HistoryName,
        before: &Remembered,
        shown: Option<&Shown>,
        succeeded: Option<&HistoryName>,
    ) -> Result<Option<String>, Error> {
        let entries = before.entries();
        let size = shown.map_or(0, |shown| shown.checkpoint.size);
        let registry = self.client.registry();
        if size < entries {
            let Some(next) = succeeded else {
                let reason = format!("shows {size} entries of its log `{}`, which had {entries}", history.origin);
                let note = shown.map_or("", |shown| shown.note.as_str());
                return Err(self.refuse(Distrust::LogRolledBack, &reason, &before.checkpoint, note));
            };
            return Ok(Some(format!(
                "{registry} has begun a new history of its log, `{}`; of the {entries} entries of `{}` that were seen on {} \
                 it shows {size}: ask its operator what was lost",
                next.origin,
                history.origin,
                moment(before.seen_at)
            )));
        }
        if let (Some(shown), Some(old)) = (shown, before.parsed()) {
            self.require_same(history, (&old, &before.checkpoint), (&shown.checkpoint, &shown.note)).await?;
        }
        Ok(succeeded.map(|next| {
            format!(
                "{registry} has begun a new history of its log, `{}`; `{}` is there as it was",
                next.origin, history.origin
            )
        }))
    }

    /// Accepts the checkpoint of a proof only when it is of the history that is remembered, at an earlier or later size.
    pub async fn confirm(&self, note: &str) -> Result<(), Error> {
        let keys = self.log_keys()?;
        let shown = Checkpoint::open(note.as_bytes(), &keys).map_err(|error| self.unreadable(&error))?;
        let key = (shown.origin.clone(), shown.size, shown.root);
        let mut proven = self.proven.lock().await;
        if proven.contains(&key) {
            return Ok(());
        }
        let mut known = Memory::read()?.of(self.client.registry());
        let histories = self.keys.histories();
        let Some((number, history)) = histories.iter().enumerate().find(|(_, history)| history.origin == shown.origin)
        else {
            return Err(self.unreadable(&format!("a proof is of `{}`, which is none of its histories", shown.origin)));
        };
        let place = known.iter().position(|known| known.origin == shown.origin);
        let mut news = true;
        if let Some(before) = place.and_then(|place| known.get_mut(place)) {
            if let Some(old) = before.parsed() {
                let (old, new) = ((&old, before.checkpoint.as_str()), (&shown, note));
                let (first, second) = if old.0.size <= new.0.size { (old, new) } else { (new, old) };
                self.require_same(history, first, second).await?;
                news = shown.size > old.0.size;
            }
            if news {
                (before.checkpoint, before.seen_at) = (note.to_owned(), SystemClock.now());
            }
        } else {
            let ended = number + 1 < histories.len();
            let (origin, checkpoint) = (shown.origin.clone(), note.to_owned());
            known.push(Remembered { origin, checkpoint, seen_at: SystemClock.now(), ended });
        }
        if news && let Err(error) = Memory::keep(self.client.registry(), known) {
            tracing::debug!(%error, "what the hub's log shows is not remembered");
        }
        proven.insert(key);
        Ok(())
    }

    /// Refuses two checkpoints of which the later does not begin with the earlier.
    async fn require_same(
        &self,
        history: &HistoryName,
        (old, old_note): (&Checkpoint, &str),
        (new, new_note): (&Checkpoint, &str),
    ) -> Result<(), Error> {
        let path = self.consistency(history, old.size, new.size).await?;
        verify_consistency((old.size, &old.root), (new.size, &new.root), &path).map_err(|_| {
            let reason = format!("shows another history of its log `{}` than before", history.origin);
            self.refuse(Distrust::LogForked, &reason, old_note, new_note)
        })
    }

    /// The consistency proof, from the tiles that the hub publishes.
    async fn consistency(&self, history: &HistoryName, old: u64, new: u64) -> Result<Vec<Digest>, Error> {
        let mut nodes = FetchedNodes::new(new);
        for _ in 0..MOST_TILES {
            let outcome = consistency(&mut nodes, old, new);
            let Some(tile) = nodes.missing() else { return outcome.map_err(|error| self.unreadable(&error)) };
            let mut bytes = self.client.log_file(&format!("{}/{tile}", history.path)).await?;
            if bytes.is_none() && !tile.is_full() {
                let full = kontor_translog::TilePath { width: 256, ..tile };
                bytes = self.client.log_file(&format!("{}/{full}", history.path)).await?;
            }
            let bytes = bytes.ok_or_else(|| self.unreadable(&format!("it does not show {tile}")))?;
            nodes.add(tile, &bytes).map_err(|error| self.unreadable(&error))?;
        }
        Err(self.unreadable(&"its tree does not end"))
    }

    fn log_keys(&self) -> Result<Vec<kontor_crypto::NoteVerifier>, Error> {
        self.keys.log_keys().map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, cause: &impl std::fmt::Display) -> Error {
        let message = format!("the log of {} cannot be checked: {cause}", self.client.registry());
        let hint = "ask the hub's operator; nothing was changed here";
        Error::distrusted(Distrust::NotProven, message, hint)
    }

    /// Keeps both sides of a contradiction and says where.
    fn refuse(&self, why: Distrust, reason: &str, before: &str, after: &str) -> Error {
        let registry = self.client.registry();
        let kept = match evidence::keep(registry, why, before, after, &self.keys) {
            Ok(path) => format!("both are kept in {}", path.display()),
            Err(error) => format!("the evidence could not be kept: {error:#}"),
        };
        let hint = "nothing was changed here: ask the hub's operator. After a restore from a backup they begin a new history \
                    with `kontor log restart`, which is told but not refused";
        Error::distrusted(why, format!("{registry} {reason}; {kept}"), hint)
    }
}

/// What is to be remembered of a history: the larger of what is remembered and what is shown. Of one that has ended it is
/// what is left of it, since the proofs in it are compared with that; that the rest is lost was told.
fn newest(before: Option<&Remembered>, shown: Option<Shown>, ended: bool) -> Option<Remembered> {
    let known = before.map_or(0, Remembered::entries);
    match (before, shown) {
        (_, None) if ended => None,
        (before, Some(shown)) if before.is_none() || ended || shown.checkpoint.size > known => Some(Remembered {
            origin: shown.checkpoint.origin,
            checkpoint: shown.note,
            seen_at: SystemClock.now(),
            ended,
        }),
        (before, _) => before.map(|before| Remembered { ended, ..before.clone() }),
    }
}
