//! Runs of skills on the hub.

use kontor_types::{ConsentId, Cursor, Digest, Handle, RunId, SkillRef, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Accepted; no worker has it yet.
    Queued,
    /// A worker brings what it needs.
    Preparing,
    /// Its program runs.
    Running,
    /// Its program ended well.
    Finished,
    /// Its program failed, or could not be started.
    Failed,
    /// Somebody did not want it any longer.
    Cancelled,
    /// Workers died over it more often than it is tried.
    Lost,
}

impl RunState {
    /// Whether nothing more happens to it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Cancelled | Self::Lost)
    }
}

/// A run to be started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewRun {
    /// The skill, with a version, a range or a tag: `@acme/pdf@1.2.0`; resolved when the run is accepted.
    pub skill: String,
    /// In whose name it runs: whose overlay, secrets and share; the caller's own unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Handle>,
    /// A tool that the skill declares; its only one when neither tool nor script is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// A script of the skill, by its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// What the program is told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// JSON that it reads on its standard input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// Bytes that it reads there instead, in Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_bytes: Option<String>,
    /// Files that it finds in its work folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<NewRunFile>,
    /// Grant what the manifest, or the publisher's overlay, asks for.
    pub as_declared: bool,
    /// Hosts and ports that are granted: `api.example.com:443`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<String>,
    /// Names of secrets that are granted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The longest time on the clock: `30s`, `5m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall: Option<String>,
    /// The most memory: `512MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// What the caller agrees to although it is not declared.
    pub consent: RunConsent,
    /// How many seconds to wait for its end before answering, at most 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<u32>,
}

/// A file that a run is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRunFile {
    /// Its name; no path.
    pub name: String,
    /// Its bytes in Base64.
    pub bytes: String,
}

/// What somebody has read and agrees to although neither the manifest nor the publisher's overlay asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunConsent {
    /// Hosts and ports.
    pub network: Vec<String>,
    /// Names of secrets.
    pub secrets: Vec<String>,
    /// Packages that only imports of the script speak of.
    pub packages: Vec<String>,
    /// For how long that is remembered for this version, for runs of the same person; nothing for this run alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remember: Option<Remember>,
}

/// For how long a consent is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remember {
    /// With this token, for eight hours.
    Session,
    /// For this version, until it is taken back.
    Always,
}

/// What somebody lets a version have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Consent {
    /// Its id.
    #[schema(value_type = String)]
    pub id: ConsentId,
    /// The version.
    pub skill: String,
    /// Whether it is for runs that the person starts and says what the version may have beyond what it declares; else it is
    /// for what agents run, and says everything that it may have.
    pub beyond_declared: bool,
    /// Hosts and ports.
    pub network: Vec<String>,
    /// Names of secrets.
    pub secrets: Vec<String>,
    /// Packages that only imports of the script speak of.
    pub packages: Vec<String>,
    /// For how long.
    pub remember: Remember,
    /// When it was given.
    pub given_at: Timestamp,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What somebody lets versions have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsentList {
    /// The newest first.
    pub items: Vec<Consent>,
}

/// What a run was granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunGrants {
    /// Hosts and ports.
    pub network: Vec<String>,
    /// Names of secrets.
    pub secrets: Vec<String>,
    /// Milliseconds on the clock.
    pub wall_ms: u64,
    /// Bytes of memory.
    pub memory: u64,
}

/// A file of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunFile {
    /// Its path in the work folder, or `stdout` and `stderr`.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// Their SHA-256.
    pub digest: Digest,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RunId,
    /// The skill's full name with its version.
    #[serde(rename = "skill")]
    pub reference: SkillRef,
    /// The digest of its content.
    pub digest: Digest,
    /// The tool or script.
    pub entry: String,
    /// In whose name it runs.
    pub publisher: Handle,
    /// Who asked for it.
    pub person: Handle,
    /// How far it has come.
    pub state: RunState,
    /// How often a worker took it.
    pub attempts: u32,
    /// How often its program was started: more than once only when a worker died meanwhile.
    pub executions: u32,
    /// What it was granted.
    pub granted: RunGrants,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When its program was first started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When somebody wanted it to stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How its program ended: `done`, `failed`, `killed`, `time_limit`, `memory_limit`, `disk_limit`,
    /// `cancelled`, `output_refused`, `lost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The answer of a tool, when it fits its schema and is not large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// Why an answer does not fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What kept it from ending well, as a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The run that it does again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub retry_of: Option<RunId>,
    /// Whether there is a receipt.
    pub receipt: bool,
    /// Until when its files are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<Timestamp>,
    /// When they were forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten_at: Option<Timestamp>,
}

/// One run with its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunDetail {
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// Files that it was given.
    pub inputs: Vec<RunFile>,
    /// Files that it left.
    pub outputs: Vec<RunFile>,
    /// What it said, as files.
    pub said: Vec<RunFile>,
    /// What opens the salted digests of its receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salts: Option<Value>,
}

/// A page of runs, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunPage {
    /// The runs.
    pub items: Vec<Run>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// Which runs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunQuery {
    /// Only those in this publisher's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub publisher: Option<Handle>,
    /// Only those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<RunState>,
    /// Where the page begins: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
    /// The most items wanted, 1 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}
