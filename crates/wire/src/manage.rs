use kontor_types::{
    Cursor, Handle, ReportId, SkillRef, Slug, TagName, Timestamp, TransferId, Version, Visibility, WebhookId,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Deprecation;

/// What to change about a skill; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SkillChange {
    /// Who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// Marks it as no longer to be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<Deprecation>,
    /// Takes that mark away.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub undeprecate: bool,
}

/// How to delete a skill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Deletion {
    /// Why, for the audit trail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A deleted skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deleted {
    /// The skill's full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// Until then the name is held back and the skill can be restored.
    pub reserved_until: Timestamp,
}

/// A skill's new name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// The new name; the old one leads to it from then on.
    pub slug: Slug,
}

/// Why something is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reason {
    /// In a sentence that users may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A movable pointer to a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tag {
    /// The tag.
    pub tag: TagName,
    /// What it points to.
    pub version: Version,
    /// Since when.
    pub updated_at: Timestamp,
}

/// The tags of a skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagList {
    /// Sorted by name.
    pub items: Vec<Tag>,
}

/// What a tag shall point to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagTarget {
    /// The version.
    pub version: Version,
}

/// Whether whoever asks has starred a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Starred {
    /// Whether it is starred now.
    pub starred: bool,
    /// By how many people.
    pub stars: u64,
}

/// Which days of usage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// How many days back, 1 to 366; 30 unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 366)]
    pub days: Option<u32>,
}

/// How a skill is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Days with any use, oldest first.
    pub items: Vec<UsageDay>,
}

/// One day's use of a skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageDay {
    /// The day in UTC: `2026-03-01`.
    pub day: String,
    /// Downloads of all versions.
    pub downloads: u64,
    /// Installs that clients told of.
    pub installs: u64,
}

/// Which searches without an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct UnansweredQuery {
    /// How many days back, 1 to 90; 30 unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 90)]
    pub days: Option<u32>,
    /// The most items wanted, 1 to 50; 20 unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 50)]
    pub limit: Option<u32>,
}

/// What people looked for and did not find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnansweredList {
    /// What was looked for most often first.
    pub items: Vec<UnansweredSearch>,
}

/// Words that several people looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnansweredSearch {
    /// The words, in small letters.
    pub words: String,
    /// How often they were looked for.
    pub searches: u64,
    /// The day of the last search, in UTC: `2026-03-01`.
    pub last_day: String,
}

/// A report of abuse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// What is wrong with the skill.
    pub reason: String,
    /// The version it is about; the whole skill without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// Nobody has decided.
    Open,
    /// It was right.
    Upheld,
    /// It was wrong.
    Dismissed,
}

/// A report and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// The report's id.
    pub id: ReportId,
    /// The skill it is about.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// What was said.
    pub reason: String,
    /// What became of it.
    pub state: ReportState,
    /// What the hub answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which reports to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// Only in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<ReportState>,
    /// Where the page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
    /// The most items wanted, 1 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// A page of reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportPage {
    /// Oldest first.
    pub items: Vec<Report>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// A reviewer's answer to a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportDecision {
    /// `upheld` or `dismissed`.
    pub state: ReportState,
    /// What to tell whoever reported.
    pub answer: String,
}

/// An offer to hand a skill to another publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTransfer {
    /// Who shall own it.
    pub to: Handle,
    /// What to tell them.
    #[serde(default)]
    pub message: String,
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// The other side has not answered.
    Pending,
    /// The skill has moved.
    Accepted,
    /// The other side does not want it.
    Rejected,
    /// The owner took the offer back.
    Cancelled,
}

/// An offer and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transfer {
    /// The offer's id.
    pub id: TransferId,
    /// The skill, under the name it has now.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// Who gives it.
    pub from: Handle,
    /// Who shall own it.
    pub to: Handle,
    /// What was said.
    pub message: String,
    /// What became of it.
    pub state: TransferState,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which side of an offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferDirection {
    /// To publishers of whoever asks.
    #[default]
    Incoming,
    /// From publishers of whoever asks.
    Outgoing,
}

/// Which offers to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TransferQuery {
    /// Which side.
    #[param(inline)]
    pub direction: TransferDirection,
}

/// Pending offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferPage {
    /// Newest first.
    pub items: Vec<Transfer>,
}

/// What a webhook is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum WebhookEvent {
    /// A version was published.
    #[serde(rename = "publish")]
    Publish,
    /// A version was withdrawn or restored.
    #[serde(rename = "yank")]
    Yank,
    /// A held version was decided on.
    #[serde(rename = "decision")]
    Decision,
}

/// An address to tell of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where to post.
    pub url: String,
    /// Of what to tell it; everything when empty.
    #[serde(default)]
    pub events: Vec<WebhookEvent>,
}

/// An address that is told of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// The webhook's id.
    pub id: WebhookId,
    /// Where the hub posts.
    pub url: String,
    /// Of what it is told.
    pub events: Vec<WebhookEvent>,
    /// When it was made.
    pub created_at: Timestamp,
    /// What the last call answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_status: Option<u16>,
    /// When the last call was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    /// The key of its signatures; shown once, when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// The webhooks of a publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookList {
    /// Oldest first.
    pub items: Vec<Webhook>,
}
