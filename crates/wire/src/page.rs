use kontor_types::{Code, Cursor, SkillRef};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Where the page begins: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
    /// The most items wanted, 1 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// What a failed request answers (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemBody {
    /// Where the code is explained.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// One line for people, the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable name; clients may match on it.
    pub code: Code,
    /// What happened this time.
    #[serde(default)]
    pub detail: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Finds this request in the hub's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Skills that fit an ambiguous name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<Match>,
    /// What a refused package does wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<crate::Finding>,
}

/// One of several skills that fit a bare name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Match {
    /// The full name: `@publisher/skill`.
    #[serde(rename = "ref")]
    pub reference: SkillRef,
    /// The name for people.
    pub name: String,
}
