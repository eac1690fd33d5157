//! Between publishing and being seen: each version is scanned, the policy decides, and only then it appears.
//!
//! A version that waits is a row in state `pending`: that row is the durable part. Each node takes what waits in batches and
//! notes before that it does, so that no two take the same, and so that a scan that ends the program is known afterwards and
//! tried alone. What fails, by an error, a crash or a scan that does not end, gets a job of kind [`SCAN`] of its own, which
//! is buried after some attempts; the version stays pending and can be seen as such.

mod alike;
mod catalogue;
mod examiner;
mod facts;
mod outcome;
mod scanning;
mod view;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use kontor_access::policy::{Policy, PolicyInForce};
use kontor_db::assessments::{self, Failed, Subject};
use kontor_db::scan_reports::ScanReport;
use kontor_jobs::{Claimed, Failure, NewJob};
use kontor_types::VersionId;
use serde_json::json;
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;

use crate::{Error, Registry, statements};

pub use catalogue::{Preview, PreviewedChange, REJUDGE};
pub use examiner::{Examiner, detonation_worker, scan_worker};
pub use view::{Assessment, Explained, Waiting};

pub(crate) use alike::Kin;
pub(crate) use outcome::{Cause, Judge};
pub(crate) use scanning::{Examined, Known, Scanned};

/// The kind of job that tries one version again.
pub const SCAN: &str = "version.scan";

/// Versions taken at a time.
const BATCH: u32 = 24;
/// Decisions written in one unit: others must not wait long for the writer.
const WRITTEN: usize = 12;
/// How often the job of a version tries before a person must look.
const ATTEMPTS: u32 = 3;
/// How often a version is left behind by a node that ended before its scan gets a job of its own.
const LEFT_BEHIND: i64 = 5;
/// How often a version is scanned at all, those times included in which the whole program ended.
const MOST_ATTEMPTS: i64 = 12;
/// How often somebody looks whether a version waits when nothing rang: other processes publish too.
const LOOK: Duration = Duration::from_secs(2);
/// How long a node must not have said that it still scans before others take its versions.
const ABANDONED: Duration = Duration::from_secs(20);
/// How often a node says that it still scans.
const STILL_HERE: Duration = Duration::from_secs(5);
/// The least time between two looks.
const BREATH: Duration = Duration::from_millis(100);
/// How often the rules and the policy are compared with those by which the catalogue was judged, in looks.
const COMPARED_EVERY: u32 = 5;

/// What deciding needs; one for each registry.
#[derive(Default)]
pub(crate) struct Trust {
    pub policy: PolicyInForce,
    examiner: OnceLock<Examiner>,
    node: OnceLock<String>,
    /// Held by whoever takes what waits, so that one process does not do it twice at a time.
    turn: Mutex<()>,
    /// Rung when a version begins to wait or the policy changed.
    pub waits: Notify,
    /// Whether the policy was changed by this process since the catalogue was last compared with it.
    compare: AtomicBool,
    /// Rung when a job was queued that should not wait for the next look.
    queued: Arc<Notify>,
}

impl Registry {
    /// The same registry with another way of scanning.
    #[must_use]
    pub fn with_examiner(self, examiner: Examiner) -> Self {
        // Whoever comes first stays; a registry is made before it works.
        let _ = self.trust.examiner.set(examiner);
        self
    }

    /// How contents are scanned.
    pub(crate) fn examiner(&self) -> Result<&Examiner, Error> {
        if let Some(examiner) = self.trust.examiner.get() {
            return Ok(examiner);
        }
        let made = Examiner::embedded(self.parts.limits)?;
        Ok(self.trust.examiner.get_or_init(|| made))
    }

    /// Rung when workers should look for jobs.
    pub fn jobs_queued(&self) -> Arc<Notify> {
        Arc::clone(&self.trust.queued)
    }

    /// The same registry under the name of its node, by which it knows its own scans after a restart.
    #[must_use]
    pub fn on_node(self, name: &str) -> Self {
        let _ = self.trust.node.set(name.to_owned());
        self
    }

    fn node(&self) -> &str {
        self.trust.node.get().map_or("", String::as_str)
    }

    /// Takes back the scans that this node had begun before it started anew; call it before anything is scanned.
    pub async fn take_back(&self) -> Result<(), Error> {
        let node = self.node().to_owned();
        let taken = self.parts.db.write(move |tx| {
            let node = node.clone();
            Box::pin(async move { assessments::release(tx, &node).await })
        });
        Ok(taken.await?)
    }

