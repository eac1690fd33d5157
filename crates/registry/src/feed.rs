//! The search index follows the change feed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{StreamExt, stream};
use kontor_db::changes::{self, Change, ChangeKind};
use kontor_db::copies;
use kontor_db::skills::{self, Skill};
use kontor_db::version_files::{self, Text};
use kontor_search::{Building, Change as Step, Document, Index};
use kontor_types::{SkillId, Viewer};
use tokio_util::sync::CancellationToken;

use crate::lookup::descriptions_on;
use crate::{Error, Registry};

/// Most changes, or skills of an index that is made from the beginning, that one commit of the index takes in.
pub(crate) const BATCH: u32 = 1_000;
/// How often the feed is looked at when nothing rang: other processes write too.
const POLL: Duration = Duration::from_millis(400);
/// The least time between two commits.
const BREATH: Duration = Duration::from_millis(150);
/// How many changes of one commit show a bulk import.
const BULK: usize = 24;
/// The least time between two commits of a bulk import: few large ones cost less than half, and everything is still
/// found within a second.
const BULK_BREATH: Duration = Duration::from_millis(600);
/// How often the log is told how far an index is that has much before it.
const TOLD: Duration = Duration::from_secs(5);
/// Fewer changes than this are taken in within moments.
const MOMENTS: u64 = 200;
/// How often one who waits for the index looks at it.
const LOOK: Duration = Duration::from_millis(20);
/// How long nothing must change before the index gives back the memory of its writer.
const QUIET: Duration = Duration::from_secs(30);
/// How long changes are kept for those who follow them. Who works follows within seconds; who stood still for longer
/// begins anew, which takes seconds too.
pub const FEED_MEMORY: Duration = Duration::from_hours(7 * 24);
/// Changes forgotten in one unit of writing.
const PRUNED: u32 = 5_000;
/// Texts read side by side.
const READERS: usize = 8;
/// What of a text is read: the index keeps less, front matter may stand before it.
const TEXT_LIMIT: u64 = 2 * Document::BODY_LIMIT as u64;

/// How many skills an index gets that is fed from the beginning, once they were counted.
#[derive(Debug, Default)]
pub(crate) struct Total(AtomicU64);

/// How far the search index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It holds everything, or will within moments.
    Current,
    /// It is fed from the beginning: search finds these skills of so many.
    Built {
        /// Skills that it holds.
        skills: u64,
        /// Skills that it will hold.
        of: u64,
    },
    /// It lacks so many changes.
    Behind(u64),
}

impl Progress {
    /// How much of the skills search finds, in percent; nothing when it finds each, maybe as it was a while ago.
    pub fn percent(self) -> Option<u64> {
        match self {
            Self::Built { skills, of } => Some((skills.saturating_mul(100) / of.max(1)).min(99)),
            Self::Current | Self::Behind(_) => None,
        }
    }
}

