//! What people looked for and did not find: requests that authors can take up. Kept without names, told only when several
//! asked.

mod words;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kontor_access::Caller;
use kontor_db::settings;
use kontor_db::unanswered_searches::{self as rows, Unanswered};
use kontor_search::{Filters, Mode, Query};
use kontor_types::{Day, Digest, PageSize, Viewer};
use tokio::sync::OnceCell;

use crate::catalogue::Hits;
use crate::{Error, Registry};

/// How many callers must have looked for the same before anybody is told.
const CALLERS: u32 = 3;
/// Heaps that callers are counted in: as many bits as a number has that every database can add.
const HEAPS: u8 = 62;
/// How long searches are kept.
const DAYS: i64 = 90;
/// Words that wait in memory for being written; what comes beyond them is not counted.
const MOST_WAITING: usize = 1_000;
/// Words that are looked at for an answer.
const LOOKED_AT: u32 = 200;
/// The setting that keeps the callers' heaps from being guessed.
const SALT: &str = "search.salt";

/// Searches that found nothing and were not yet written.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    waiting: Mutex<HashMap<(Day, String), (i64, i64)>>,
    salt: OnceCell<String>,
}

/// Something that people looked for and did not find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What they looked for, in small letters.
    pub words: String,
    /// How often.
    pub searches: u64,
    /// The day of the last search.
    pub last: Day,
}

impl Registry {
    /// Searches for a caller, and counts a search by words alone that found nothing at all.
    pub async fn search_by(&self, caller: &Caller, query: Query<'_>) -> Result<Hits, Error> {
        let plain = query.mode == Mode::Words && query.after.is_none() && query.filters == Filters::default();
        let words = if plain { words::kept(query.text) } else { None };
        let hits = self.search(query).await?;
        if let Some(words) = words.filter(|_| hits.items.is_empty() && hits.total.count == 0) {
            self.note_unanswered(caller, words).await;
        }
        Ok(hits)
    }

    async fn note_unanswered(&self, caller: &Caller, words: String) {
        let heap = match self.heap(caller).await {
            Ok(heap) => heap,
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "a search without answers was not counted");
                return;
            }
        };
        let mut waiting = self.asked.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.now().day(), words);
        if waiting.len() >= MOST_WAITING && !waiting.contains_key(&key) {
            return;
        }
        let count = waiting.entry(key).or_default();
        *count = (count.0.saturating_add(1), count.1 | heap);
    }

    /// The bit of the heap that a caller is counted in; none for one of whom nothing is known.
    async fn heap(&self, caller: &Caller) -> Result<i64, Error> {
        let who = match (caller.person_id(), caller.address) {
            (Some(person), _) => person.to_string(),
            (None, Some(std::net::IpAddr::V6(address))) => format!("{:?}", &address.segments()[..4]),
            (None, Some(address)) => address.to_string(),
            (None, None) => return Ok(0),
        };
        let salt = self.asked.salt.get_or_try_init(|| self.salt()).await?;
        let digest = Digest::of(format!("{salt}\0{who}").as_bytes());
        Ok(1 << (digest.as_bytes()[0] % HEAPS))
    }

    /// What every process of this hub mixes into the heaps.
    async fn salt(&self) -> Result<String, Error> {
        let fresh = hex::encode(rand::random::<[u8; 16]>());
        let unit = self.parts.db.write(move |tx| Box::pin(async move { settings::keep(tx, SALT, &fresh).await }));
        Ok(unit.await?)
    }

    /// Writes the searches that found nothing since the last time; returns how many words there were.
    pub async fn flush_unanswered(&self) -> Result<usize, Error> {
        let taken = std::mem::take(&mut *self.asked.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if taken.is_empty() {
            return Ok(0);
        }
        let one = |((day, words), (searches, callers))| Unanswered { day, words, searches, callers };
        let mut found: Vec<Unanswered> = taken.into_iter().map(one).collect();
        // One order for everybody, so that two nodes never wait for each other's rows.
        found.sort_unstable_by(|one, other| (one.day, &one.words).cmp(&(other.day, &other.words)));
        let count = found.len();
        let before = Day::from(self.now().day().number().saturating_sub(DAYS));
        let unit = self.parts.db.write(move |tx| {
            Box::pin(async move {
                for one in &found {
                    rows::add(tx, one).await?;
                }
                rows::purge(tx, before).await
            })
        });
        unit.await?;
        Ok(count)
    }

    /// What people looked for in the last `days` days and what this viewer would not find today either, what was looked
    /// for most often first.
    pub async fn unanswered(&self, viewer: &Viewer, days: u32, most: usize) -> Result<Vec<Request>, Error> {
        let since = Day::from(self.now().day().number().saturating_sub(i64::from(days.max(1)) - 1));
        let found = rows::since(&mut self.read().await?, since, LOOKED_AT).await?;
        let mut requests = Vec::new();
        for of_words in found.chunk_by(|one, other| one.words == other.words) {
            let Some(request) = told(of_words) else { continue };
            let again = Query { page: PageSize::clamped(1), ..Query::new(&request.words, viewer) };
            if self.search(again).await?.items.is_empty() {
                requests.push(request);
            }
            if requests.len() >= most {
                break;
            }
        }
        Ok(requests)
    }
}

/// What may be told of the days of some words.
fn told(days: &[Unanswered]) -> Option<Request> {
    let callers = days.iter().fold(0, |all, one| all | one.callers);
    let last = days.last()?;
    let searches = days.iter().fold(0_i64, |all, one| all.saturating_add(one.searches));
    (callers.count_ones() >= CALLERS).then(|| Request {
        words: last.words.clone(),
        searches: searches.max(0).unsigned_abs(),
        last: last.day,
    })
}