    /// Takes what waits, until `stop` is cancelled. What fails is tried again: the rows themselves say what waits.
    pub async fn keep_assessing(&self, stop: CancellationToken) {
        for look in 0_u32.. {
            let rung = self.trust.waits.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            // Not at the very first look: a start has other things to do.
            let compare = look % COMPARED_EVERY == 1 || self.trust.compare.swap(false, Ordering::SeqCst);
            tokio::select! {
                () = stop.cancelled() => return,
                done = self.look_after(compare) => if let Err(error) = done {
                    tracing::error!(error = &error as &dyn std::error::Error, "versions that wait could not be decided");
                }
            }
            if let Some(examiner) = self.trust.examiner.get() {
                examiner.rest();
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
                () = async { rung.await; tokio::time::sleep(BREATH).await } => {}
            }
        }
    }

    /// Decides what waits, then what a node that died left behind, and has the catalogue judged again when it was judged by
    /// other rules or another policy.
    async fn look_after(&self, compare: bool) -> Result<(), Error> {
        if assessments::any_waiting(&mut self.read().await?).await? {
            self.assess_waiting().await?;
        }
        let long_ago = self.now().before(ABANDONED);
        for left in assessments::left_behind(&mut self.read().await?, long_ago, BATCH).await? {
            self.try_alone(left).await?;
        }
        let mut conn = self.read().await?;
        if compare && self.is_judged_otherwise(&mut conn).await? {
            drop(conn);
            let job = NewJob {
                kind: REJUDGE.to_owned(),
                key: Some("catalogue".to_owned()),
                payload: json!({}),
                run_at: self.now(),
                max_attempts: 20,
            };
            let now = self.now();
            let queued = self.parts.db.write(move |tx| {
                let job = job.clone();
                Box::pin(async move { kontor_jobs::enqueue(tx, &job, now).await })
            });
            if queued.await.map_err(|error: kontor_db::Error| Error::from(error))?.is_some() {
                self.trust.queued.notify_waiters();
            }
        }
        Ok(())
    }

    /// Tries a version whose scan ended with its node: by itself, so that it cannot take others with it again.
    async fn try_alone(&self, left: Failed) -> Result<(), Error> {
        let _turn = self.trust.turn.lock().await;
        if left.attempts >= LEFT_BEHIND {
            let reason = format!("the hub ended {} times while it scanned this version", left.attempts);
            return self.note_failures(vec![(left.version_id, reason)]).await;
        }
        let subjects = assessments::subjects(&mut self.read().await?, &[left.version_id]).await?;
        self.begin(&subjects).await?;
        let scanned = self.scan_begun(subjects).await?;
        self.settle(scanned).await.map(drop)
    }

    /// Scans and decides everything that waits; says how many versions were decided. While some are decided the next are
    /// scanned.
    pub async fn assess_waiting(&self) -> Result<usize, Error> {
        let _turn = self.trust.turn.lock().await;
        if self.examiner()?.detonates() {
            return self.assess_each().await;
        }
        let (mut scanned, mut decided) = (Vec::new(), 0);
        loop {
            let batch = assessments::waiting(&mut self.read().await?, BATCH).await?;
            if batch.is_empty() && scanned.is_empty() {
                return Ok(decided);
            }
            let fresh = self.begin(&batch).await?;
            let mine: Vec<Subject> = batch.into_iter().filter(|subject| fresh.contains(&subject.id)).collect();
            let (next, settled) = tokio::join!(self.scan_begun(mine), self.settle(scanned));
            decided += settled?;
            scanned = next?;
        }
    }

    /// The same where examining takes long: each version is decided as soon as it was examined, so that none holds up the
    /// others that began to wait with it.
    async fn assess_each(&self) -> Result<usize, Error> {
        let mut decided = 0;
        loop {
            let batch = assessments::waiting(&mut self.read().await?, BATCH).await?;
            if batch.is_empty() {
                return Ok(decided);
            }
            let fresh = self.begin(&batch).await?;
            let mine: Vec<Subject> = batch.into_iter().filter(|subject| fresh.contains(&subject.id)).collect();
            let ids: Vec<VersionId> = mine.iter().map(|subject| subject.id).collect();
            let each = mine.into_iter().map(|subject| async move {
                let scanned = self.scan_all(vec![subject], Known::All).await?;
                self.settle(scanned).await
            });
            // Two at least, whatever the machine has: most of the time nothing is computed.
            let all = stream::iter(each).buffer_unordered(Examiner::side_by_side().max(2));
            decided += tokio::select! {
                done = all.try_fold(0, |sum, one| async move { Ok(sum + one) }) => done?,
                error = self.keep_saying(ids) => return Err(error),
            };
        }
    }

