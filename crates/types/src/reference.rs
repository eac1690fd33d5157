use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Handle, NameError, Slug, TagName, Version, VersionError, VersionRange};

/// How a person or a manifest names a skill: `slug`, `@publisher/slug`, `@publisher/slug@1.2.0`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SkillRef {
    /// The owner; without one the slug must be unique among what the viewer may see.
    pub publisher: Option<Handle>,
    /// The skill's name within its publisher.
    pub slug: Slug,
    /// Which version; without one the tag `latest`.
    pub version: Option<VersionSelector>,
}

/// Which version of a skill is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VersionSelector {
    /// Exactly this version.
    Exact(Version),
    /// What a tag points to.
    Tag(TagName),
    /// The newest release in a range.
    Range(VersionRange),
}

/// Why a reference could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkillRefError {
    /// A name in it breaks the rule.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The part behind the last `@` is no version, tag or range.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// It is an address, or lacks the `@`, and says all the same which skill is meant.
    #[error("`{text}` is not how a skill is named: write {meant}")]
    Meant {
        /// What was given, cut to 80 characters.
        text: String,
        /// The reference that it says.
        meant: String,
    },
    /// A publisher was begun with `@` but no `/` follows.
    #[error("`{text}` names no skill: write @publisher/skill or @publisher/skill@1.2.3")]
    Shape {
        /// What was given, cut to 80 characters.
        text: String,
    },
}

impl SkillRef {
    /// A reference to the newest release of a publisher's skill.
    pub const fn new(publisher: Handle, slug: Slug) -> Self {
        Self { publisher: Some(publisher), slug, version: None }
    }
}

impl FromStr for VersionSelector {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(tag) = TagName::parse(text) {
            return Ok(Self::Tag(tag));
        }
        match text.parse() {
            Ok(version) => Ok(Self::Exact(version)),
            Err(_) => text.parse().map(Self::Range),
        }
    }
}

impl fmt::Display for VersionSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(version) => version.fmt(formatter),
            Self::Tag(tag) => tag.fmt(formatter),
            Self::Range(range) => range.fmt(formatter),
        }
    }
}

impl FromStr for SkillRef {
    type Err = SkillRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (publisher, rest) = match text.strip_prefix('@') {
            None if text.contains('/') => return Err(unlike(text)),
            None => (None, text),
            Some(owned) => {
                let (handle, rest) =
                    owned.split_once('/').ok_or_else(|| SkillRefError::Shape { text: excerpt(text) })?;
                (Some(Handle::parse(handle)?), rest)
            }
        };
        let (slug, version) = match rest.split_once('@') {
            None => (rest, None),
            Some((slug, version)) => (slug, Some(version.parse()?)),
        };
        Ok(Self { publisher, slug: Slug::parse(slug)?, version })
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(80).filter(|char| !char.is_control()).collect()
}

/// What is wrong with a text with slashes and without an `@` before them: the address of a skill's page, or `publisher/skill`.
fn unlike(text: &str) -> SkillRefError {
    let address = text.split_once("://").and_then(|(_, rest)| Some(rest.split_once("/@")?.1));
    let meant = address.map_or(text, |path| path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/'));
    match format!("@{meant}").parse::<SkillRef>() {
        Ok(meant) => SkillRefError::Meant { text: excerpt(text), meant: meant.to_string() },
        Err(_) => SkillRefError::Shape { text: excerpt(text) },
    }
}

impl TryFrom<String> for SkillRef {
    type Error = SkillRefError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SkillRef> for String {
    fn from(reference: SkillRef) -> Self {
        reference.to_string()
    }
}

impl fmt::Display for SkillRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(publisher) = &self.publisher {
            write!(formatter, "@{publisher}/")?;
        }
        self.slug.fmt(formatter)?;
        match &self.version {
            Some(version) => write!(formatter, "@{version}"),
            None => Ok(()),
        }
    }
}

impl utoipa::PartialSchema for SkillRef {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some(
                "A skill by name: `slug`, `@publisher/slug`, `@publisher/slug@1.2.0`, `@publisher/slug@^1.2`",
            ))
            .examples(["@acme/pdf@^1.4"])
            .into()
    }
}

impl utoipa::ToSchema for SkillRef {}
