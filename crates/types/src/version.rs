use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version number after Semantic Versioning 2.0.0; precedence is the specification's, build metadata last.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, examples("1.2.0"))]
pub struct Version(semver::Version);

/// The text is no semantic version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version of the form 1.2.3 (Semantic Versioning)")]
pub struct VersionError {
    text: String,
}

impl Version {
    /// The most bytes a version's text has.
    pub const MAX_LENGTH: usize = 128;

    /// The version of a skill that names none.
    pub const fn first() -> Self {
        Self(semver::Version::new(0, 1, 0))
    }

    /// The next patch release: `1.2.3` → `1.2.4`, and `1.2.3-rc.1` → `1.2.3`.
    #[must_use]
    pub fn next_patch(&self) -> Self {
        let released = &self.0;
        let patch = if released.pre.is_empty() { released.patch.saturating_add(1) } else { released.patch };
        Self(semver::Version::new(released.major, released.minor, patch))
    }

    /// Whether this is a pre-release (`1.0.0-rc.1`), which `latest` never points to while a release exists.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || VersionError { text: text.chars().take(80).filter(|char| !char.is_control()).collect() };
        if text.len() > Self::MAX_LENGTH {
            return Err(refused());
        }
        semver::Version::parse(text).map(Self).map_err(|_| refused())
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

/// A range of versions as `[requires]` writes it: `^1.4`, `>=1.2, <2`, `*`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, examples("^1.4"))]
pub struct VersionRange(semver::VersionReq);

impl VersionRange {
    /// Whether `version` lies in the range; pre-releases match only where the range names one.
    pub fn contains(&self, version: &Version) -> bool {
        self.0.matches(&version.0)
    }
}

impl FromStr for VersionRange {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || VersionError { text: text.chars().take(80).filter(|char| !char.is_control()).collect() };
        if text.len() > Version::MAX_LENGTH {
            return Err(refused());
        }
        semver::VersionReq::parse(text).map(Self).map_err(|_| refused())
    }
}

impl TryFrom<String> for VersionRange {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<VersionRange> for String {
    fn from(range: VersionRange) -> Self {
        range.to_string()
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for VersionRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}
