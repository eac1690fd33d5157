use kontor_types::{Digest, SkillRef, Slug, TagName, Version, Visibility};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Origin;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The skill is refused.
    Error,
    /// The skill is accepted, but agents may read it otherwise than its author meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// Something a check has to say about a place in a skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// The stable name.
    pub code: String,
    /// How much it weighs.
    pub severity: Severity,
    /// The file; empty when it is about the whole skill.
    pub file: String,
    /// The line, counted from 1; 0 when it is about the whole file.
    pub line: u32,
    /// What is the matter.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

/// How to publish the ZIP in the body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PublishQuery {
    /// The skill's name; from the package unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub slug: Option<Slug>,
    /// The version; from the package unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub version: Option<Version>,
    /// The folder's name, for a package whose text names no skill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// What has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changelog: Option<String>,
    /// A tag to point to the version, besides `latest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub tag: Option<TagName>,
    /// Who may see a skill that is new; `public` unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub visibility: Option<Visibility>,
    /// The publisher's signature over bytes and full name: the DSSE envelope in base64 for addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Only say what would happen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// What publishing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublishStatus {
    /// A new skill.
    Created,
    /// A new version of a skill.
    Updated,
    /// The same bytes were there under this version.
    Unchanged,
}

/// A published version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Published {
    /// What was done.
    pub status: PublishStatus,
    /// The skill's full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The version's number.
    pub version: Version,
    /// The digest of its canonical content.
    pub digest: Digest,
    /// How far it has come.
    pub state: crate::VersionState,
    /// What a check has to say about it.
    pub findings: Vec<Finding>,
    /// Its page for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_url: Option<String>,
}

/// What to do when another path has made a skill of the same name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// Refuse it.
    #[default]
    Refuse,
    /// Give it the next free name: `name-2`.
    Rename,
}

/// How to import the one skill whose ZIP is the body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// The stable name of the source, the same at every import: `npm:name`, a git address, a folder.
    pub source: String,
    /// Where in the source the skill lies; empty for its root.
    pub path: String,
    /// The folder's name, for a skill whose text names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The name to give it, in place of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub slug: Option<Slug>,
    /// The number that the source gave it, in place of the one in its text; the next patch when it is not the highest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub version: Option<Version>,
    /// What to do when the name is taken.
    #[param(inline)]
    pub on_conflict: OnConflict,
    /// Who may see a skill that is new; `public` unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub visibility: Option<Visibility>,
    /// What kind of source: `folder`, `archive`, `git`, `npm`, `pip`, `clawhub`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub origin_kind: String,
    /// The address of the source, without credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_url: Option<String>,
    /// The commit of a git source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_commit: Option<String>,
    /// The version the source gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_version: Option<String>,
    /// Who the source says made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_author: Option<String>,
    /// Where the source says it has it from, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_before: Option<String>,
}

impl ImportQuery {
    /// Where the bytes come from, as the version remembers it.
    pub fn origin(&self) -> Origin {
        Origin {
            kind: self.origin_kind.clone(),
            url: self.origin_url.clone(),
            commit: self.origin_commit.clone(),
            version: self.origin_version.clone(),
            author: self.origin_author.clone(),
            path: Some(self.path.clone()),
            before: self.origin_before.clone(),
        }
    }
}

/// What became of one skill of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportStatus {
    /// A new skill.
    Imported,
    /// A new version of a skill that this path made before.
    Updated,
    /// Nothing to do.
    Unchanged,
    /// Not taken; code and message say why.
    Refused,
}

/// One skill of a source after its import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportItem {
    /// Where in the source it lies.
    pub path: String,
    /// What became of it.
    pub status: ImportStatus,
    /// The skill's full name; none for a refused one.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<SkillRef>,
    /// The version that now holds these bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The digest of its canonical content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Why it was refused: a finding's or a problem's stable name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why it was refused, or what to know, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The file that the message is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in that file, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}