    /// Notes that scans begin: what a crash of the whole program leaves is tried alone later, not with others again. Says
    /// which of them nobody had begun before.
    async fn begin(&self, batch: &[Subject]) -> Result<HashSet<VersionId>, Error> {
        if batch.is_empty() {
            return Ok(HashSet::new());
        }
        let (ids, now): (Vec<VersionId>, _) = (batch.iter().map(|subject| subject.id).collect(), self.now());
        let node = self.node().to_owned();
        let begun = self.parts.db.write(move |tx| {
            let (ids, node) = (ids.clone(), node.clone());
            Box::pin(async move {
                let mut fresh = HashSet::new();
                for id in ids {
                    if assessments::begin(tx, id, &node, now).await? == 1 {
                        fresh.insert(id);
                    }
                }
                Ok::<_, kontor_db::Error>(fresh)
            })
        });
        Ok(begun.await?)
    }

    /// Scans what was begun, and says meanwhile that it still does.
    async fn scan_begun(&self, batch: Vec<Subject>) -> Result<Vec<Scanned>, Error> {
        let ids: Vec<VersionId> = batch.iter().map(|subject| subject.id).collect();
        tokio::select! {
            scanned = self.scan_all(batch, Known::All) => scanned,
            error = self.keep_saying(ids) => Err(error),
        }
    }

    /// Decides what was scanned, and keeps why the rest was not; says how many versions were decided.
    async fn settle(&self, scanned: Vec<Scanned>) -> Result<usize, Error> {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for (subject, outcome) in scanned {
            match outcome {
                Ok(examined) => good.push((subject, examined)),
                Err(reason) => bad.push((subject.id, reason)),
            }
        }
        self.note_failures(bad).await?;
        let decided = good.len();
        if decided > 0 {
            self.decide_all(&self.policy().await?, good, &Cause::publish()).await?;
        }
        Ok(decided)
    }

    /// Says again and again that these versions are still being scanned; ends only when that fails.
    async fn keep_saying(&self, ids: Vec<VersionId>) -> Error {
        loop {
            tokio::time::sleep(STILL_HERE).await;
            let (ids, now) = (ids.clone(), self.now());
            let said = self.parts.db.write(move |tx| {
                let ids = ids.clone();
                Box::pin(async move { assessments::still_here(tx, &ids, now).await })
            });
            if let Err(error) = said.await.map_err(|error: kontor_db::Error| Error::from(error)) {
                return error;
            }
        }
    }

    /// Decides about versions whose scans are known, a few in one unit of writing; by the policy in force, should another be
    /// set meanwhile.
    pub(crate) async fn decide_all(
        &self,
        policy: &Arc<Policy>,
        scanned: Vec<(Subject, Examined)>,
        cause: &Cause,
    ) -> Result<(), Error> {
        let (mut scanned, mut policy) = (scanned, Arc::clone(policy));
        while !scanned.is_empty() {
            let rest = scanned.split_off(scanned.len().min(WRITTEN));
            let some = Arc::new(std::mem::replace(&mut scanned, rest));
            loop {
                let some = Arc::clone(&some);
                let judge = Judge {
                    policy: Arc::clone(&policy),
                    notary: self.log().clone(),
                    cause: cause.clone(),
                    now: self.now(),
                };
                let written = self.write(move |tx| {
                    let (some, judge) = (Arc::clone(&some), judge.clone());
                    Box::pin(async move { judge.decide_some(tx, &some).await })
                });
                match written.await {
                    Err(Error::PolicyChanged) => policy = self.policy().await?,
                    done => break done?,
                }
            }
        }
        Ok(())
    }

    /// Keeps why scans failed, and queues each version's own job.
    async fn note_failures(&self, failures: Vec<(VersionId, String)>) -> Result<(), Error> {
        if failures.is_empty() {
            return Ok(());
        }
        for (version, reason) in &failures {
            tracing::warn!(version.id = %version, reason, "a version could not be scanned; it stays as it is");
        }
        let now = self.now();
        let noted = self.parts.db.write(move |tx| {
            let failures = failures.clone();
            Box::pin(async move {
                for (version, reason) in &failures {
                    assessments::failed(tx, *version, reason).await?;
                    kontor_jobs::enqueue(tx, &alone(*version, now), now).await?;
                }
                Ok::<_, kontor_db::Error>(())
            })
        });
        Ok(noted.await?)
    }

