use std::fmt;

use kontor_types::{Digest, SkillRef, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A secret of a publisher; its value never comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Secret {
    /// Its name, that of the variable in a run.
    pub name: String,
    /// How often it was set.
    pub version: u64,
    /// Who set it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    /// When.
    pub set_at: Timestamp,
    /// The versions whose runs may be given it, the oldest release first.
    pub releases: Vec<SecretRelease>,
}

/// That runs of some bytes may be given a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretRelease {
    /// What the version was called when it was granted.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its bytes; no other bytes of the skill are given the secret.
    pub digest: Digest,
    /// Who granted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_by: Option<String>,
    /// When.
    pub granted_at: Timestamp,
}

/// The secrets of a publisher.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretList {
    /// By name.
    pub items: Vec<Secret>,
}

/// The value of a secret, on its way in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretValue {
    /// 6 bytes to 64 KiB of text without a zero byte.
    pub value: String,
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SecretValue").finish_non_exhaustive()
    }
}

/// To what a secret is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecretRelease {
    /// The version: `@publisher/skill@1.2.0`.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The digest that it must have; refused when it has another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}
