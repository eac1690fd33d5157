//! Writing one version and everything that belongs to it, inside the transaction of whoever publishes or imports.

use kontor_access::{Caller, audit};
use kontor_db::publishers::Publisher;
use kontor_db::skill_names::{Name, NameKind};
use kontor_db::skills::NewSkill;
use kontor_db::versions::{Candidate, NewVersion, VersionState};
use kontor_db::{Tx, assessments, blobs, publishers, requirements, skill_names, skills, tags, version_files, versions};
use kontor_package::Finding;
use kontor_translog::Notary;
use kontor_types::{
    Digest, Handle, PublisherId, SkillId, SkillRef, Slug, TagName, Timestamp, Version, VersionId, VersionSelector,
    Viewer, Visibility,
};
use serde_json::{Value, json};

use crate::Error;
use crate::intake::Intake;
use crate::keys::Given;
use crate::numbers;
use crate::registry::{announce, event};
use crate::statements;
use crate::webhooks::{self, EventKind};

/// What publishing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A new skill.
    Created,
    /// A new version of a skill.
    Updated,
    /// The same bytes were there.
    Unchanged,
}

/// A published version.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// What was done.
    pub outcome: Outcome,
    /// The skill.
    pub skill_id: SkillId,
    /// The version.
    pub version_id: VersionId,
    /// The publisher's handle.
    pub publisher: Handle,
    /// The skill's name.
    pub slug: Slug,
    /// The version's number.
    pub number: Version,
    /// The identity of its content.
    pub digest: Digest,
    /// How far it has come.
    pub state: VersionState,
    /// What was noticed about the content.
    pub findings: Vec<Finding>,
}

impl Published {
    /// Whether something was made.
    pub fn created(&self) -> bool {
        self.outcome != Outcome::Unchanged
    }

    /// The full name with the version.
    pub fn reference(&self) -> SkillRef {
        full_name(&self.publisher, &self.slug, &self.number)
    }
}

/// `@publisher/skill@1.2.3`.
pub(crate) fn full_name(publisher: &Handle, slug: &Slug, number: &Version) -> SkillRef {
    let version = Some(VersionSelector::Exact(number.clone()));
    SkillRef { publisher: Some(publisher.clone()), slug: slug.clone(), version }
}

/// Everything about a version to be written but its skill and number.
pub(crate) struct Release {
    pub caller: Caller,
    pub publisher: Publisher,
    pub intake: Intake,
    pub action: &'static str,
    pub changelog: String,
    pub origin: Option<Value>,
    pub tags: Vec<TagName>,
    pub visibility: Visibility,
    pub notary: Notary,
    pub signature: Option<Given>,
    /// Whether it is only tried; then it need not be signed yet.
    pub tried: bool,
    pub now: Timestamp,
}

impl Release {
    /// A new skill with its first version. `taken_over` says that the name's row is there and free to be used.
    pub async fn first(&self, tx: &mut Tx, slug: &Slug, number: Version, taken_over: bool) -> Result<Published, Error> {
        let skill = SkillId::new(self.now);
        let version = VersionId::new(self.now);
        let new = NewSkill {
            id: skill,
            publisher_id: self.publisher.id,
            slug: slug.clone(),
            look: kontor_package::skeleton(slug.as_str()),
            visibility: self.visibility,
            facts: self.intake.facts.clone(),
            latest: None,
            now: self.now,
        };
        skills::insert(tx, &new).await?;
        let name = Name {
            publisher_id: self.publisher.id,
            slug: slug.clone(),
            skill_id: skill,
            kind: NameKind::Current,
            until: None,
        };
        if taken_over {
            skill_names::put(tx, &name, self.now).await?;
        } else {
            skill_names::insert(tx, &name, self.now).await?;
        }
        fail::fail_point!("registry::skill_written");
        self.version(tx, skill, version, &number).await?;
        self.finish(tx, Outcome::Created, (skill, version), slug, number).await
    }

    /// One more version of a skill that has these.
    pub async fn next(&self, tx: &mut Tx, skill: SkillId, slug: &Slug, number: Version) -> Result<Published, Error> {
        let version = VersionId::new(self.now);
        self.version(tx, skill, version, &number).await?;
        self.finish(tx, Outcome::Updated, (skill, version), slug, number).await
    }

    /// The version that is there with the same bytes.
    pub fn unchanged(&self, slug: &Slug, version: &Candidate) -> Published {
        Published {
            outcome: Outcome::Unchanged,
            skill_id: version.skill_id,
            version_id: version.id,
            publisher: self.publisher.handle.clone(),
            slug: slug.clone(),
            number: version.number.clone(),
            digest: version.digest,
            state: version.state,
            findings: self.intake.findings.clone(),
        }
    }

