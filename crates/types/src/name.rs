use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::Digest;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a {kind} must not be empty")]
    Empty {
        /// What the name would have named.
        kind: &'static str,
    },
    /// More characters than the kind of name may have.
    #[error("a {kind} has at most {limit} characters")]
    TooLong {
        /// What the name would have named.
        kind: &'static str,
        /// The most characters allowed.
        limit: usize,
    },
    /// A character or a hyphen stands where it may not.
    #[error("`{text}` is not a {kind}: use lower-case letters a-z, digits and single hyphens between them")]
    Character {
        /// What the name would have named.
        kind: &'static str,
        /// What was given, cut to 80 characters.
        text: String,
    },
}

fn check(text: &str, kind: &'static str, limit: usize) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if text.chars().count() > limit {
        return Err(NameError::TooLong { kind, limit });
    }
    let word =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if text.split('-').all(word) {
        return Ok(());
    }
    Err(NameError::Character { kind, text: text.chars().take(80).filter(|char| !char.is_control()).collect() })
}

/// Folds a foreign name: NFKC, lower case, every other run of characters to one hyphen, cut to `limit`.
fn fold(text: &str, limit: usize) -> String {
    let mut folded = String::new();
    for char in text.nfkc().flat_map(char::to_lowercase).take(4 * limit) {
        if char.is_ascii_lowercase() || char.is_ascii_digit() {
            folded.push(char);
        } else if !folded.is_empty() && !folded.ends_with('-') {
            folded.push('-');
        }
    }
    folded.truncate(limit);
    folded.truncate(folded.trim_end_matches('-').len());
    folded
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $limit:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
        pub struct $name(String);

        impl $name {
            /// The most characters such a name has.
            pub const MAX_LENGTH: usize = $limit;

            /// Reads a name that must already follow the rule.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                check(text, $kind, $limit).map(|()| Self(text.to_owned()))
            }

            /// The name's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                check(&text, $kind, $limit).map(|()| Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, formatter)
            }
        }
    )+};
}

names! {
    /// A skill's name within its publisher: `[a-z0-9]+(-[a-z0-9]+)*`, at most 64 characters.
    Slug, "skill name", 64;
    /// A publisher's name on the hub: `[a-z0-9]+(-[a-z0-9]+)*`, at most 39 characters.
    Handle, "publisher handle", 39;
}

impl Slug {
    /// Folds any foreign name to a slug; one that folds to nothing becomes `skill-` and 8 digits of `digest`.
    pub fn fold(name: &str, digest: &Digest) -> Self {
        let folded = fold(name, Self::MAX_LENGTH);
        if folded.is_empty() { Self(format!("skill-{}", digest.short(8))) } else { Self(folded) }
    }
}

impl Handle {
    /// Folds any foreign name to a handle; one that folds to nothing becomes `publisher-` and 8 digits of its digest.
    pub fn fold(name: &str) -> Self {
        let folded = fold(name, Self::MAX_LENGTH);
        if folded.is_empty() {
            Self(format!("publisher-{}", Digest::of(name.as_bytes()).short(8)))
        } else {
            Self(folded)
        }
    }
}

/// A movable pointer to a version: letters, digits, `.`, `_` and `-`, at most 64, starting with a letter.
///
/// Starting with a letter keeps it apart from a version number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Za-z][A-Za-z0-9._-]*$", max_length = 64)]
pub struct TagName(String);

impl TagName {
    /// Reads a tag's name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty { kind: "tag" });
        }
        if text.len() > 64 {
            return Err(NameError::TooLong { kind: "tag", limit: 64 });
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if text.as_bytes()[0].is_ascii_alphabetic() && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(NameError::Character { kind: "tag", text: text.chars().filter(|char| !char.is_control()).collect() })
    }

    /// The tag that follows the newest release.
    pub fn latest() -> Self {
        Self("latest".to_owned())
    }

    /// The tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TagName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for TagName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<TagName> for String {
    fn from(tag: TagName) -> Self {
        tag.0
    }
}

impl fmt::Display for TagName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for TagName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}
