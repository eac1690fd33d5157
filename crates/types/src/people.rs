use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that is none of those allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}: use one of {allowed}")]
pub struct ParseWordError {
    kind: &'static str,
    text: String,
    allowed: &'static str,
}

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident, $kind:literal, $allowed:literal {
        $($(#[doc = $item_doc:literal])+ $item:ident = $word:literal,)+
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[doc = $item_doc])+ #[serde(rename = $word)] $item,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$item),+];

            /// The word used in JSON, in the database and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$item => $word,)+
                }
            }
        }

        // Written out: a derive does not see the words that this macro puts in.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                crate::words::schema(concat!($($doc),+), &[$(($word, concat!($($item_doc),+))),+])
            }
        }

        impl utoipa::ToSchema for $name {}

        impl FromStr for $name {
            type Err = ParseWordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$item),)+
                    _ => Err(ParseWordError {
                        kind: $kind,
                        text: text.chars().take(40).filter(|char| !char.is_control()).collect(),
                        allowed: $allowed,
                    }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseWordError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    )+};
}

words! {
    /// Who may see a skill; whoever may not gets the same answer as for an unknown name.
    Visibility, "visibility", "public, unlisted, organisation, private" {
        /// Everybody, in lists and search too.
        Public = "public",
        /// Everybody who knows the name; never in lists or search.
        Unlisted = "unlisted",
        /// Members of the publisher.
        Organisation = "organisation",
        /// Owners, admins and maintainers of the publisher.
        Private = "private",
    }

    /// Whether one person or a group stands behind a publisher.
    PublisherKind, "kind of publisher", "person, organisation" {
        /// One person.
        Person = "person",
        /// A group with members and roles.
        Organisation = "organisation",
    }

    /// What a member may do for a publisher; each role may do all that the later ones may.
    Role, "role", "owner, admin, maintainer, reviewer, member" {
        /// Everything, including giving the publisher away.
        Owner = "owner",
        /// Members, settings, webhooks and transfers.
        Admin = "admin",
        /// Publish, import, tag, yank, deprecate, rename, change visibility, delete and bring back.
        Maintainer = "maintainer",
        /// Decide on held versions.
        Reviewer = "reviewer",
        /// See what the organisation sees.
        Member = "member",
    }

    /// What a token may be used for.
    Scope, "scope", "read, publish, run, models, review, admin" {
        /// See and download what the person may see.
        Read = "read",
        /// Publish and change skills.
        Publish = "publish",
        /// Start runs.
        Run = "run",
        /// Call models.
        Models = "models",
        /// Decide on held versions.
        Review = "review",
        /// Manage people, publishers and the hub.
        Admin = "admin",
    }
}

impl Role {
    /// Whether this role may do what `needed` may.
    pub fn includes(self, needed: Self) -> bool {
        self <= needed
    }
}
