//! `list_skill_files`: what a skill is made of.

use std::fmt::Write as _;

use kontor_types::{Code, Cursor};
use rmcp::model::{JsonObject, Tool};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Asked, arguments, reading};
use crate::Failure;
use crate::mcp::untrusted::{NOTICE, visible};

pub(super) const NAME: &str = "list_skill_files";
/// Files on a page.
const PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    skill: String,
    #[serde(default)]
    digests: bool,
    #[serde(default)]
    cursor: Option<String>,
}

pub(super) fn tool() -> Tool {
    let input = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "skill": {"type": "string", "description": "@publisher/skill, or @publisher/skill@1.2.0 for one version"},
            "digests": {"type": "boolean", "default": false, "description": "Whether the SHA-256 of each file comes along"},
            "cursor": {"type": "string", "description": "next_cursor of the answer before"},
        },
        "required": ["skill"],
        "additionalProperties": false,
    });
    let output = json!({
        "type": "object",
        "properties": {
            "skill": {"type": "string"},
            "version": {"type": "string"},
            "digest": {"type": "string"},
            "total": {"type": "integer"},
            "files": {"type": "array", "items": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "bytes": {"type": "integer"}, "sha256": {"type": "string"}},
                "required": ["path", "bytes"],
            }},
            "next_cursor": {"type": "string"},
            "untrusted": {"type": "string"},
        },
        "required": ["skill", "version", "digest", "total", "files"],
    });
    reading(NAME, "List a skill's files", "The files of a skill with their sizes.", input, output)
}

impl Asked<'_> {
    pub(super) async fn files(&self, given: JsonObject) -> Result<Answer, Failure> {
        let asked: Arguments = arguments(NAME, given)?;
        let found = self.found(&asked.skill).await?;
        let version = &found.version;
        let start = match &asked.cursor {
            None => 0,
            Some(cursor) => begin(cursor, &version.digest.short(16))?,
        };
        let files = self.hub.app.registry.files(self.caller.viewer(), version.id).await?;
        let page = files.get(start..).unwrap_or_default();
        let page = page.get(..PAGE).unwrap_or(page);
        let end = start.saturating_add(page.len());
        let next = (end < files.len()).then(|| Cursor::of(&[&version.digest.short(16), &end]));
        let name = format!("@{}/{}", found.skill.publisher, found.skill.slug);
        let mut text =
            format!("{NOTICE}\n{name} {}: {} files, digest {}\n", version.number, files.len(), version.digest);
        let mut items = Vec::with_capacity(page.len());
        for file in page {
            let path = visible(&file.path);
            let digest = if asked.digests { format!("  {}", file.digest.hex()) } else { String::new() };
            let _ = writeln!(text, "{path}  {} bytes{digest}", file.size);
            let mut item = Map::new();
            item.insert("path".to_owned(), path.into());
            item.insert("bytes".to_owned(), file.size.into());
            if asked.digests {
                item.insert("sha256".to_owned(), file.digest.hex().into());
            }
            items.push(Value::Object(item));
        }
        let mut structured = Map::new();
        structured.insert("skill".to_owned(), name.into());
        structured.insert("version".to_owned(), json!(version.number));
        structured.insert("digest".to_owned(), json!(version.digest));
        structured.insert("total".to_owned(), files.len().into());
        structured.insert("untrusted".to_owned(), NOTICE.into());
        structured.insert("files".to_owned(), items.into());
        if let Some(next) = next {
            let _ = writeln!(text, "More with cursor {next}");
            structured.insert("next_cursor".to_owned(), next.as_str().into());
        }
        Ok(Answer { text, structured: Value::Object(structured) })
    }
}

/// Where a page begins; a cursor of another version is none.
fn begin(cursor: &str, version: &str) -> Result<usize, Failure> {
    let wrong =
        || Failure::new(Code::InvalidCursor, "this cursor is not of this version's list").hint("begin without one");
    let cursor: Cursor = cursor.parse().map_err(|_| wrong())?;
    let [of, start] = cursor.keys::<2>().ok_or_else(wrong)?;
    if of != version {
        return Err(wrong());
    }
    start.parse().map_err(|_| wrong())
}
