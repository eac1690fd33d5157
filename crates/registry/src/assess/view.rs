//! What is told of a version's scan and decision to whoever may see the version.

use std::collections::HashMap;

use kontor_access::Caller;
use kontor_access::policy::{Actor, Decided, VersionFacts};
use kontor_db::assessments::{self, Failed};
use kontor_db::decisions::{self, Decision};
use kontor_db::recalls;
use kontor_db::reviews::{self, ReviewState};
use kontor_db::scan_reports::{self, ScanReport};
use kontor_db::skills;
use kontor_db::versions::{self, Version};
use kontor_scan::Report;
use kontor_types::{Digest, Role, Scope, SkillRef, VersionId, Viewer};

use super::facts;
use super::outcome::held_to_people;
use crate::{Error, Found, Registry};

/// Most decisions of the past that are told of one version.
const PAST: u32 = 50;

/// What was found in a version, and what was decided.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// The newest scan of its content, if there was one.
    pub scan: Option<ScanReport>,
    /// That scan's report.
    pub report: Option<Report>,
    /// The newest decision, if there was one.
    pub decision: Option<Decision>,
    /// Why it could not be scanned yet.
    pub failed: Option<Failed>,
    /// What its review came to, if it has one.
    pub review: Option<ReviewState>,
}

/// What waits to be scanned.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Versions that wait, those whose scan failed included.
    pub pending: u64,
    /// Those whose scan failed.
    pub failed: Vec<Failed>,
    /// Jobs of any kind that were given up.
    pub dead_jobs: i64,
    /// The digest of the rules.
    pub rules: Digest,
}

/// Why a version is decided as it is.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The name of the policy in force.
    pub policy: String,
    /// What it decides now.
    pub decided: Decided,
    /// Who published it.
    pub actor: Actor,
    /// What is known of it.
    pub facts: VersionFacts,
    /// Everything that was decided about it, the newest first.
    pub decisions: Vec<Decision>,
}

impl Registry {
    /// What was found in a version that the caller found, and what was decided.
    pub async fn assessment(&self, version: &Version) -> Result<Assessment, Error> {
        let mut conn = self.read().await?;
        let scan = scan_reports::newest(&mut conn, &[version.digest]).await?.into_iter().next();
        let decision = decisions::newest(&mut conn, &[version.id]).await?.into_iter().next();
        let undecided = version.state == crate::VersionState::Pending;
        let failed = if undecided { assessments::attempt(&mut conn, version.id).await? } else { None };
        let review = reviews::of_version(&mut conn, version.id).await?.map(|review| review.state);
        let report = scan.as_ref().and_then(facts::report);
        Ok(Assessment { scan, report, decision, failed: failed.filter(|one| one.error.is_some()), review })
    }

    /// The same of several versions, in their order.
    pub async fn assessments(&self, versions: &[&Version]) -> Result<Vec<Assessment>, Error> {
        let mut conn = self.read().await?;
        let digests: Vec<Digest> = versions.iter().map(|version| version.digest).collect();
        let ids: Vec<VersionId> = versions.iter().map(|version| version.id).collect();
        let scans = scan_reports::newest(&mut conn, &digests).await?;
        let scans: HashMap<Digest, ScanReport> = scans.into_iter().map(|scan| (scan.digest, scan)).collect();
        let decisions = decisions::newest(&mut conn, &ids).await?;
        let decisions: HashMap<VersionId, Decision> = decisions.into_iter().map(|one| (one.version_id, one)).collect();
        let mut told = Vec::with_capacity(versions.len());
        for version in versions {
            let undecided = version.state == crate::VersionState::Pending;
            let failed = if undecided { assessments::attempt(&mut conn, version.id).await? } else { None };
            let scan = scans.get(&version.digest).cloned();
            told.push(Assessment {
                report: scan.as_ref().and_then(facts::report),
                scan,
                decision: decisions.get(&version.id).cloned(),
                failed: failed.filter(|one| one.error.is_some()),
                review: None,
            });
        }
        Ok(told)
    }

    /// Passes for a version that was admitted: no other is installed, by nobody.
    pub fn require_admitted(&self, found: &Found) -> Result<(), Error> {
        if found.version.state == crate::VersionState::Visible {
            return Ok(());
        }
        Err(Error::NotAdmitted { version: found.reference().into(), state: found.version.state })
    }

    /// The version with this number of the skill of this name, if it was admitted once, the viewer could see it then, and it is
    /// held or rejected now, so that nobody finds it.
    pub async fn once_admitted(
        &self,
        viewer: &Viewer,
        name: &SkillRef,
        number: &kontor_types::Version,
    ) -> Result<Option<Found>, Error> {
        let mut conn = self.read().await?;
        let publisher = match &name.publisher {
            Some(publisher) => publisher.clone(),
            None => match recalls::publisher_of(&mut conn, viewer, &name.slug, number).await? {
                Some(publisher) => publisher,
                None => return Ok(None),
            },
        };
        let recalled = recalls::by_name(&mut conn, viewer, &publisher, &name.slug, number).await?;
        let Some(recalled) = recalled.filter(|one| one.deleted_at.is_none()) else { return Ok(None) };
        let skill = skills::find(&mut conn, &Viewer::hub(), recalled.skill_id).await?;
        let version = versions::find(&mut conn, &Viewer::hub(), recalled.id).await?;
        let withheld =
            |version: &Version| matches!(version.state, crate::VersionState::Held | crate::VersionState::Rejected);
        let version = version.filter(withheld);
        Ok(skill.zip(version).map(|(skill, version)| Found { skill: skill.into(), version: version.into() }))
    }

    /// Why a version that the caller found is decided as it is. What a person is on this hub is told only to those who
    /// maintain the skill.
    pub async fn explain(&self, caller: &Caller, found: &Found) -> Result<Explained, Error> {
        let subjects = assessments::subjects(&mut self.read().await?, &[found.version.id]).await?;
        let known = self.reports_at_hand(subjects).await?.pop();
        let (subject, scan) = known.ok_or_else(|| {
            Error::conflict("the version was not scanned yet", "try again when it is: `kontor review waiting` shows it")
        })?;
        let policy = self.policy().await?;
        let (actor, facts) = (facts::author(&subject), self.facts_of(&subject, &scan));
        let decided = held_to_people(policy.admit(&actor, &facts), &subject, &facts.review);
        let maintains = caller.require_role(found.skill.publisher_id, Role::Maintainer, Scope::Read).is_ok();
        let actor = if maintains { actor } else { Actor { hub: actor.hub, author: true, ..Actor::default() } };
        let decisions = decisions::of_version(&mut self.read().await?, found.version.id, PAST).await?;
        Ok(Explained { policy: policy.name().to_owned(), decided, actor, facts, decisions })
    }
}
