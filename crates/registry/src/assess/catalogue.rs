//! Judging what is there already: again when the rules or the policy changed, and on trial before a policy is set.

use std::collections::HashMap;
use std::sync::Arc;

use kontor_access::Caller;
use kontor_access::policy::{Action, Actor, Decided, Policy, Reason, VersionFacts};
use kontor_db::assessments::{self, Subject};
use kontor_db::decisions::{self, Outcome};
use kontor_db::{Conn, scan_reports, settings};
use kontor_types::{Digest, SkillRef, Timestamp, VersionId};

use super::Known;
use super::facts;
use super::outcome::{Cause, held_to_people, stamp};
use crate::release::full_name;
use crate::{Error, Registry};

/// The kind of job that judges the catalogue again.
pub const REJUDGE: &str = "catalogue.rejudge";

/// The rules and policy by which the whole catalogue was judged.
const JUDGED: &str = "catalogue_judged";
/// How far a judging under way has come.
const CURSOR: &str = "catalogue_judging";
/// Versions looked at in one step.
const PAGE: u32 = 48;
/// Versions of a preview looked at in one step.
const PREVIEW_PAGE: u32 = 300;
/// Most changes that a preview lists.
const LISTED: usize = 500;

/// What another policy would change.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// Versions that were looked at.
    pub versions: u64,
    /// How many would change.
    pub changed: u64,
    /// How many decisions would become which, by the words of both.
    pub kinds: Vec<(Outcome, Outcome, u64)>,
    /// The first of them.
    pub changes: Vec<PreviewedChange>,
    /// How many versions somebody who is not signed in could no longer install.
    pub installs_lost: u64,
    /// How many they could install and cannot now.
    pub installs_won: u64,
}

