use kontor_types::{JobId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How much there is of what the caller may list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// The numbers, in the order in which they are shown.
    pub items: Vec<OverviewNumber>,
}

/// A number of the overview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OverviewNumber {
    /// What is counted.
    pub name: Figure,
    /// How many.
    pub count: u64,
    /// The list that has so many items.
    pub link: String,
}

/// What a number of the overview counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// People who are known to the hub; for administrators.
    People,
    /// Publishers.
    Publishers,
    /// Skills.
    Skills,
    /// Versions that wait for a person's decision; for tokens with scope `review`.
    OpenReviews,
    /// Reports that nobody has decided.
    OpenReports,
    /// Runs whose program runs.
    RunningRuns,
    /// Workflows that wait for a person to retry or cancel them.
    StalledWorkflows,
    /// Background work that was given up; for administrators.
    FailedJobs,
}

/// How the hub's own work stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Jobs {
    /// Jobs of each kind that are not done.
    pub kinds: Vec<JobKind>,
    /// Those that were given up last, the newest first, at most 100.
    pub failed: Vec<FailedJob>,
    /// Versions that wait for being scanned and decided.
    pub undecided_versions: u64,
    /// Whether the transparency log takes nothing in.
    pub log_stopped: bool,
}

/// The jobs of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobKind {
    /// What they do, for example `index.feed`.
    pub kind: String,
    /// Waiting, due or not.
    pub waiting: u64,
    /// Held by a worker.
    pub running: u64,
    /// Given up.
    pub failed: u64,
    /// Since when the one is due that has waited longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_due_at: Option<Timestamp>,
}

/// A job that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailedJob {
    /// The job's id.
    pub id: JobId,
    /// What it should have done.
    pub kind: String,
    /// What went wrong the last time.
    pub error: String,
    /// When it was given up.
    pub failed_at: Timestamp,
}
