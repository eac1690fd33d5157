//! Workflows: what is done step by step, and the journal that tells it.

use kontor_types::{Cursor, Digest, Handle, Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// How far a workflow has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowState {
    /// It goes on as soon as a worker takes it.
    Queued,
    /// A worker has it.
    Running,
    /// It waits for a person, a time or another workflow.
    Waiting,
    /// It ended well.
    Finished,
    /// It ended without what it was for; what it did was taken back.
    Failed,
    /// Somebody wanted it to end; what it did was taken back.
    Cancelled,
    /// It cannot go on by itself: retry it, or cancel it.
    Stalled,
}

impl WorkflowState {
    /// Whether nothing more is done.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Cancelled)
    }
}

/// One workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Workflow {
    /// Its id.
    #[schema(value_type = String)]
    pub id: WorkflowId,
    /// What it does.
    pub kind: String,
    /// Which version of that it keeps to.
    pub version: u32,
    /// What people read about it.
    pub title: String,
    /// How far it has come.
    pub state: WorkflowState,
    /// For whom it works.
    pub person: Handle,
    /// In whose name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Handle>,
    /// The workflow that waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub parent: Option<WorkflowId>,
    /// The one that was begun anew with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub retry_of: Option<WorkflowId>,
    /// How often a worker took it.
    pub attempts: u32,
    /// How long its journal is.
    pub entries: u64,
    /// The digest of the newest entry, which covers all of them.
    pub head: Digest,
    /// Whether it is too late to cancel.
    pub sealed: bool,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Why it failed or stalled, as a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it goes on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake_at: Option<Timestamp>,
    /// When somebody wanted it to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// One entry of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkflowEntry {
    /// Counted from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// `started`, `step`, `failed`, `told`, `asked`, `answered`, `chosen`, `timer`, `child`, `child_ended`, `sealed`,
    /// `cancelling`, `stalled`, `retried`, `ended`.
    pub kind: String,
    /// Which part of the definition it is of; the main one has no name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub branch: String,
    /// Where it stands in that part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u64>,
    /// What the definition calls it.
    pub name: String,
    /// The digest of what it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Digest>,
    /// What came of it.
    pub data: Value,
    /// The digest of the text of `data` as it was written.
    pub data_digest: Digest,
    /// The digest of this entry and, with it, of all before.
    pub digest: Digest,
}

/// A question that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkflowQuestion {
    /// What it is called.
    pub name: String,
    /// The question, in plain words.
    pub text: String,
    /// The JSON Schema of an answer.
    pub form: Value,
    /// What is shown beside.
    pub detail: Value,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Until when an answer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Whether the caller may answer.
    pub may_answer: bool,
}

/// One workflow with its journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkflowDetail {
    /// The workflow.
    #[serde(flatten)]
    pub workflow: Workflow,
    /// Its journal, at most 1,000 entries from the first on.
    pub timeline: Vec<WorkflowEntry>,
    /// Questions that wait for an answer.
    pub questions: Vec<WorkflowQuestion>,
}

/// A page of workflows, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkflowPage {
    /// The workflows.
    pub items: Vec<Workflow>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// Which workflows to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WorkflowQuery {
    /// Only those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<WorkflowState>,
    /// Only those of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Where the page begins: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
    /// The most items wanted, 1 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowAnswer {
    /// What the question is called.
    pub question: String,
    /// The answer, which fits the question's form.
    pub answer: Value,
}

/// Where a workflow goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowRetryFrom {
    /// With the step that failed; what was done before stays.
    #[default]
    Step,
    /// With nothing: another workflow is begun, with the same input.
    Start,
}

/// How a workflow is retried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkflowRetry {
    /// Where it goes on.
    pub from: WorkflowRetryFrom,
}
