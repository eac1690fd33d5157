//! What the log does not say yet of versions that were there before it did: said once, later, and marked as such.

use kontor_db::assessments::{self, Subject};
use kontor_db::versions::{self, Version};
use kontor_db::{Tx, decisions, log_entries, reviews, scan_reports, settings, skills};
use kontor_jobs::NewJob;
use kontor_translog::{Notary, Said};
use kontor_types::{Timestamp, VersionId, Viewer};
use serde_json::json;

use crate::{Error, Registry, statements};

/// The kind of job that lets the log say what it did not.
pub const BACKFILL: &str = "log.backfill";

/// Which backfill was done to its end.
const DONE: &str = "log_backfilled";
/// The backfill of this program: a later one that has more to say gets another number.
const ROUND: &str = "1";
/// How far one under way has come.
const CURSOR: &str = "log_backfilling";
/// Versions in one unit of writing.
const PAGE: u32 = 24;

impl Registry {
    /// Queues the backfill unless it was done.
    pub async fn plan_backfill(&self) -> Result<(), Error> {
        if settings::get(&mut self.read().await?, DONE).await?.as_deref() == Some(ROUND) {
            return Ok(());
        }
        let now = self.now();
        let job = NewJob {
            kind: BACKFILL.to_owned(),
            key: Some("log".to_owned()),
            payload: json!({}),
            run_at: now,
            max_attempts: 20,
        };
        let queued = self.parts.db.write(move |tx| {
            let job = job.clone();
            Box::pin(async move { kontor_jobs::enqueue(tx, &job, now).await })
        });
        queued.await.map_err(|error: kontor_db::Error| Error::from(error))?;
        Ok(())
    }

    /// Says of every version what the log does not say yet: who published it, the last scan and decision, what people decided
    /// in its review, and whether it is withdrawn. Goes on where it broke off; says how many statements were missing.
    pub async fn backfill_log(&self) -> Result<u64, Error> {
        if settings::get(&mut self.read().await?, DONE).await?.as_deref() == Some(ROUND) {
            return Ok(0);
        }
        let mut after: Option<VersionId> =
            settings::get(&mut self.read().await?, CURSOR).await?.and_then(|text| text.parse().ok());
        let mut said = 0_u64;
        loop {
            let page = log_entries::unsaid(&mut self.read().await?, after, PAGE).await?;
            let Some(last) = page.last().copied() else { break };
            let (notary, now) = (self.log().clone(), self.now());
            said += self
                .write(move |tx| {
                    let (page, notary) = (page.clone(), notary.clone());
                    Box::pin(async move {
                        let mut said = 0;
                        for id in page {
                            said += say_missing(tx, &notary, id, now).await?;
                        }
                        settings::set(tx, CURSOR, &last.to_string()).await?;
                        Ok(said)
                    })
                })
                .await?;
            after = Some(last);
        }
        self.write(|tx| Box::pin(async move { Ok(settings::set(tx, DONE, ROUND).await?) })).await?;
        if said > 0 {
            tracing::info!(statements = said, "the log says now what was done before it did");
        }
        Ok(said)
    }
}

/// Says what is missing of one version; how much that was.
async fn say_missing(tx: &mut Tx, notary: &Notary, id: VersionId, now: Timestamp) -> Result<u64, Error> {
    let Some(subject) = assessments::standing(tx, id).await? else { return Ok(0) };
    skills::lock(tx, subject.skill_id).await?;
    let mut all = Vec::new();
    if lacks(tx, &subject, "publish").await? {
        all.push(statements::published_before(&subject, notary.hub(), now));
    }
    let scan = scan_reports::newest(tx, &[subject.digest]).await?.into_iter().next();
    if let Some(scan) = &scan
        && lacks(tx, &subject, statements::SCAN).await?
    {
        all.push(statements::scanned(&subject, scan).backfilled(now));
    }
    if lacks(tx, &subject, "review").await? {
        all.extend(deeds(tx, &subject, now).await?);
    }
    let decision = decisions::newest(tx, &[id]).await?.into_iter().next();
    if let Some(decision) = decision
        && lacks(tx, &subject, "decision").await?
        && let Some(scan) = scan_reports::find(tx, &subject.digest, &decision.rules).await?
    {
        all.push(statements::decided(&subject, &scan, &decision).backfilled(now));
    }
    if let Some(version) = versions::find(tx, &Viewer::hub(), id).await? {
        all.extend(withdrawals(tx, &subject, &version, now).await?);
    }
    let count = all.len() as u64;
    for said in all {
        notary.append(tx, said, now).await?;
    }
    Ok(count)
}

async fn lacks(tx: &mut Tx, subject: &Subject, kind: &str) -> Result<bool, Error> {
    Ok(log_entries::newest_of_kind(tx, &subject.digest, subject.id, kind).await?.is_none())
}

/// What people decided in the review, if there was one.
async fn deeds(tx: &mut Tx, subject: &Subject, now: Timestamp) -> Result<Vec<Said>, Error> {
    let Some(review) = reviews::of_version(tx, subject.id).await? else { return Ok(Vec::new()) };
    let notes = reviews::notes(tx, review.id).await?;
    let said = notes.iter().filter_map(|note| {
        let deed = statements::ReviewDeed {
            note: note.id,
            kind: note.kind,
            text: &note.text,
            by: note.person.as_ref(),
            administrator: None,
            at: note.created_at,
        };
        Some(statements::reviewed(&review, &deed)?.backfilled(now))
    });
    Ok(said.collect())
}

/// That the version is withdrawn or hidden now.
async fn withdrawals(tx: &mut Tx, subject: &Subject, version: &Version, now: Timestamp) -> Result<Vec<Said>, Error> {
    let mut all = Vec::new();
    let states = [
        ("yank", version.yanked_at, version.yank_reason.as_deref()),
        ("hide", version.hidden_at, version.hidden_reason.as_deref()),
    ];
    for (kind, at, reason) in states {
        if let Some(at) = at
            && lacks(tx, subject, kind).await?
        {
            all.push(statements::withdrawn(kind, reason, subject, at).backfilled(now));
        }
    }
    Ok(all)
}
