//! What was found in versions, what was decided about them, and by whom.

use kontor_types::{Cursor, Digest, Handle, ReviewId, SkillRef, Timestamp, Version};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::VersionState;

/// What a scan says in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything was examined and nothing reaches medium.
    Clean,
    /// Nothing reaches medium, but not everything could be examined.
    Incomplete,
    /// The worst finding is medium.
    Suspicious,
    /// The worst finding is high or critical.
    Malicious,
}

/// What a policy decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It may be seen and used.
    Admit,
    /// A person looks at it first.
    Review,
    /// It is kept away from everybody until an administrator releases it.
    Quarantine,
    /// It is refused.
    Reject,
}

/// One thing that a scan found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScanFinding {
    /// The rule's stable name.
    pub rule: String,
    /// How much harm it means: `info`, `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// The file; one inside another is written `outer!/inner`.
    pub file: String,
    /// The line, counted from 1; 0 when it is about the whole file.
    pub line: u32,
    /// The column, counted from 1; 0 when it is about the whole line.
    pub column: u32,
    /// What was found.
    pub message: String,
    /// The text that it is about, shortened.
    pub excerpt: String,
    /// Why it is harmful.
    pub why: String,
    /// What to do about it.
    pub remedy: String,
}

/// A policy that led to a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyReason {
    /// The policy's id.
    pub policy: String,
    /// What it says.
    pub text: String,
}

/// What was found in a version, and what was decided about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Assessment {
    /// The skill's full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The version's number.
    pub version: Version,
    /// The digest of its canonical content.
    pub digest: Digest,
    /// How far it has come.
    pub state: VersionState,
    /// What the scanner said; none before it was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The worst finding: `none`, `info`, `low`, `medium`, `high`, `critical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// What was found, worst first.
    pub findings: Vec<ScanFinding>,
    /// Files that could not be examined, each with the reason.
    pub unexamined: Vec<String>,
    /// What it can do, as the scanner saw it: network, exec, writes, secrets, agent_configuration, downloads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<serde_json::Value>,
    /// When it was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scanned_at: Option<Timestamp>,
    /// The digest of the scanner's rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Digest>,
    /// What was decided; none before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why.
    pub reasons: Vec<PolicyReason>,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// Why it could not be scanned; it stays pending until it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What its review came to, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewState>,
    /// What was said in the review, for the publisher's maintainers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<ReviewNote>,
}

/// Versions to be asked about at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssessmentRequest {
    /// Their full names: `@publisher/skill@1.2.0`; at most 200.
    pub versions: Vec<SkillRef>,
}

/// What was found in several versions; those that the caller may not see are left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssessmentList {
    /// In the order of the question. Of each the gravest finding only.
    pub items: Vec<Assessment>,
}

/// A version that could not be scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailedScan {
    /// The version's full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// How often it was tried.
    pub attempts: i64,
    /// What went wrong.
    pub error: String,
    /// When it was last tried.
    pub at: Timestamp,
}

/// What waits to be scanned and decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingList {
    /// Versions that wait, those whose scan failed included.
    pub pending: u64,
    /// Versions whose scan failed.
    pub failed: Vec<FailedScan>,
    /// Jobs that were given up, of any kind.
    pub dead_jobs: i64,
    /// The digest of the scanner's rules.
    pub rules: Digest,
}

/// Why the publisher asks for another look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Appeal {
    /// In words, for the reviewers.
    pub comment: String,
}

/// What a review came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// Somebody must decide.
    Open,
    /// A person accepted it.
    Approved,
    /// The publisher shall change it.
    Changes,
    /// A person refused it.
    Rejected,
    /// Nothing is left to decide.
    Settled,
}

/// What is done in a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewDeed {
    /// Take it on.
    Claim,
    /// Leave it to others.
    Release,
    /// Say something.
    Comment,
    /// Accept the version.
    Approve,
    /// Refuse the version.
    Reject,
    /// Ask the publisher for changes.
    Changes,
    /// The publisher asked for another look.
    Appeal,
}

/// Something said or done in a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewNote {
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Handle>,
    /// What was done.
    pub kind: ReviewDeed,
    /// What was said.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// A version that a person looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// The version's full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The digest of its canonical content.
    pub digest: Digest,
    /// What it came to.
    pub state: ReviewState,
    /// What the policy decided.
    pub outcome: Outcome,
    /// The worst finding.
    pub severity: String,
    /// Who published the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Handle>,
    /// Who has taken it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<Handle>,
    /// Since when somebody must decide.
    pub opened_at: Timestamp,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

/// A page of reviews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewPage {
    /// The oldest first.
    pub items: Vec<Review>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// A review with everything that helps to decide it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReviewDetail {
    /// The review.
    pub review: Review,
    /// What was found and decided.
    pub assessment: Assessment,
    /// What was said and done, in its order.
    pub notes: Vec<ReviewNote>,
}

