//! Counting downloads and installs: gathered in memory, written once a second.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kontor_db::changes::{self, ChangeKind};
use kontor_db::usage::{self, DayUse, Use, VersionUse};
use kontor_types::{Day, SkillId, SkillRef, Timestamp, VersionId, Viewer};

use tokio_util::sync::CancellationToken;

use crate::{Error, Registry};

/// How often counts are written.
const FLUSH: Duration = Duration::from_secs(1);
/// How often recent use fades.
const FADE: Duration = Duration::from_hours(1);
/// How often the index hears of one skill's counters at most.
const TOLD_EVERY: Duration = Duration::from_mins(1);
/// Skills whose counter of recent use is refreshed by one write.
const REFRESHED: usize = 250;

/// Downloads and installs of a version on a day.
type Counts = HashMap<(SkillId, VersionId, Day), (u64, u64)>;

/// What was counted and not yet written.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Mutex<Counts>,
    told: Mutex<Told>,
}

/// What the index has heard of counters.
#[derive(Debug, Default)]
struct Told {
    /// When it last heard of a skill's.
    at: HashMap<SkillId, Timestamp>,
    /// Those that have moved since.
    owed: BTreeSet<SkillId>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tally {
    fn add(&self, skill: SkillId, version: VersionId, day: Day, downloads: u64, installs: u64) {
        let mut counts = locked(&self.counts);
        let count = counts.entry((skill, version, day)).or_default();
        count.0 = count.0.saturating_add(downloads);
        count.1 = count.1.saturating_add(installs);
    }

    fn take(&self) -> Vec<Use> {
        let mut counts: Vec<Use> = std::mem::take(&mut *locked(&self.counts))
            .into_iter()
            .map(|((skill_id, version_id, day), (downloads, installs))| Use {
                skill_id,
                version_id,
                day,
                downloads,
                installs,
            })
            .collect();
        // One order for everybody, so that two nodes never wait for each other's rows.
        counts.sort_unstable_by_key(|one| (one.skill_id, one.version_id, one.day));
        counts
    }

    fn give_back(&self, counts: &[Use]) {
        for one in counts {
            self.add(one.skill_id, one.version_id, one.day, one.downloads, one.installs);
        }
    }

    /// Notes that counters of these skills moved, and takes those that the index has not heard of for a while; the others
    /// are owed to it.
    fn due(&self, skills: impl Iterator<Item = SkillId>, now: Timestamp) -> Vec<SkillId> {
        let mut told = locked(&self.told);
        told.at.retain(|_, at| now.since(*at) < TOLD_EVERY);
        let Told { at, owed } = &mut *told;
        owed.extend(skills);
        let due: Vec<SkillId> = owed.iter().filter(|skill| !at.contains_key(skill)).copied().collect();
        owed.retain(|skill| at.contains_key(skill));
        at.extend(due.iter().map(|skill| (*skill, now)));
        due
    }

    /// The index has not heard of these after all.
    fn untold(&self, skills: &[SkillId]) {
        let mut told = locked(&self.told);
        told.at.retain(|skill, _| !skills.contains(skill));
        told.owed.extend(skills);
    }
}

impl Registry {
    /// Counts a download of a version; nothing is written before the next flush.
    pub fn count_download(&self, skill: SkillId, version: VersionId) {
        self.tally.add(skill, version, self.now().day(), 1, 0);
    }

    /// Counts an install of a version; nothing is written before the next flush.
    pub fn count_install(&self, skill: SkillId, version: VersionId) {
        self.tally.add(skill, version, self.now().day(), 0, 1);
    }

    /// Writes what was counted every second until `stop` is cancelled, and a last time then; lets recent use fade.
    pub async fn keep_counting(&self, stop: CancellationToken) {
        let mut refreshed: Option<Timestamp> = None;
        loop {
            let stopping = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(FLUSH) => false,
            };
            if let Err(error) = self.flush_usage().await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "downloads and installs could not be counted"
                );
            }
            if let Err(error) = self.flush_unanswered().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "searches without answers could not be counted"
                );
            }
            if stopping {
                return;
            }
            let now = self.now();
            if refreshed.is_none_or(|at| now.since(at) >= FADE || now.day() != at.day()) {
                refreshed = Some(now);
                if let Err(error) = self.refresh_trending(&stop).await {
                    tracing::error!(error = &error as &dyn std::error::Error, "recent use could not be refreshed");
                }
            }
        }
    }

    /// Writes what was counted; returns how many counters moved. What could not be written is kept for the next time.
    pub async fn flush_usage(&self) -> Result<usize, Error> {
        let (counts, now) = (self.tally.take(), self.now());
        let due = self.tally.due(counts.iter().map(|one| one.skill_id), now);
        if counts.is_empty() && due.is_empty() {
            return Ok(0);
        }
        let (batch, telling) = (counts.clone(), due.clone());
        let written = self
            .write(move |tx| {
                let (counts, due) = (batch.clone(), telling.clone());
                Box::pin(async move {
                    usage::add(tx, &counts, now.day()).await?;
                    for skill in due {
                        changes::record(tx, ChangeKind::Use, skill.uuid(), now).await?;
                    }
                    Ok(counts.len())
                })
            })
            .await;
        if written.is_err() {
            self.tally.give_back(&counts);
            self.tally.untold(&due);
        } else {
            let moved: Vec<SkillId> = counts.iter().map(|one| one.skill_id).collect();
            self.cache.forget_counters(&moved);
        }
        written
    }

    /// Brings the counter of recent use up to date for skills that nobody used lately; returns how many changed. Others
    /// write between its writes, and when `stop` is cancelled it leaves the rest for the next time.
    pub async fn refresh_trending(&self, stop: &CancellationToken) -> Result<usize, Error> {
        let (now, mut changed) = (self.now(), 0);
        let faded = usage::faded(&mut self.read().await?, now.day()).await?;
        for skills in faded.chunks(REFRESHED) {
            if stop.is_cancelled() {
                break;
            }
            let skills = skills.to_vec();
            let unit = self.write(move |tx| {
                let skills = skills.clone();
                Box::pin(async move {
                    let moved = usage::refresh_trending(tx, now.day(), &skills).await?;
                    for skill in &moved {
                        changes::record(tx, ChangeKind::Use, skill.uuid(), now).await?;
                    }
                    Ok(moved.len())
                })
            });
            changed += unit.await?;
        }
        Ok(changed)
    }

    /// The use of a skill on each of the last `days` days, the oldest first; days without any are left out.
    pub async fn usage(&self, viewer: &Viewer, reference: &SkillRef, days: u32) -> Result<Vec<DayUse>, Error> {
        let mut conn = self.read().await?;
        let skill = self.skill_on(&mut conn, viewer, reference).await?;
        let since = Day::from(self.now().day().number().saturating_sub(i64::from(days.max(1)) - 1));
        Ok(usage::by_day(&mut conn, skill.id, since).await?)
    }

    /// The use of each version of a skill since it was published, the most used first.
    pub async fn usage_by_version(&self, viewer: &Viewer, reference: &SkillRef) -> Result<Vec<VersionUse>, Error> {
        let mut conn = self.read().await?;
        let skill = self.skill_on(&mut conn, viewer, reference).await?;
        Ok(usage::by_version(&mut conn, viewer, skill.id).await?)
    }
}