    async fn version(&self, tx: &mut Tx, skill: SkillId, id: VersionId, number: &Version) -> Result<(), Error> {
        let intake = &self.intake;
        blobs::put(tx, &intake.digest, intake.size(), self.now).await?;
        let version = NewVersion {
            id,
            skill_id: skill,
            number: number.clone(),
            digest: intake.digest,
            size: intake.size(),
            file_count: intake.files.len() as u64,
            fingerprint: intake.fingerprint,
            state: VersionState::Pending,
            facts: intake.facts.clone(),
            skill_file: intake.skill_file.clone(),
            front_matter: intake.front_matter.clone(),
            manifest: intake.manifest.clone(),
            findings: serde_json::to_value(&intake.findings).unwrap_or_else(|_| json!([])),
            changelog: self.changelog.clone(),
            origin: self.origin.clone(),
            published_by: self.caller.person_id(),
            now: self.now,
        };
        versions::insert(tx, &version).await?;
        version_files::insert(tx, id, &intake.files).await?;
        requirements::insert(tx, id, &intake.requirements).await?;
        fail::fail_point!("registry::version_written");
        Ok(())
    }

    async fn finish(
        &self,
        tx: &mut Tx,
        outcome: Outcome,
        (skill_id, version_id): (SkillId, VersionId),
        slug: &Slug,
        number: Version,
    ) -> Result<Published, Error> {
        for tag in &self.tags {
            assessments::wish(tx, version_id, tag).await?;
        }
        let digest = self.intake.digest;
        let published = Published {
            outcome,
            skill_id,
            version_id,
            publisher: self.publisher.handle.clone(),
            slug: slug.clone(),
            number,
            digest,
            state: VersionState::Pending,
            findings: self.intake.findings.clone(),
        };
        let signed = self.signed(tx, &published).await?;
        let detail = json!({"digest": digest, "new_skill": outcome == Outcome::Created, "signed": signed});
        let event = event(self.action, self.publisher.id, &published.reference(), detail);
        audit::record(tx, &self.caller, event, self.now).await?;
        let told = webhooks::Event {
            kind: EventKind::Publish,
            publisher: self.publisher.id,
            subject: published.reference(),
            detail: json!({"digest": digest, "new_skill": outcome == Outcome::Created}),
        };
        webhooks::announce(tx, &told, self.now).await?;
        self.notary.append(tx, statements::published(self, &published, signed.as_deref()), self.now).await?;
        if let (Some(signature), Some(key)) = (&self.signature, signed) {
            signature.clone().keep(tx, self, &published, key).await?;
        }
        announce(tx, skill_id, self.now).await?;
        fail::fail_point!("registry::change_written");
        Ok(published)
    }
}

impl Release {
    /// The id of the key that signed it; refused when it must be signed and is not.
    async fn signed(&self, tx: &mut Tx, published: &Published) -> Result<Option<String>, Error> {
        match &self.signature {
            Some(signature) => signature.check(tx, self, published).await.map(Some),
            None if !self.tried && requires_signature(tx, self.publisher.id).await? => {
                Err(Error::SignatureRequired { handle: self.publisher.handle.clone() })
            }
            None => Ok(None),
        }
    }
}

/// As the unit of writing sees it: whoever set it must not find an unsigned version afterwards.
async fn requires_signature(tx: &mut Tx, publisher: PublisherId) -> Result<bool, Error> {
    Ok(publishers::by_id(tx, publisher).await?.is_some_and(|publisher| publisher.require_signature))
}

/// Brings `latest` and what the skill shows in line with the rule, after anything that could move it.
pub(crate) async fn settle_latest(tx: &mut Tx, skill: SkillId, now: Timestamp) -> Result<(), kontor_db::Error> {
    let existing = versions::all(tx, skill).await?;
    let Some(latest) = numbers::latest(&existing) else {
        skills::set_latest(tx, skill, None).await?;
        tags::remove(tx, skill, &TagName::latest()).await?;
        return Ok(());
    };
    let tag = tags::find(tx, &Viewer::hub(), skill, &TagName::latest()).await?;
    if let Some(version) = versions::find(tx, &Viewer::hub(), latest.id).await? {
        skills::set_latest(tx, skill, Some((latest.id, &version.facts()))).await?;
    }
    if tag.is_none_or(|tag| tag.version_id != latest.id) {
        tags::put(tx, skill, &TagName::latest(), latest.id, now).await?;
    }
    Ok(())
}
