use kontor_types::{Cursor, Digest, Handle, SkillRef, Slug, TagName, Timestamp, Version, VersionRange, Visibility};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Finding;

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkillSort {
    /// Best match first; in a plain list the same as `updated`.
    #[default]
    Relevance,
    /// Last changed first.
    Updated,
    /// Newest skill first.
    Created,
    /// Most downloaded first.
    Downloads,
    /// Most installed first.
    Installs,
    /// Most starred first.
    Stars,
    /// Most used of late first.
    Trending,
}

/// Which skills to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct SkillQuery {
    /// The order; `updated` unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub sort: Option<SkillSort>,
    /// Only this publisher's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub publisher: Option<Handle>,
    /// Where the page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
    /// The most items wanted, 1 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// What to search for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Words, a name, or a whole sentence.
    pub q: String,
    /// The order; by relevance unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub sort: Option<SkillSort>,
    /// Only this publisher's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub publisher: Option<Handle>,
    /// Only in this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Only with this keyword.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword: Option<String>,
    /// Only under this SPDX licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Show copies beside their original; otherwise one stands for all.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[param(value_type = Option<bool>)]
    pub all: bool,
    /// Where the page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
    /// The most items wanted, 1 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// How much a skill is used and liked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Downloads of all versions.
    pub downloads: u64,
    /// Installs that clients told of.
    pub installs: u64,
    /// People who starred it.
    pub stars: u64,
}

/// Why a skill should no longer be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deprecation {
    /// What users should know.
    pub message: String,
    /// What to use in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<SkillRef>,
}

/// A skill in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SkillSummary {
    /// The full name: `@publisher/skill`.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The owner.
    pub publisher: Handle,
    /// The name within the publisher.
    pub slug: Slug,
    /// The name for people, as its author wrote it.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// Whether the description was taken from the text because the author wrote none.
    pub description_derived: bool,
    /// Who may see it.
    pub visibility: Visibility,
    /// What the tag `latest` points to; none while no version is visible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<Version>,
    /// The digest of that version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// SPDX expression or what the author wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Whether the latest version follows the open format to the letter.
    pub spec_valid: bool,
    /// Whether it should no longer be used, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<Deprecation>,
    /// How much it is used.
    pub counts: Counts,
    /// When the skill was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A page of skills.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SkillPage {
    /// The skills.
    pub items: Vec<SkillSummary>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// A skill found by a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchHit {
    /// How well it fits; comparable within one answer only.
    pub score: f64,
    /// How many copies of it fit too and are not shown.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub copies: u64,
    /// The skill.
    #[serde(flatten)]
    pub skill: SkillSummary,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A page of what a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchPage {
    /// Best first.
    pub items: Vec<SearchHit>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
    /// How many fit in all, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// All about one skill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Skill {
    /// What lists show of it.
    #[serde(flatten)]
    pub summary: SkillSummary,
    /// What it is about, from a fixed list.
    pub categories: Vec<String>,
    /// What it is about, in free words.
    pub keywords: Vec<String>,
    /// Its tags.
    pub tags: Vec<crate::Tag>,
    /// The version that `latest` points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_version: Option<VersionDetail>,
    /// Whether whoever asks has starred it.
    pub starred: bool,
    /// Its page for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_url: Option<String>,
}

/// How far a version has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VersionState {
    /// Taken in, nobody has looked at it.
    Pending,
    /// To be had.
    Visible,
    /// Waits for a person's decision.
    Held,
    /// Not to be had.
    Rejected,
}

/// One immutable version in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionSummary {
    /// The version's number.
    pub version: Version,
    /// The digest of its canonical content.
    pub digest: Digest,
    /// Bytes of the canonical archive.
    pub size: u64,
    /// How many files it has.
    pub file_count: u64,
    /// How far it has come.
    pub state: VersionState,
    /// Tags that point to it.
    pub tags: Vec<TagName>,
    /// What its author says has changed.
    pub changelog: String,
    /// When it was published.
    pub created_at: Timestamp,
    /// When it was withdrawn; such a version is installed only where a lock file names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yanked_at: Option<Timestamp>,
    /// Why it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yank_reason: Option<String>,
}

/// A page of versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionPage {
    /// Newest first.
    pub items: Vec<VersionSummary>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// All about one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionDetail {
    /// The skill's full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// What lists show of it.
    #[serde(flatten)]
    pub summary: VersionSummary,
    /// The name for people.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// Whether the description was taken from the text.
    pub description_derived: bool,
    /// SPDX expression or what the author wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Whether it follows the open format to the letter.
    pub spec_valid: bool,
    /// The file that holds the skill's text, usually `SKILL.md`.
    pub skill_file: String,
    /// The front matter as written.
    pub front_matter: serde_json::Value,
    /// Other skills that it needs.
    pub requires: Vec<Requirement>,
    /// What a check has to say about it.
    pub findings: Vec<Finding>,
    /// Where the bytes came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Who signed it; nothing when nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// The version of another skill whose text it repeats: the first among those that the caller may find.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<CopyOf>,
}

/// Who signed a version, with which of their publisher's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Signer {
    /// The publisher whose key it is; after a transfer, another than the skill's.
    pub publisher: Handle,
    /// The key's id, 32 hexadecimal digits.
    pub key_id: String,
    /// Its public half, written `publisher:BASE64`.
    pub public_key: String,
    /// When the hub checked and took the signature.
    pub signed_at: Timestamp,
    /// From when on nothing that the key signed is to be believed, once its publisher has revoked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Whether the signature counts: the key was not revoked, or only from a later moment on.
    pub valid: bool,
}

/// A version whose text another one repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CopyOf {
    /// The original's full name with its version.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// Whether both have the very same content.
    pub exact: bool,
    /// The share of the instructions' text in common, in percent.
    pub likeness: u64,
}

/// Another skill that a version needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Requirement {
    /// The skill's full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// Which versions of it will do.
    pub range: VersionRange,
}

/// Where a version's bytes came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Origin {
    /// What kind of source: `folder`, `archive`, `git`, `npm`, `pip`, `clawhub`.
    pub kind: String,
    /// The address of the source, without credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The commit of a git source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The version the source gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who the source says made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Where in the source it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where the source says it has it from, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// The files of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileList {
    /// The version's number.
    pub version: Version,
    /// The digest of its canonical content.
    pub digest: Digest,
    /// Sorted by the bytes of their paths.
    pub items: Vec<FileItem>,
}

/// One file of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileItem {
    /// Its path within the skill.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
}
