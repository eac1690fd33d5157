//! What a home shows of very many skills, at the cost of a few.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kontor_db::skills::{self, Newest, Skill};
use kontor_search::{Facet, Query};
use kontor_types::{PageSize, PublisherId, SkillId, Viewer};
use tokio_util::sync::CancellationToken;

use crate::unanswered::Request;
use crate::{Error, Registry};

/// How many of the newest skills are looked at for those of different publishers.
const LOOKED_AT: u32 = 800;
/// How many values of each property are counted.
const FACETS: usize = 12;
/// Days of searches without answers, and how many are told.
const DAYS: u32 = 30;
const REQUESTS: usize = 8;
/// What was counted is counted again when the index has changed, but not before this many times as long as it took.
const SELDOM: u32 = 20;
/// Longer than this nothing is believed.
const HOLDS: Duration = Duration::from_mins(1);

/// What took no longer is counted by whoever asks, who then sees what is so now.
const CHEAP: Duration = Duration::from_millis(5);
/// How often somebody looks whether something must be counted anew.
const LOOK: Duration = Duration::from_secs(1);

/// What was counted for everybody.
#[derive(Debug, Default)]
pub(crate) struct Home {
    /// Whether [`Registry::keep_home`] counts, so that no reader has to.
    kept: AtomicBool,
    facets: Counted<Vec<Facet>>,
    requests: Counted<Vec<Request>>,
}

/// Something that takes long to count, with how long it took.
#[derive(Debug)]
struct Counted<T>(Mutex<Option<Kept<T>>>);

#[derive(Debug)]
struct Kept<T> {
    value: Arc<T>,
    sequence: u64,
    at: Instant,
    took: Duration,
}

impl<T> Default for Counted<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Counted<T> {
    /// What was counted, when it may still be believed. Whoever gets nothing counts; others meanwhile get what was.
    fn get(&self, sequence: u64) -> Option<Arc<T>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_mut()?;
        let age = kept.at.elapsed();
        if age < HOLDS && (kept.sequence == sequence || age < kept.took * SELDOM) {
            return Some(Arc::clone(&kept.value));
        }
        (kept.at, kept.sequence) = (Instant::now(), sequence);
        None
    }

    /// What was counted last, however long ago, where no reader should wait for it to be counted anew.
    fn costly(&self) -> Option<Arc<T>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|kept| kept.took > CHEAP).map(|kept| Arc::clone(&kept.value))
    }

    fn put(&self, sequence: u64, begun: Instant, value: T) -> Arc<T> {
        let value = Arc::new(value);
        let kept = Kept { value: Arc::clone(&value), sequence, at: Instant::now(), took: begun.elapsed() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        value
    }
}

impl Registry {
    /// The newest skill of each of the publishers that published last, and how many more of theirs were passed by: who
    /// brings hundreds of skills at once takes one place like everybody. Places that nobody else wants are theirs again.
    pub async fn newest_by_publisher(&self, viewer: &Viewer, places: usize) -> Result<Vec<(Skill, u64)>, Error> {
        let mut conn = self.read().await?;
        let chosen = shared_out(&skills::newest(&mut conn, viewer, LOOKED_AT).await?, places);
        let ids: Vec<SkillId> = chosen.iter().map(|(id, _)| *id).collect();
        let found = skills::listed(&mut conn, viewer, &ids).await?;
        let mut found: HashMap<SkillId, Skill> = found.into_iter().map(|skill| (skill.id, skill)).collect();
        Ok(chosen.into_iter().filter_map(|(id, more)| Some((found.remove(&id)?, more))).collect())
    }