impl Registry {
    /// Keeps the search index behind the changes until `stop` is cancelled, which it heeds after each batch.
    ///
    /// What fails is tried again: the index says itself how far it has come.
    pub async fn follow(&self, stop: CancellationToken) {
        let mut quiet_since = Some(tokio::time::Instant::now());
        let mut told = tokio::time::Instant::now();
        while !stop.is_cancelled() {
            let rung = self.changed.notified();
            tokio::pin!(rung);
            // From here on a ring is heard, also one between the look and the wait.
            rung.as_mut().enable();
            if let Err(error) = self.hear_of_others().await {
                tracing::error!(error = &error as &dyn std::error::Error, "the change feed could not be read");
            }
            let wait = match self.catch_up().await {
                Ok(0) => POLL,
                Ok(taken) => {
                    quiet_since = Some(tokio::time::Instant::now());
                    if told.elapsed() >= TOLD {
                        told = tokio::time::Instant::now();
                        self.tell_progress().await;
                    }
                    match taken {
                        // A full batch has more behind it, which must not wait.
                        taken if taken >= self.batch as usize => Duration::ZERO,
                        BULK.. => BULK_BREATH,
                        _ => BREATH,
                    }
                }
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the search index could not follow");
                    Duration::from_secs(1)
                }
            };
            if quiet_since.is_some_and(|since| since.elapsed() >= QUIET) {
                quiet_since = None;
                self.rest_index().await;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
                () = rung, if wait == POLL => {}
            }
        }
    }

    /// Takes one batch of changes into the search index; returns how many it was.
    pub async fn catch_up(&self) -> Result<usize, Error> {
        let index = &self.parts.index;
        let mut conn = self.read().await?;
        let newest = changes::newest(&mut conn).await?;
        let known = i64::try_from(index.sequence()).unwrap_or(i64::MAX);
        if known == newest {
            return Ok(0);
        }
        let building = index.building();
        let reached = building.map_or(known, |building| i64::try_from(building.until).unwrap_or(i64::MAX));
        if reached > newest {
            tracing::warn!("the search index knows changes that the database does not: it is built anew");
            return self.begin_anew(conn, newest).await;
        }
        if known == 0 {
            return self.build(conn, building, newest).await;
        }
        let batch = changes::after(&mut conn, known, self.batch).await?;
        let follows = batch.first().filter(|first| first.seq == known + 1);
        let Some(last) = follows.and(batch.last()).map(|change| change.seq) else {
            tracing::info!("the search index is older than the change feed: it is built anew");
            return self.begin_anew(conn, newest).await;
        };
        let mut ids = self.concerned(&mut conn, &batch).await?;
        ids.extend(copies::followers(&mut conn, &ids).await?);
        ids.extend(used(&batch));
        ids.sort_unstable();
        ids.dedup();
        let rows = skills::listed(&mut conn, &Viewer::hub(), &ids).await?;
        let listed: BTreeSet<SkillId> = rows.iter().map(|skill| skill.id).collect();
        let gone = ids.iter().filter(|id| !listed.contains(id)).map(|id| Step::Remove(*id));
        let mut steps: Vec<Step> = gone.collect();
        steps.extend(self.documents(&mut conn, rows).await?);
        drop(conn);
        self.apply(steps, last).await?;
        Ok(batch.len())
    }

    /// Whether the search index contains every change there is.
    pub async fn index_is_current(&self) -> Result<bool, Error> {
        let newest = changes::newest(&mut self.read().await?).await?;
        Ok(u64::try_from(newest).unwrap_or(0) == self.parts.index.sequence())
    }

    /// Waits until [`Self::follow`] has taken every change of now into the search index, for `limit` at most; whether it
    /// has.
    pub async fn index_follows(&self, limit: Duration) -> Result<bool, Error> {
        let newest = u64::try_from(changes::newest(&mut self.read().await?).await?).unwrap_or(0);
        let followed = async {
            while self.parts.index.sequence() < newest {
                tokio::time::sleep(LOOK).await;
            }
        };
        Ok(tokio::time::timeout(limit, followed).await.is_ok())
    }

    /// Forgets changes that are older than [`FEED_MEMORY`]; returns how many. An index that has not yet followed them is
    /// built anew when it next looks.
    pub async fn prune_feed(&self) -> Result<u64, Error> {
        let before = self.now().before(FEED_MEMORY);
        let mut forgotten = 0;
        loop {
            let some = self.parts.db.write(move |tx| Box::pin(async move { changes::prune(tx, before, PRUNED).await }));
            let some = some.await?;
            forgotten += some;
            if some < u64::from(PRUNED) {
                return Ok(forgotten);
            }
        }
    }

    async fn begin_anew(&self, conn: kontor_db::Conn, newest: i64) -> Result<usize, Error> {
        let index = Arc::clone(&self.parts.index);
        away(move || index.clear()).await?;
        self.total.0.store(0, Ordering::Relaxed);
        self.build(conn, None, newest).await
    }

    /// Feeds one batch of rows as they are to an index that is made from the beginning; changes made meanwhile follow by
    /// the feed. Each batch goes on where the last commit of the index says.
    async fn build(&self, mut conn: kontor_db::Conn, building: Option<Building>, newest: i64) -> Result<usize, Error> {
        let until = building.map_or(u64::try_from(newest).unwrap_or(0), |building| building.until);
        self.count_for_index(&mut conn).await?;
        let rows = skills::scan(&mut conn, building.map(|building| building.after), self.batch).await?;
        let (fed, last) = (rows.len(), rows.last().map(|skill| skill.id));
        let steps = self.documents(&mut conn, rows).await?;
        drop(conn);
        if let Some(after) = last.filter(|_| fed >= self.batch as usize) {
            let index = Arc::clone(&self.parts.index);
            away(move || index.build(&steps, Building { until, after })).await?;
        } else {
            self.apply(steps, i64::try_from(until).unwrap_or(i64::MAX)).await?;
            tracing::info!(skills = self.parts.index.len(), "the search index is complete");
        }
        Ok(fed.max(1))
    }

    /// Counts the skills once, for those who want to know how far the index is.
    async fn count_for_index(&self, conn: &mut kontor_db::Conn) -> Result<(), Error> {
        if self.total.0.load(Ordering::Relaxed) == 0 {
            let skills = skills::count(conn, &Viewer::hub(), &skills::Filter::default()).await?;
            self.total.0.store(skills, Ordering::Relaxed);
        }
        Ok(())
    }

    /// How many changes the search index has not taken in.
    pub async fn index_lacks(&self) -> Result<u64, Error> {
        let newest = u64::try_from(changes::newest(&mut self.read().await?).await?).unwrap_or(0);
        Ok(newest.saturating_sub(self.parts.index.sequence()))
    }

    /// How far the search index is.
    pub async fn index_progress(&self) -> Result<Progress, Error> {
        let lacks = self.index_lacks().await?;
        Ok(match lacks {
            _ if self.parts.index.building().is_some() => {
                Progress::Built { skills: self.parts.index.len(), of: self.total.0.load(Ordering::Relaxed) }
            }
            0..=MOMENTS => Progress::Current,
            changes => Progress::Behind(changes),
        })
    }

    async fn tell_progress(&self) {
        match self.index_progress().await {
            Ok(Progress::Built { skills, of }) => tracing::info!(skills, of, "the search index is being built"),
            Ok(Progress::Behind(changes)) => tracing::info!(changes, "the search index is behind"),
            Ok(Progress::Current) | Err(_) => {}
        }
    }

    /// The skills that these changes alter more of than counters, each once.
    async fn concerned(&self, conn: &mut kontor_db::Conn, batch: &[Change]) -> Result<Vec<SkillId>, Error> {
        let mut ids = BTreeSet::new();
        for change in batch {
            match change.kind {
                Some(ChangeKind::Skill) => {
                    ids.insert(SkillId::from(change.id));
                }
                Some(ChangeKind::Publisher) => {
                    ids.extend(skills::of_publisher(conn, change.id.into()).await?);
                }
                Some(ChangeKind::Use) | None => {}
            }
        }
        Ok(ids.into_iter().collect())
    }

    async fn documents(&self, conn: &mut kontor_db::Conn, rows: Vec<Skill>) -> Result<Vec<Step>, Error> {
        let ids: Vec<SkillId> = rows.iter().map(|skill| skill.id).collect();
        let texts = version_files::texts(conn, &ids).await?;
        let mut texts: HashMap<SkillId, Text> = texts.into_iter().map(|text| (text.skill_id, text)).collect();
        let versions: Vec<_> = rows.iter().filter_map(|skill| skill.latest_version_id).collect();
        let mut chinese = descriptions_on(conn, &Viewer::hub(), "zh", &versions).await?;
        let heads: HashMap<SkillId, SkillId> = copies::heads(conn, &ids).await?.into_iter().collect();
        let work = rows.into_iter().map(|mut skill| {
            let head = heads.get(&skill.id).copied();
            let text = texts.remove(&skill.id);
            // Found by either description; what is shown comes from the database.
            if let Some(told) = skill.latest_version_id.and_then(|version| chinese.remove(&version)) {
                skill.description = format!("{} {told}", skill.description);
            }
            async move {
                let body = match text {
                    Some(text) => self.body(&text).await,
                    None => String::new(),
                };
                Step::Upsert(Box::new(document(skill, body, head)))
            }
        });
        Ok(stream::iter(work).buffered(READERS).collect().await)
    }

    /// The instructions of a skill; a text that cannot be read leaves the skill findable by its other fields.
    async fn body(&self, text: &Text) -> String {
        let end = text.position.saturating_add(text.size.min(TEXT_LIMIT));
        match self.parts.blobs.get_range(&text.archive, text.position..end).await {
            Ok(bytes) => instructions(&String::from_utf8_lossy(&bytes)).to_owned(),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    skill.id = %text.skill_id,
                    "the text of a skill could not be read for the search index"
                );
                String::new()
            }
        }
    }

    async fn apply(&self, steps: Vec<Step>, sequence: i64) -> Result<(), Error> {
        let index: Arc<Index> = Arc::clone(&self.parts.index);
        let sequence = u64::try_from(sequence).unwrap_or(0);
        away(move || index.apply(&steps, sequence)).await
    }

    async fn rest_index(&self) {
        let index = Arc::clone(&self.parts.index);
        if let Err(error) = away(move || index.rest()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the search index could not rest");
        }
    }
}

