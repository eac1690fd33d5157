use kontor_types::{Digest, SkillRef, Timestamp, Version, VersionRange};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Deprecation, Outcome, PolicyReason, Requirement, Signer, Verdict};

/// Which skills are wanted together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResolveRequest {
    /// Names with a version, tag or range; `latest` where none is given.
    pub requires: Vec<SkillRef>,
    /// Versions to keep where they still fit, as a lock file names them; yanked ones may stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefer: Vec<SkillRef>,
}

/// One version of each skill that is needed, such that all requirements are met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// What is required first; then by name.
    pub items: Vec<PlanItem>,
}

/// One version to install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanItem {
    /// The skill's full name, without a version.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The version chosen.
    pub version: Version,
    /// The digest that its archive must have.
    pub digest: Digest,
    /// Bytes of the archive.
    pub size: u64,
    /// Whether it was asked for by name, not only needed by another.
    pub direct: bool,
    /// The other skills that it needs.
    pub requires: Vec<Requirement>,
    /// Whether the version was withdrawn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yanked: bool,
    /// Whether the skill should no longer be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<Deprecation>,
    /// Who signed it; nothing when nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// Where its archive is, an absolute path on this hub.
    pub archive: String,
}

/// What is installed somewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutdatedRequest {
    /// The installed skills.
    pub installed: Vec<Installed>,
}

/// One installed skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Installed {
    /// The skill's full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The version installed.
    pub version: Version,
    /// The digest installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The range it was asked for with; any version without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<VersionRange>,
}

/// How installed skills compare with the hub, in the order asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutdatedList {
    /// One for each installed skill.
    pub items: Vec<OutdatedItem>,
}

/// How one installed skill compares with the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutdatedItem {
    /// The skill's full name today; differs from the one asked for after a rename.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The version installed.
    pub installed: Version,
    /// The newest version within the range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Version>,
    /// What `latest` points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<Version>,
    /// Whether the installed version was withdrawn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yanked: bool,
    /// Whether the hub has no such skill, or none that may be seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
    /// Whether the skill should no longer be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<Deprecation>,
}

/// Tells the hub what was installed, so that it can count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstallReport {
    /// The installed versions, at most 200.
    pub items: Vec<InstalledItem>,
}

/// One installed version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstalledItem {
    /// The skill's full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The version.
    pub version: Version,
}

/// Copies on somebody's disk, to be compared with what the hub says of them now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CopiesRequest {
    /// The copies, at most 200.
    pub copies: Vec<InstalledCopy>,
}

/// One copy of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstalledCopy {
    /// The skill's full name, as it was installed; without it the hub looks for the bytes alone.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SkillRef>,
    /// The version's number, with a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The digest of its canonical content.
    pub digest: Digest,
    /// The range it was asked for with; any version without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<VersionRange>,
}

/// What the hub says of a copy now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The hub serves these bytes under this name.
    Admitted,
    /// It does, but they were withdrawn.
    Yanked,
    /// They were admitted and wait for a person now.
    Held,
    /// They were admitted and are in quarantine now.
    Quarantined,
    /// They were admitted and are refused now.
    Rejected,
    /// Their skill was deleted.
    Deleted,
    /// The hub has other bytes under this name and number.
    Replaced,
    /// The hub has nothing of it that the caller may know of.
    Unknown,
}

/// What became of copies.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CopyList {
    /// One for each copy, in the order asked.
    pub items: Vec<CopyItem>,
}

/// What became of one copy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CopyItem {
    /// The skill's full name today; the one asked about where the hub knows none.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SkillRef>,
    /// The version's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The digest asked about.
    pub digest: Digest,
    /// What the hub says of it.
    pub standing: Standing,
    /// What the scanner said of the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why it was decided so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<PolicyReason>,
    /// Why it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yank_reason: Option<String>,
    /// Who signed it; nothing when nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// Since when the hub says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The newest version within the range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Version>,
    /// What `latest` points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<Version>,
    /// Whether the skill should no longer be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<Deprecation>,
}
