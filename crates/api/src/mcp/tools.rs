//! The tools: finding a skill, reading what it says, listing and reading its files. All of them only read.

mod files;
mod read;
mod search;
mod skill;

use std::sync::Arc;

use kontor_access::Caller;
use kontor_registry::Found;
use kontor_types::SkillRef;
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ask, run};
use crate::{Failure, Hub};

/// Every tool there is.
pub const NAMES: &[&str] = &[search::NAME, skill::NAME, files::NAME, read::NAME, run::RUN, run::GET, ask::ASK];
/// The tool without which a client reads no file, in whatever form.
pub(super) const READ_FILE: &str = read::NAME;
/// Characters of a complaint about arguments.
const COMPLAINT: usize = 300;

/// What a tool answers: for programs, and the same for readers.
pub(super) struct Answer {
    pub text: String,
    pub structured: Value,
}

impl Answer {
    pub fn into_result(self) -> CallToolResult {
        let mut result = CallToolResult::success(vec![ContentBlock::text(self.text)]);
        result.structured_content = Some(self.structured);
        result
    }
}

/// The tools as clients list them.
pub(super) fn all() -> Vec<Tool> {
    vec![search::tool(), skill::tool(), files::tool(), read::tool()]
}

/// Calls a tool in somebody's name; `None` when there is none of that name.
pub(super) async fn call(
    hub: &Hub,
    caller: &Caller,
    name: &str,
    arguments: JsonObject,
) -> Option<Result<Answer, Failure>> {
    let asked = Asked { hub, caller };
    Some(match name {
        search::NAME => asked.search(arguments).await,
        skill::NAME => asked.skill(arguments).await,
        files::NAME => asked.files(arguments).await,
        read::NAME => asked.read(arguments).await,
        _ => return None,
    })
}

/// Who asks which hub.
struct Asked<'h> {
    hub: &'h Hub,
    caller: &'h Caller,
}

impl Asked<'_> {
    /// The version that a reference means, as the caller may see it.
    async fn found(&self, skill: &str) -> Result<Found, Failure> {
        let reference: SkillRef = skill.parse().map_err(|error: kontor_types::SkillRefError| {
            Failure::invalid(error.to_string()).hint("write @publisher/skill or @publisher/skill@1.2.0")
        })?;
        Ok(self.hub.app.registry.version(self.caller.viewer(), &reference).await?)
    }
}

/// Reads what a tool was called with.
pub(super) fn arguments<T: DeserializeOwned>(tool: &str, given: JsonObject) -> Result<T, Failure> {
    serde_json::from_value(Value::Object(given)).map_err(|error| {
        let complaint: String = error.to_string().chars().take(COMPLAINT).collect();
        Failure::invalid(format!("these are not the arguments of {tool}: {complaint}"))
    })
}

/// A tool that only reads, with the schemas of what it takes and gives.
pub(super) fn reading(name: &'static str, title: &str, description: &'static str, input: Value, output: Value) -> Tool {
    let hints = ToolAnnotations::with_title(title).read_only(true).destructive(false).idempotent(true).open_world(true);
    Tool::new(name, description, object(input))
        .with_title(title)
        .with_raw_output_schema(object(output))
        .with_annotations(hints)
}

pub(super) fn object(schema: Value) -> Arc<JsonObject> {
    Arc::new(if let Value::Object(schema) = schema { schema } else { JsonObject::new() })
}
