//! Records of the registry as the native API shows them.

use kontor_front::finding;
use kontor_registry::{Found, Reading, Signature, Skill, Version, VersionState};
use kontor_types::{SkillRef, TagName};
use kontor_wire as wire;

/// The full name of a skill.
pub(crate) fn reference(skill: &Skill) -> SkillRef {
    SkillRef::new(skill.publisher.clone(), skill.slug.clone())
}

/// A skill in a list.
pub(crate) fn summary(skill: &Skill) -> wire::SkillSummary {
    wire::SkillSummary {
        reference: reference(skill),
        publisher: skill.publisher.clone(),
        slug: skill.slug.clone(),
        name: skill.display_name.clone(),
        description: skill.description.clone(),
        description_derived: skill.description_derived,
        visibility: skill.visibility,
        latest: skill.latest_number.clone(),
        digest: skill.latest_digest,
        license: skill.license.clone(),
        spec_valid: skill.spec_valid,
        deprecation: deprecation(skill),
        counts: wire::Counts { downloads: skill.downloads, installs: skill.installs, stars: skill.stars },
        created_at: skill.created_at,
        updated_at: skill.updated_at,
    }
}

/// Whether a skill should no longer be used.
pub(crate) fn deprecation(skill: &Skill) -> Option<wire::Deprecation> {
    skill.deprecated_at?;
    Some(wire::Deprecation {
        message: skill.deprecation_message.clone().unwrap_or_default(),
        successor: skill.successor.as_deref().and_then(|text| text.parse().ok()),
    })
}

/// A version in a list.
pub(crate) fn version(version: &Version, tags: Vec<TagName>) -> wire::VersionSummary {
    wire::VersionSummary {
        version: version.number.clone(),
        digest: version.digest,
        size: version.size,
        file_count: version.file_count,
        state: state(version.state),
        tags,
        changelog: version.changelog.clone(),
        created_at: version.created_at,
        yanked_at: version.yanked_at,
        yank_reason: version.yank_reason.clone(),
    }
}

pub(crate) const fn state(state: VersionState) -> wire::VersionState {
    match state {
        VersionState::Pending => wire::VersionState::Pending,
        VersionState::Visible => wire::VersionState::Visible,
        VersionState::Held => wire::VersionState::Held,
        VersionState::Rejected => wire::VersionState::Rejected,
    }
}

/// All about one version.
pub(crate) fn detail(
    found: &Found,
    tags: Vec<TagName>,
    reading: Reading,
    requires: Vec<kontor_registry::Requirement>,
    original: Option<kontor_registry::Original>,
) -> wire::VersionDetail {
    let row = &found.version;
    wire::VersionDetail {
        reference: reference(&found.skill),
        summary: version(row, tags),
        name: row.display_name.clone(),
        description: row.description.clone(),
        description_derived: row.description_derived,
        license: row.license.clone(),
        spec_valid: row.spec_valid,
        skill_file: row.skill_file.clone(),
        front_matter: reading.front_matter,
        requires: requires.into_iter().map(requirement).collect(),
        findings: findings_in(reading.findings),
        origin: row.origin.clone().and_then(|origin| serde_json::from_value(origin).ok()),
        signer: row.signature().map(signer),
        copy_of: original.map(|original| copy_of(row, original)),
    }
}

/// Who signed a version.
pub(crate) fn signer(signature: Signature) -> wire::Signer {
    wire::Signer {
        valid: signature.counts(),
        publisher: signature.publisher,
        key_id: signature.key_id,
        public_key: signature.public_key,
        signed_at: signature.taken_at,
        revoked_at: signature.revoked_from,
    }
}

fn copy_of(row: &Version, original: kontor_registry::Original) -> wire::CopyOf {
    let mut reference = SkillRef::new(original.publisher, original.slug);
    reference.version = Some(kontor_types::VersionSelector::Exact(original.number));
    wire::CopyOf { reference, exact: original.digest == row.digest, likeness: original.likeness }
}

pub(crate) fn requirement(needed: kontor_registry::Requirement) -> wire::Requirement {
    wire::Requirement { reference: SkillRef::new(needed.publisher, needed.slug), range: needed.range }
}

fn findings_in(stored: serde_json::Value) -> Vec<wire::Finding> {
    let read: Vec<kontor_package::Finding> = serde_json::from_value(stored).unwrap_or_default();
    read.into_iter().map(finding).collect()
}
