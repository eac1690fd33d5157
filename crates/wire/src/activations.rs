use kontor_types::{SkillRef, Timestamp, Version};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which version shall be active.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ActivationTarget {
    /// The version; the newest unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// What its runs may always have, which must be exactly what it asks for; who leaves it out is asked at each first run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow: Option<Allowed>,
}

/// What runs of a version ask for, or may have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Allowed {
    /// Hosts with their ports.
    pub network: Vec<String>,
    /// Names of secrets.
    pub secrets: Vec<String>,
}

/// A skill that is active for whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Activation {
    /// Its full name.
    pub skill: SkillRef,
    /// The version that was chosen; a later one changes nothing until it is made active.
    pub version: Version,
    /// Since when the skill is active.
    pub since: Timestamp,
    /// Whether it may be run now; else its tools are not listed.
    pub may_run: bool,
    /// What its tools are called at `/mcp`.
    pub tools: Vec<String>,
    /// What its runs ask for.
    pub asks: Allowed,
    /// Whether they may have it without another question.
    pub allowed: bool,
}

/// Everything that is active for whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActivationList {
    /// The first first.
    pub items: Vec<Activation>,
}