    /// Tries one version that failed before.
    pub async fn scan_again(&self, job: Claimed) -> kontor_jobs::Outcome {
        let version = job.payload.get("version").and_then(|id| id.as_str()).and_then(|id| id.parse().ok());
        let version: VersionId = version.ok_or_else(|| Failure::Permanent("the job names no version".to_owned()))?;
        let again = |error: Error| Failure::Retry(error.to_string());
        let subject = match assessments::subjects(&mut self.read().await.map_err(again)?, &[version]).await {
            Ok(mut found) => found.pop(),
            Err(error) => return Err(again(error.into())),
        };
        let tried = assessments::attempt(&mut self.read().await.map_err(again)?, version).await;
        let tried = tried.map_err(|error| again(error.into()))?.is_some();
        // One that was decided meanwhile has no attempt left; one that waits is tried in any case.
        let wanted = |subject: &Subject| tried || subject.state == crate::VersionState::Pending;
        let Some(subject) = subject.filter(wanted) else { return Ok(()) };
        let cause = match subject.state {
            crate::VersionState::Pending => Cause::publish(),
            _ => Cause::catalogue(),
        };
        self.begin(std::slice::from_ref(&subject)).await.map_err(again)?;
        let attempts = assessments::attempt(&mut self.read().await.map_err(again)?, version).await;
        let attempts = attempts.map_err(|error| again(error.into()))?.map_or(0, |attempt| attempt.attempts);
        if attempts > MOST_ATTEMPTS {
            return Err(Failure::Permanent(format!("{attempts} scans of it came to no end")));
        }
        let policy = self.policy().await.map_err(again)?;
        let scanned = self.scan_all(vec![subject], Known::All).await.map_err(again)?;
        for (subject, outcome) in scanned {
            match outcome {
                Ok(examined) => {
                    self.decide_all(&policy, vec![(subject, examined)], &cause).await.map_err(again)?;
                }
                Err(reason) => {
                    let said = reason.clone();
                    let noted = self.parts.db.write(move |tx| {
                        let said = said.clone();
                        Box::pin(async move { assessments::failed(tx, version, &said).await })
                    });
                    noted.await.map_err(|error: kontor_db::Error| again(error.into()))?;
                    return Err(Failure::Retry(reason));
                }
            }
        }
        Ok(())
    }

    /// Versions whose scans failed, and how many wait in all; for administrators.
    pub async fn waiting(&self, caller: &kontor_access::Caller) -> Result<Waiting, Error> {
        caller.require_administrator()?;
        let mut conn = self.read().await?;
        let pending = assessments::count_waiting(&mut conn).await?;
        let failed = assessments::failures(&mut conn, 200).await?;
        let dead_jobs = kontor_db::jobs::counts(&mut conn).await?.dead;
        Ok(Waiting { pending, failed, dead_jobs, rules: self.examiner()?.rules() })
    }

    /// The facts of a version by which a policy is asked about it now.
    pub(crate) fn facts_of(&self, subject: &Subject, scan: &ScanReport) -> kontor_access::policy::VersionFacts {
        facts::version(subject, scan, self.now())
    }

    /// Sets another policy; the catalogue is judged again by it in the background.
    pub async fn set_policy(
        &self,
        caller: &kontor_access::Caller,
        name: &str,
        text: &str,
    ) -> Result<Arc<Policy>, Error> {
        let (row, before) = self.trust.policy.allow(&mut self.read().await?, caller, name, text, self.now()).await?;
        let (caller, notary) = (caller.clone(), self.log().clone());
        self.write(move |tx| {
            let (caller, notary, row) = (caller.clone(), notary.clone(), row.clone());
            Box::pin(async move {
                PolicyInForce::set(tx, &caller, &row, before).await?;
                let said = statements::policy(&row.name, row.digest, before, row.created_at);
                notary.append(tx, said, row.created_at).await?;
                Ok(())
            })
        })
        .await?;
        let policy = self.policy().await?;
        self.trust.compare.store(true, Ordering::SeqCst);
        self.trust.waits.notify_waiters();
        Ok(policy)
    }

    /// The policy that decides now.
    pub async fn policy(&self) -> Result<Arc<Policy>, Error> {
        Ok(self.trust.policy.get(&mut self.read().await?).await?)
    }
}

/// The job that tries one version again.
fn alone(version: VersionId, now: kontor_types::Timestamp) -> NewJob {
    NewJob {
        kind: SCAN.to_owned(),
        key: Some(version.to_string()),
        payload: json!({"version": version}),
        run_at: now.after(Duration::from_secs(5)),
        max_attempts: ATTEMPTS,
    }
}
