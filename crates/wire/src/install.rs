use kontor_types::{Digest, SkillRef, Version, VersionRange};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Deprecation, Requirement, Signer};

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
