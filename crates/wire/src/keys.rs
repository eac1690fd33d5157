use kontor_types::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A key that a publisher signs or signed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublisherKey {
    /// The key's id, 32 hexadecimal digits.
    pub key_id: String,
    /// Its public half, written `publisher:BASE64`.
    pub public_key: String,
    /// When its holder says that it was made.
    pub created_at: Timestamp,
    /// Since when the hub knows it.
    pub registered_at: Timestamp,
    /// The key before, whose place it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endorsed_by: Option<String>,
    /// That key's signature over this one, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endorsement: Option<String>,
    /// When another key took its place; what it signed before stays valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
    /// From when on nothing that it signed is to be believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_from: Option<Timestamp>,
    /// When that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke_reason: Option<String>,
}

impl PublisherKey {
    /// Whether new versions are signed with it.
    pub const fn is_active(&self) -> bool {
        self.retired_at.is_none() && self.revoked_at.is_none()
    }
}

/// Every key that a publisher ever signed with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublisherKeyList {
    /// The oldest first.
    pub items: Vec<PublisherKey>,
}

/// A key to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPublisherKey {
    /// Its public half, written `publisher:BASE64`.
    pub public_key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its signature, in base64, over four lines, each ended by a newline: `kontor key registration v1`, `publisher HANDLE`,
    /// `key PUBLIC_KEY`, `created MICROSECONDS`.
    pub claim: String,
    /// The active key whose place it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endorsed_by: Option<String>,
    /// That key's signature over this one, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endorsement: Option<String>,
}

/// That a key is not to be believed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyRevocation {
    /// From when on; now unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Why.
    pub reason: String,
}
