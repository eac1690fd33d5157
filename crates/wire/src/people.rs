use kontor_types::{AuditId, Cursor, Handle, PersonId, PublisherKind, Role, Scope, Timestamp, TokenId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Who the caller is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// The person's id.
    pub id: PersonId,
    /// The person's name on the hub.
    pub handle: Handle,
    /// The name for people.
    pub name: String,
    /// Whether they administer the hub.
    pub administrator: bool,
    /// What the token in use may do.
    pub scopes: Vec<Scope>,
    /// Publishers they belong to.
    pub publishers: Vec<Membership>,
    /// When the token in use ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A person's place in a publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Membership {
    /// The publisher.
    pub publisher: Handle,
    /// What they may do for it.
    pub role: Role,
}

/// What a new token may do, and how long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewToken {
    /// What it is for, in words.
    pub label: String,
    /// What it may do; `read` when empty.
    pub scopes: Vec<Scope>,
    /// Only for these publishers; for all when empty.
    pub publishers: Vec<Handle>,
    /// How many days it lasts; 90 unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Whether it never ends.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_expiry: bool,
}

/// An access token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// The token's id.
    pub id: TokenId,
    /// What it is for.
    pub label: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Only for these publishers; for all when empty.
    pub publishers: Vec<Handle>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// The caller's tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenList {
    /// Newest first.
    pub items: Vec<Token>,
}

/// A new token with its secret, shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuedToken {
    /// The secret.
    pub secret: String,
    /// The token.
    #[serde(flatten)]
    pub token: Token,
}

/// Whom a one-time address shall sign in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewLoginLink {
    /// Another person, for administrators; the caller unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<Handle>,
}

/// A one-time address that signs a browser in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoginLink {
    /// Where to go.
    pub url: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// A device that wants to sign in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewDeviceLogin {
    /// What the device calls itself.
    pub label: String,
    /// What it wants to do; `read` and `publish` when empty.
    pub scopes: Vec<Scope>,
}

/// A device sign-in under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceLogin {
    /// The device's secret for asking.
    pub device_code: String,
    /// What the person types.
    pub user_code: String,
    /// Where the person goes.
    pub verification_url: String,
    /// Until when it can be approved.
    pub expires_at: Timestamp,
    /// Seconds to wait between two questions.
    pub interval: u64,
}

/// Asks whether a sign-in was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DevicePoll {
    /// The device's secret.
    pub device_code: String,
}

/// How far a device sign-in has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// Nobody has answered.
    Pending,
    /// Asked too often: wait longer.
    SlowDown,
    /// Approved; the token is in the answer, this once.
    Approved,
    /// Denied.
    Denied,
    /// Too late, or unknown.
    Expired,
}

/// Whether a sign-in was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceAnswer {
    /// How far it has come.
    pub state: DeviceState,
    /// The token's secret, once approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What a device asks for, shown before it is approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceRequest {
    /// What the device calls itself.
    pub label: String,
    /// What it wants to do.
    pub scopes: Vec<Scope>,
    /// Until when it can be approved.
    pub expires_at: Timestamp,
}

/// A new publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPublisher {
    /// Its name on the hub.
    pub handle: Handle,
    /// The name for people; the handle unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What to change about a publisher.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PublisherChange {
    /// The name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether versions without a signature are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_signature: Option<bool>,
}

/// A person or organisation that owns skills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Publisher {
    /// Its name on the hub.
    pub handle: Handle,
    /// Whether one person or a group stands behind it.
    pub kind: PublisherKind,
    /// The name for people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether versions without a signature are refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_signature: bool,
    /// What the caller may do for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// A page of publishers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublisherPage {
    /// Sorted by handle.
    pub items: Vec<Publisher>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// What a member shall be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberRole {
    /// What they may do.
    pub role: Role,
}

/// Somebody who belongs to a publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// The person.
    pub person: Handle,
    /// The name for people.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
}

/// The members of a publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberList {
    /// By role, then by name.
    pub items: Vec<Member>,
}

/// A new person, made by an administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// Their name on the hub; also that of their own publisher.
    pub handle: Handle,
    /// The name for people; the handle unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether they administer the hub.
    #[serde(default)]
    pub administrator: bool,
}

/// What to change about a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PersonChange {
    /// The name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether they administer the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub administrator: Option<bool>,
    /// Whether they are shut out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Person {
    /// The person's id.
    pub id: PersonId,
    /// Their name on the hub.
    pub handle: Handle,
    /// The name for people.
    pub name: String,
    /// Whether they administer the hub.
    pub administrator: bool,
    /// When they were made.
    pub created_at: Timestamp,
    /// Since when they are shut out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
}

/// A page of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonPage {
    /// Sorted by handle.
    pub items: Vec<Person>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// Which lines of the audit trail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only this action, for example `skill.publish`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only by this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub person: Option<Handle>,
    /// Only about this publisher's things.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub publisher: Option<Handle>,
    /// Only about this thing, for example `@acme/pdf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Not before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub since: Option<Timestamp>,
    /// Before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub until: Option<Timestamp>,
    /// Where the page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
    /// The most items wanted, 1 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// One line of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// The line's id.
    pub id: AuditId,
    /// When it was done.
    pub at: Timestamp,
    /// What was done, for example `skill.publish`.
    pub action: String,
    /// Who did it; nobody when it was the hub itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Handle>,
    /// The token it was done with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// Whose thing it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Handle>,
    /// What it was done to.
    pub subject: String,
    /// More about it.
    pub detail: serde_json::Value,
    /// From which address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The request it was done by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A page of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// Newest first.
    pub items: Vec<AuditEntry>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}