    /// Counts anew what the home tells of very many skills, until `stop` is cancelled: readers get what was counted last.
    pub async fn keep_home(&self, stop: CancellationToken) {
        self.home.kept.store(true, Ordering::Relaxed);
        while !stop.is_cancelled() {
            let registry = self.clone();
            let counting = tokio::task::spawn_blocking(move || registry.counted_facets().map(drop));
            if let Ok(Err(error)) = counting.await {
                tracing::warn!(error = &error as &dyn std::error::Error, "categories could not be counted");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                requests = self.counted_requests() => if let Err(error) = requests {
                    tracing::warn!(error = &error as &dyn std::error::Error, "requests could not be looked through");
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        self.home.kept.store(false, Ordering::Relaxed);
    }

    /// The most frequent categories, keywords and licences among what everybody may find; on a hub that shows everybody
    /// nothing, among what the viewer may find.
    ///
    /// They are counted again when something changed, so seldom that it takes little of the time.
    pub fn facets_for_home(&self, viewer: &Viewer) -> Result<Arc<Vec<Facet>>, Error> {
        let costly = if self.is_kept() { self.home.facets.costly() } else { None };
        let known = match costly {
            Some(known) => known,
            None => self.counted_facets()?,
        };
        let empty = known.iter().all(|facet| facet.values.is_empty());
        if empty { Ok(Arc::new(self.count_facets(viewer)?)) } else { Ok(known) }
    }

    /// What several people looked for of late and everybody would look for in vain today, as seldom asked anew.
    pub async fn requests_of_everybody(&self) -> Result<Arc<Vec<Request>>, Error> {
        let costly = if self.is_kept() { self.home.requests.costly() } else { None };
        match costly {
            Some(known) => Ok(known),
            None => self.counted_requests().await,
        }
    }

    fn is_kept(&self) -> bool {
        self.home.kept.load(Ordering::Relaxed)
    }

    fn count_facets(&self, viewer: &Viewer) -> Result<Vec<Facet>, Error> {
        let query = Query { facets: FACETS, page: PageSize::clamped(1), ..Query::new("", viewer) };
        Ok(self.parts.index.search(&query)?.facets)
    }

    fn counted_facets(&self) -> Result<Arc<Vec<Facet>>, Error> {
        let (sequence, begun) = (self.parts.index.sequence(), Instant::now());
        match self.home.facets.get(sequence) {
            Some(known) => Ok(known),
            None => Ok(self.home.facets.put(sequence, begun, self.count_facets(&Viewer::anonymous())?)),
        }
    }

    async fn counted_requests(&self) -> Result<Arc<Vec<Request>>, Error> {
        let sequence = self.parts.index.sequence();
        if let Some(known) = self.home.requests.get(sequence) {
            return Ok(known);
        }
        let begun = Instant::now();
        let found = self.unanswered(&Viewer::anonymous(), DAYS, REQUESTS).await?;
        Ok(self.home.requests.put(sequence, begun, found))
    }
}

/// Which skills take the places, each with how many others of its publisher it stands for.
fn shared_out(newest: &[Newest], places: usize) -> Vec<(SkillId, u64)> {
    let mut chosen: Vec<(PublisherId, SkillId, u64)> = Vec::new();
    let mut passed_by: Vec<&Newest> = Vec::new();
    for skill in newest {
        match chosen.iter().position(|(publisher, ..)| *publisher == skill.publisher_id) {
            Some(place) => {
                chosen[place].2 += 1;
                passed_by.push(skill);
            }
            None if chosen.len() < places => chosen.push((skill.publisher_id, skill.id, 0)),
            None => break,
        }
    }
    let room = places.saturating_sub(chosen.len());
    for skill in passed_by.into_iter().take(room) {
        if let Some((.., more)) = chosen.iter_mut().find(|(publisher, ..)| *publisher == skill.publisher_id) {
            *more -= 1;
        }
        chosen.push((skill.publisher_id, skill.id, 0));
    }
    chosen.into_iter().map(|(_, id, more)| (id, more)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something that took so long to count, a second ago.
    fn counted(took: Duration) -> Counted<u8> {
        let at = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        Counted(Mutex::new(Some(Kept { value: Arc::new(7), sequence: 1, at, took })))
    }

    #[test]
    fn what_was_counted_holds_until_something_changed() {
        assert_eq!(Counted::<u8>::default().get(1), None);
        let quick = counted(Duration::from_millis(1));
        assert_eq!(quick.get(1).as_deref(), Some(&7));
        assert_eq!(quick.get(2), None, "the index has changed, and it took no time");
        assert_eq!(quick.get(2).as_deref(), Some(&7), "somebody counts already");
        let slow = counted(Duration::from_secs(2));
        assert_eq!(slow.get(2).as_deref(), Some(&7), "it took two seconds, so it holds for longer");
    }
}