/// What differs between a version under review and the one that was admitted last before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewDifference {
    /// The version under review.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The digest of its canonical content.
    pub digest: Digest,
    /// The version admitted last before it; none when there is none, and everything is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<SkillRef>,
    /// Files that differ, by their paths.
    pub files: Vec<FileDifference>,
}

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileDifference {
    /// Its path.
    pub path: String,
    /// Bytes before; none for a new file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Bytes now; none for a removed file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The lines that differ, as `diff -u` writes them; none for what is no text or too long: fetch it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<String>,
}

/// Which reviews to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ReviewQuery {
    /// In this state; the open ones unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<ReviewState>,
    /// The review of this version: `@publisher/skill@1.2.0`.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub reference: Option<SkillRef>,
    /// Where the page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
    /// The most items wanted, 1 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Something to do in a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewAct {
    /// What.
    pub kind: ReviewDeed,
    /// What to say; needed for a comment, a refusal and asking for changes.
    #[serde(default)]
    pub text: String,
}

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// The preset's name, or `own`.
    pub name: String,
    /// The SHA-256 of its text.
    pub digest: Digest,
    /// Its text.
    pub text: String,
    /// The facts that a policy may ask about, as a Cedar schema.
    pub facts: String,
}

/// A policy to be set or tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewPolicy {
    /// The preset's name, or `own`.
    #[serde(default)]
    pub name: Option<String>,
    /// Its text.
    pub text: String,
}

/// What a policy would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyPreview {
    /// Versions that were looked at.
    pub versions: u64,
    /// How many would change.
    pub changed: u64,
    /// How many decisions would become which.
    pub kinds: Vec<PolicyShift>,
    /// The first of them.
    pub changes: Vec<PolicyChange>,
    /// How many versions somebody who is not signed in could no longer install.
    #[serde(default)]
    pub installs_lost: u64,
    /// How many they could install and cannot now.
    #[serde(default)]
    pub installs_won: u64,
}

/// How many decisions would become which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyShift {
    /// What is decided now.
    pub from: Outcome,
    /// What would be.
    pub to: Outcome,
    /// How many versions.
    pub versions: u64,
}

/// A decision that would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyChange {
    /// The version's full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// What is decided now.
    pub from: Outcome,
    /// What would be.
    pub to: Outcome,
    /// Why.
    pub reasons: Vec<PolicyReason>,
}

/// Why a version was decided as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The version's full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The name of the policy in force.
    pub policy: String,
    /// What it decides now.
    pub outcome: Outcome,
    /// The policies that lead to it.
    pub reasons: Vec<PolicyReason>,
    /// Who published it, as the policy sees them.
    pub actor: serde_json::Value,
    /// What is known of the version, as the policy sees it.
    pub facts: serde_json::Value,
    /// Whether the policy permits the caller to install and to run it, once it is admitted.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// Everything that was decided about it, the newest first.
    pub decisions: Vec<PastDecision>,
}

/// Whether the policy permits something to the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Permission {
    /// `install` or `run`.
    pub action: String,
    /// Whether it does.
    pub permitted: bool,
    /// The policies that forbid it; none when no policy permits it.
    pub reasons: Vec<PolicyReason>,
}

/// A decision of the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PastDecision {
    /// What was decided.
    pub outcome: Outcome,
    /// Why.
    pub reasons: Vec<PolicyReason>,
    /// What led to it: `publish`, `catalogue`, `review`, `appeal`.
    pub cause: String,
    /// The digest of the policy.
    pub policy: Digest,
    /// The digest of the scanner's rules.
    pub rules: Digest,
    /// When.
    pub at: Timestamp,
}

/// Something that a person is told about a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notice {
    /// The version's full name.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// What they are told.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// When it was read; none for what is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
}

/// What the caller was told, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoticeList {
    /// The notices.
    pub items: Vec<Notice>,
}

/// What runs on the hub were seen to do with some bytes, as far as the caller may see, beside what the version says of itself.
/// Whose runs they were is not told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ObservedBehaviour {
    /// What the author's manifest asks for.
    pub declared: DeclaredPermissions,
    /// In how many runs.
    pub runs: u64,
    /// Each thing, by its kind and name.
    pub items: Vec<ObservedItem>,
}

/// What a version asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeclaredPermissions {
    /// Hosts and ports.
    pub network: Vec<String>,
    /// Names of secrets.
    pub secrets: Vec<String>,
}

/// Something that runs were seen to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ObservedItem {
    /// `granted` (connections to a host), `given` (a secret): what whoever ran it allowed. `connected`, `refused` (a
    /// connection), `wrote` (a file, or one of a kind), `started` (the program and the script or tool), `ended`: what the
    /// sandbox saw. `wanted_host`, `wanted_variable`, `wanted_program`: what the program said.
    pub kind: String,
    /// The host and port, variable, program or file; nothing for those that the version's own files do not name and that
    /// only those may see who ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// In how many runs.
    pub runs: u64,
    /// When first.
    pub first_at: Timestamp,
    /// When last.
    pub last_at: Timestamp,
}
