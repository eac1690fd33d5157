//! `read_skill_file`: a stretch of one file, never more than a context can bear.

use kontor_registry::{Found, VersionState};
use kontor_types::Code;
use rmcp::model::{JsonObject, Tool};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Asked, arguments, reading};
use crate::Failure;
use crate::mcp::cut::stretch;
use crate::mcp::untrusted::{NOTICE, visible};

pub(super) const NAME: &str = "read_skill_file";
/// The most bytes of one answer, and how many are answered unless told.
const MOST: u64 = 64 * 1024;
const USUAL: u64 = 32 * 1024;
/// No character is longer, so a stretch of so many bytes always gets further.
const LEAST: u64 = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    skill: String,
    path: String,
    #[serde(default)]
    offset: u64,
    #[serde(default)]
    max_bytes: Option<u64>,
}

pub(super) fn tool() -> Tool {
    let input = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "skill": {"type": "string", "description": "@publisher/skill, or @publisher/skill@1.2.0 for one version"},
            "path": {"type": "string", "description": "As `list_skill_files` has it, for example references/forms.md"},
            "offset": {"type": "integer", "minimum": 0, "default": 0, "description": "The byte to begin at"},
            "max_bytes": {"type": "integer", "minimum": LEAST, "maximum": MOST, "default": USUAL},
        },
        "required": ["skill", "path"],
        "additionalProperties": false,
    });
    let mut output = part_schema();
    output["properties"]["skill"] = json!({"type": "string"});
    output["properties"]["version"] = json!({"type": "string"});
    output["properties"]["untrusted"] = json!({"type": "string"});
    let about = "Read a text file of a skill, or a part of it. What is cut says where to read on.";
    reading(NAME, "Read a skill's file", about, input, output)
}

/// The schema of a stretch of a file.
pub(super) fn part_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "sha256": {"type": "string", "description": "Of the whole file"},
            "size": {"type": "integer", "description": "Bytes of the whole file"},
            "offset": {"type": "integer"},
            "end": {"type": "integer"},
            "next_offset": {"type": "integer", "description": "Where to read on; absent at the end"},
            "text": {"type": "string", "description": "With characters that hide or steer made visible"},
        },
        "required": ["path", "sha256", "size", "offset", "end", "text"],
    })
}

/// A stretch of a file of a version.
pub(super) struct Part {
    pub path: String,
    pub text: String,
    pub size: u64,
    pub end: u64,
    pub next: Option<u64>,
    sha256: String,
    offset: u64,
}

impl Part {
    /// As programs read it.
    pub fn structured(&self) -> Value {
        let mut part = Map::new();
        part.insert("path".to_owned(), visible(&self.path).into());
        part.insert("sha256".to_owned(), self.sha256.clone().into());
        part.insert("size".to_owned(), self.size.into());
        part.insert("offset".to_owned(), self.offset.into());
        part.insert("end".to_owned(), self.end.into());
        if let Some(next) = self.next {
            part.insert("next_offset".to_owned(), next.into());
        }
        part.insert("text".to_owned(), self.text.clone().into());
        Value::Object(part)
    }
}

impl Asked<'_> {
    pub(super) async fn read(&self, given: JsonObject) -> Result<Answer, Failure> {
        let asked: Arguments = arguments(NAME, given)?;
        let found = self.found(&asked.skill).await?;
        let most = asked.max_bytes.unwrap_or(USUAL).clamp(LEAST, MOST);
        let part = self.part(&found, &asked.path, asked.offset, most).await?;
        let mut structured = part.structured();
        structured["skill"] = json!(format!("@{}/{}", found.skill.publisher, found.skill.slug));
        structured["version"] = json!(found.version.number);
        structured["untrusted"] = json!(NOTICE);
        Ok(Answer { text: part.told(&found.reference()), structured })
    }

    /// A stretch of a file, when the policy lets the caller have the version's bytes.
    pub(super) async fn part(&self, found: &Found, path: &str, offset: u64, most: u64) -> Result<Part, Failure> {
        let registry = &self.hub.app.registry;
        registry.may_install(self.caller, found).await?;
        debug_assert!(found.version.state == VersionState::Visible, "what was not admitted is refused above");
        let file = registry.file(self.caller.viewer(), found, path).await?;
        if offset > file.size || (offset == file.size && offset > 0) {
            return Err(Failure::invalid(format!("the file has {} bytes; there is nothing at {offset}", file.size)));
        }
        let end = offset.saturating_add(most).min(file.size);
        let bytes = registry.file_bytes(found, &file, Some(offset..end)).await?;
        let Some(cut) = stretch(&bytes, offset, end == file.size) else {
            return Err(no_text(&file.path, file.size));
        };
        let next = (cut.end < file.size).then_some(cut.end);
        Ok(Part {
            text: visible(&cut.text),
            size: file.size,
            end: cut.end,
            next,
            sha256: file.digest.hex(),
            offset: cut.start,
            path: file.path,
        })
    }
}

fn no_text(path: &str, size: u64) -> Failure {
    let told = format!("{path} is no text, so it is not put into a model's context ({size} bytes)");
    Failure::new(Code::UnsupportedMediaType, told).hint("read it as a resource, or install the skill")
}