/// The skills of which only counters moved: nobody's copies are others for that.
fn used(batch: &[Change]) -> impl Iterator<Item = SkillId> {
    batch.iter().filter(|change| change.kind == Some(ChangeKind::Use)).map(|change| SkillId::from(change.id))
}

async fn away(work: impl FnOnce() -> Result<(), kontor_search::Error> + Send + 'static) -> Result<(), Error> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(|_| Error::Interrupted)??)
}

/// The text behind its front matter.
fn instructions(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}');
    let Some(rest) = text.trim_start().strip_prefix("---") else { return text };
    if !rest.starts_with(['\n', '\r']) {
        return text;
    }
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        at += line.len();
        if line.trim_end() == "---" {
            return &rest[at..];
        }
    }
    text
}

fn document(skill: Skill, body: String, copy_of: Option<SkillId>) -> Document {
    #[expect(clippy::cast_precision_loss, reason = "a rank needs no more than the first digits")]
    let trending = skill.trending as f64;
    Document {
        skill: skill.id,
        publisher: skill.publisher_id,
        handle: skill.publisher,
        slug: skill.slug,
        display_name: skill.display_name,
        description: skill.description,
        description_derived: skill.description_derived,
        body,
        keywords: skill.keywords,
        categories: skill.categories,
        license: skill.license,
        copy_of,
        visibility: skill.visibility,
        spec_valid: skill.spec_valid,
        downloads: skill.downloads,
        installs: skill.installs,
        stars: skill.stars,
        trending,
        updated: skill.updated_at,
        created: skill.created_at,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::instructions;

    #[rstest]
    #[case::plain("no front matter", "no front matter")]
    #[case::usual("---\nname: a\n---\nbody\n", "body\n")]
    #[case::carriage_returns("---\r\nname: a\r\n---\r\nbody", "body")]
    #[case::byte_order_mark("\u{feff}---\nname: a\n---\nbody", "body")]
    #[case::unterminated("---\nname: a\n", "---\nname: a\n")]
    #[case::rule_in_text("----\nbody", "----\nbody")]
    #[case::empty("", "")]
    fn the_text_behind_the_front_matter(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(instructions(text), expected);
    }
}
