//! What an agent is told of a run: how it stands, and what its program said, as foreign text.

use std::fmt::Write as _;

use kontor_access::Caller;
use kontor_dispatch::{Came, FileWay, Run, RunState};
use kontor_types::{RunId, SkillRef};
use rmcp::model::{CallToolResult, ContentBlock, MetaObject};
use serde_json::{Map, Value, json};

use crate::mcp::cut::stretch;
use crate::mcp::untrusted::{NOTICE, fenced, visible};
use crate::{Failure, Hub};

/// Bytes of standard output and of standard error that come along.
const OUT: u64 = 16 * 1024;
const ERR: u64 = 4 * 1024;
/// Bytes of an answer in JSON that comes along.
const ANSWER: usize = 48 * 1024;
/// Files that are named.
const FILES: usize = 50;

/// The schema of what is told.
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "run": {"type": "string"},
            "skill": {"type": "string"},
            "entry": {"type": "string"},
            "state": {"type": "string", "description": "queued, preparing, running, finished, failed, cancelled or lost"},
            "outcome": {"type": "string"},
            "code": {"type": "integer", "description": "The program's own exit code"},
            "error": {"type": "string"},
            "answer": {"description": "What a tool answered, when it fits its schema"},
            "stdout": {"type": "string"},
            "stderr": {"type": "string"},
            "cut": {"type": "boolean", "description": "Whether more was said than is told here"},
            "files": {"type": "array", "items": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "bytes": {"type": "integer"}},
                "required": ["path", "bytes"],
            }},
            "receipt": {"type": "string", "description": "Where the signed receipt is"},
            "untrusted": {"type": "string"},
        },
        "required": ["run", "skill", "entry", "state", "untrusted"],
    })
}

/// A run as a tool's result; `has_schema` when the answer alone must be the structured content.
pub(super) async fn result(hub: &Hub, caller: &Caller, run: Run, has_schema: bool) -> Result<CallToolResult, Failure> {
    let said = Said::of(hub, caller, &run).await?;
    let came = run.result.clone().and_then(|came| serde_json::from_value::<Came>(came).ok());
    let answer = came.as_ref().and_then(|came| came.answer.clone()).map(shown);
    let answer = answer.filter(|answer| answer.to_string().len() <= ANSWER);
    let ended_well = run.state == RunState::Finished;
    let receipt = run.receipt.is_some().then(|| hub.absolute(&format!("/api/kontor/v1/runs/{}/receipt", run.id)));
    let mut text = format!("run {} of {} in {}: {}\n", visible(&run.entry), run.skill, run.id, run.state);
    if !run.state.is_over() {
        let _ = writeln!(text, "It goes on. Ask for it with `get_run` and run {}.", run.id);
    }
    if let Some(error) = &run.error {
        let _ = writeln!(text, "error: {}", visible(error));
    }
    if let Some(receipt) = &receipt {
        let _ = writeln!(text, "receipt: {receipt}");
    }
    said.tell(&mut text, &run);
    let structured = if has_schema {
        answer.clone().filter(|answer| ended_well && answer.is_object())
    } else {
        Some(record(&run, came.as_ref(), answer.as_ref(), &said, receipt.as_deref()))
    };
    // A declared schema allows no other structured content, so what does not have it is told as an error.
    let is_error = (run.state.is_over() && !ended_well) || structured.is_none();
    let content = vec![ContentBlock::text(text)];
    let mut result = if is_error { CallToolResult::error(content) } else { CallToolResult::success(content) };
    result.structured_content = structured;
    let mut meta = MetaObject::new();
    meta.insert("kontor/run".to_owned(), json!(run.id));
    meta.insert("kontor/skill".to_owned(), json!(run.skill));
    meta.insert("kontor/receipt".to_owned(), json!(receipt));
    result.meta = Some(meta);
    Ok(result)
}

fn record(run: &Run, came: Option<&Came>, answer: Option<&Value>, said: &Said, receipt: Option<&str>) -> Value {
    let record = json!({
        "run": run.id,
        "skill": run.skill,
        "entry": visible(&run.entry),
        "state": run.state.as_str(),
        "outcome": came.map(|came| came.outcome.as_str()),
        "code": came.and_then(|came| came.code),
        "error": run.error.as_deref().map(visible),
        "answer": answer,
        "stdout": said.out,
        "stderr": said.err,
        "cut": said.cut,
        "files": said.files,
        "receipt": receipt,
        "untrusted": NOTICE,
    });
    let Value::Object(record) = record else { return Value::Object(Map::new()) };
    Value::Object(record.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

/// What a program said and left.
#[derive(Default)]
struct Said {
    out: Option<String>,
    err: Option<String>,
    cut: bool,
    files: Vec<Value>,
}

impl Said {
    async fn of(hub: &Hub, caller: &Caller, run: &Run) -> Result<Self, Failure> {
        let mut said = Self::default();
        if run.result.is_none() || run.forgotten_at.is_some() {
            return Ok(said);
        }
        said.out = said.stream(hub, caller, run.id, ("stdout", OUT)).await?;
        said.err = said.stream(hub, caller, run.id, ("stderr", ERR)).await?;
        let files = hub.app.runs.files(caller, run.id, FileWay::Out).await?;
        said.cut |= files.len() > FILES;
        let told = files.iter().take(FILES);
        said.files = told.map(|file| json!({ "path": visible(&file.path), "bytes": file.size })).collect();
        Ok(said)
    }

    async fn stream(
        &mut self,
        hub: &Hub,
        caller: &Caller,
        id: RunId,
        (name, most): (&str, u64),
    ) -> Result<Option<String>, Failure> {
        let Ok(file) = hub.app.runs.file(caller, id, FileWay::Said, name).await else { return Ok(None) };
        if file.size == 0 {
            return Ok(None);
        }
        let end = file.size.min(most);
        let bytes = hub.app.blobs.get(&file.digest).await.map_err(kontor_dispatch::Error::from)?;
        let part = bytes.get(..usize::try_from(end).unwrap_or_default()).unwrap_or_default();
        self.cut |= end < file.size;
        let text = stretch(part, 0, end == file.size).map(|part| visible(&part.text));
        Ok(Some(text.unwrap_or_else(|| format!("({} bytes that are no text)", file.size))))
    }

    /// Adds it to a text, each stream between marks.
    fn tell(&self, text: &mut String, run: &Run) {
        for file in &self.files {
            let _ = writeln!(text, "file: {} ({} bytes)", file["path"].as_str().unwrap_or_default(), file["bytes"]);
        }
        let Ok(of) = run.skill.parse::<SkillRef>() else { return };
        for (name, said) in [("stdout", &self.out), ("stderr", &self.err)] {
            if let Some(said) = said {
                let _ = writeln!(text, "{}", fenced(&of, name, said));
            }
        }
        if self.cut {
            let _ = writeln!(text, "More was said or left than is told here; `kontor runs show {}` has all.", run.id);
        }
    }
}

/// A foreign value with every character made visible that hides or steers.
fn shown(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(visible(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(shown).collect()),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(name, value)| (visible(&name), shown(value))).collect())
        }
        other => other,
    }
}