/// A decision that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewedChange {
    /// The version.
    pub reference: SkillRef,
    /// What is decided now.
    pub from: Outcome,
    /// What would be.
    pub to: Outcome,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl Registry {
    /// Whether the catalogue was last judged by other rules or another policy than those of now.
    pub(super) async fn is_judged_otherwise(&self, conn: &mut Conn) -> Result<bool, Error> {
        let policy = self.trust.policy.get(conn).await?;
        let now = stamp(&self.examiner()?.rules(), &policy.digest());
        Ok(settings::get(conn, JUDGED).await?.as_deref() != Some(now.hex().as_str()))
    }

    /// Judges every decided version again that was decided by other rules or another policy; one that broke off goes on
    /// where it was.
    pub async fn rejudge(&self) -> Result<u64, Error> {
        let policy = self.policy().await?;
        let mark = stamp(&self.examiner()?.rules(), &policy.digest());
        let mut after = self.cursor(&mark).await?;
        let mut judged = 0_u64;
        loop {
            let page = assessments::decided(&mut self.read().await?, after, PAGE).await?;
            let Some(last) = page.last().map(|subject| subject.id) else { break };
            let others: Vec<Subject> = page.into_iter().filter(|subject| subject.judged != Some(mark)).collect();
            if !others.is_empty() {
                judged += others.len() as u64;
                self.judge_again(&policy, others).await?;
            }
            after = Some(last);
            self.set(CURSOR, format!("{} {last}", mark.hex())).await?;
        }
        self.set(JUDGED, mark.hex()).await?;
        if judged > 0 {
            tracing::info!(versions = judged, "the catalogue was judged again");
        }
        Ok(judged)
    }

    async fn judge_again(&self, policy: &Arc<Policy>, subjects: Vec<Subject>) -> Result<(), Error> {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for (subject, outcome) in self.scan_all(subjects, Known::All).await? {
            match outcome {
                Ok(examined) => good.push((subject, examined)),
                // What was decided by the rules before stays decided until it can be scanned by the new ones.
                Err(reason) => {
                    let name = full_name(&subject.publisher, &subject.slug, &subject.number).to_string();
                    tracing::warn!(
                        version.name = name,
                        reason,
                        "a version could not be scanned again; its decision stays"
                    );
                    bad.push((subject, reason));
                }
            }
        }
        self.decide_all(policy, good, &Cause::catalogue()).await?;
        if bad.is_empty() {
            return Ok(());
        }
        let (subjects, reasons): (Vec<Subject>, Vec<String>) = bad.into_iter().unzip();
        self.begin(&subjects).await?;
        self.note_failures(subjects.iter().map(|subject| subject.id).zip(reasons).collect()).await
    }

    async fn cursor(&self, mark: &Digest) -> Result<Option<VersionId>, Error> {
        let kept = settings::get(&mut self.read().await?, CURSOR).await?;
        let kept = kept.as_deref().and_then(|text| text.split_once(' '));
        Ok(kept.filter(|(of, _)| *of == mark.hex()).and_then(|(_, id)| id.parse().ok()))
    }

    async fn set(&self, name: &'static str, value: String) -> Result<(), Error> {
        let set = self.parts.db.write(move |tx| {
            let value = value.clone();
            Box::pin(async move { settings::set(tx, name, &value).await })
        });
        Ok(set.await?)
    }

    /// What another policy would decide otherwise about every version there is; for administrators. Nothing is changed.
    pub async fn preview_policy(&self, caller: &Caller, policy: &Policy) -> Result<Preview, Error> {
        caller.require_administrator()?;
        let (mut after, now) = (None, self.now());
        let present = self.policy().await?;
        let mut preview = Preview::default();
        let mut kinds: HashMap<(Outcome, Outcome), u64> = HashMap::new();
        loop {
            let mut conn = self.read().await?;
            let page = assessments::decided(&mut conn, after, PREVIEW_PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for (subject, facts, from, decided) in on_trial(&mut conn, policy, page, now).await? {
                preview.versions += 1;
                let before = from == Outcome::Admit && everybody_installs(&present, &facts);
                let then = decided.outcome == Outcome::Admit && everybody_installs(policy, &facts);
                preview.installs_lost += u64::from(before && !then);
                preview.installs_won += u64::from(then && !before);
                if from == decided.outcome {
                    continue;
                }
                preview.changed += 1;
                *kinds.entry((from, decided.outcome)).or_default() += 1;
                if preview.changes.len() < LISTED {
                    preview.changes.push(PreviewedChange {
                        reference: full_name(&subject.publisher, &subject.slug, &subject.number),
                        from,
                        to: decided.outcome,
                        reasons: decided.reasons,
                    });
                }
            }
        }
        preview.kinds = kinds.into_iter().map(|((from, to), count)| (from, to, count)).collect();
        preview.kinds.sort();
        Ok(preview)
    }
}

/// Whether somebody who is not signed in may install a version, once it is admitted.
fn everybody_installs(policy: &Policy, facts: &VersionFacts) -> bool {
    match policy.always(Action::Install) {
        Some(always) => always.is_ok(),
        None => policy.may(Action::Install, &Actor::default(), Some(facts)).is_ok(),
    }
}

/// What is decided about each version now, and what the policy would decide by what was last found.
async fn on_trial(
    conn: &mut Conn,
    policy: &Policy,
    page: Vec<Subject>,
    now: Timestamp,
) -> Result<Vec<(Subject, VersionFacts, Outcome, Decided)>, Error> {
    let ids: Vec<VersionId> = page.iter().map(|subject| subject.id).collect();
    let digests: Vec<Digest> = page.iter().map(|subject| subject.digest).collect();
    let decisions = decisions::newest(conn, &ids).await?;
    let decisions: HashMap<VersionId, Outcome> =
        decisions.into_iter().map(|decision| (decision.version_id, decision.outcome)).collect();
    let reports = scan_reports::newest(conn, &digests).await?;
    let reports: HashMap<Digest, _> = reports.into_iter().map(|report| (report.digest, report)).collect();
    let tried = page.into_iter().filter_map(|subject| {
        let (from, report) = (*decisions.get(&subject.id)?, reports.get(&subject.digest)?);
        let facts = facts::version(&subject, report, now);
        let decided = held_to_people(policy.admit(&facts::author(&subject), &facts), &subject, &facts.review);
        Some((subject, facts, from, decided))
    });
    Ok(tried.collect())
}
