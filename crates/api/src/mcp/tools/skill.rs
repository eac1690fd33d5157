//! `get_skill`: what is known of a skill, and the text that teaches it.

use std::fmt::Write as _;

use kontor_registry::Found;
use kontor_types::SkillRef;
use rmcp::model::{JsonObject, Tool};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::read::Part;
use super::{Answer, Asked, arguments, reading};
use crate::Failure;
use crate::mcp::cut::one_line;
use crate::mcp::untrusted::{NOTICE, fenced, visible};
use crate::native::verdict_word;

pub(super) const NAME: &str = "get_skill";
/// Bytes of the text that come along; the rest is read as a file.
const TEXT: u64 = 32 * 1024;
/// Units of a description.
const DESCRIPTION: usize = 2_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    skill: String,
    #[serde(default = "yes")]
    instructions: bool,
}

const fn yes() -> bool {
    true
}

pub(super) fn tool() -> Tool {
    let input = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "skill": {"type": "string", "description": "@publisher/skill, or @publisher/skill@1.2.0 for one version"},
            "instructions": {"type": "boolean", "default": true, "description": "Whether the text of SKILL.md comes along"},
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
            "description": {"type": "string"},
            "license": {"type": "string"},
            "published_at": {"type": "string"},
            "files": {"type": "integer"},
            "bytes": {"type": "integer"},
            "installs": {"type": "integer"},
            "verdict": {"type": "string"},
            "deprecated": {"type": "string"},
            "withdrawn": {"type": "string"},
            "requires": {"type": "array", "items": {"type": "string"}},
            "page": {"type": "string"},
            "instructions": super::read::part_schema(),
            "untrusted": {"type": "string"},
        },
        "required": ["skill", "version", "digest", "description", "untrusted"],
    });
    let about = "All about one skill: version, digest, licence, what the scan of it said, and its SKILL.md.";
    reading(NAME, "Get a skill", about, input, output)
}

impl Asked<'_> {
    pub(super) async fn skill(&self, given: JsonObject) -> Result<Answer, Failure> {
        let asked: Arguments = arguments(NAME, given)?;
        let found = self.found(&asked.skill).await?;
        let part = if asked.instructions {
            let path = found.version.skill_file.clone();
            Some(self.part(&found, &path, 0, TEXT).await?)
        } else {
            None
        };
        let facts = self.facts(&found).await?;
        let mut text = told(&facts);
        let mut structured = facts;
        if let Some(part) = part {
            let _ = write!(text, "\n{}", part.told(&found.reference()));
            structured.insert("instructions".to_owned(), part.structured());
        }
        Ok(Answer { text, structured: Value::Object(structured) })
    }

    async fn facts(&self, found: &Found) -> Result<Map<String, Value>, Failure> {
        let (skill, version, registry) = (&found.skill, &found.version, &self.hub.app.registry);
        let assessment = registry.assessment(version).await?;
        let needed = registry.requirements(self.caller.viewer(), version.id).await?;
        let requires: Vec<String> =
            needed.into_iter().map(|one| format!("{}@{}", SkillRef::new(one.publisher, one.slug), one.range)).collect();
        let deprecated = skill.deprecated_at.map(|_| {
            let successor = skill.successor.as_ref().map(|name| format!("; use {name}")).unwrap_or_default();
            format!("{}{successor}", skill.deprecation_message.clone().unwrap_or_default())
        });
        let withdrawn = version.yanked_at.map(|_| version.yank_reason.clone().unwrap_or_default());
        let verdict = assessment.scan.as_ref().map(|scan| verdict_word(scan.verdict));
        let line = |text: String| one_line(&visible(&text), DESCRIPTION);
        let facts = json!({
            "skill": format!("@{}/{}", skill.publisher, skill.slug),
            "version": version.number,
            "digest": version.digest,
            "description": line(version.description.clone()),
            "license": version.license.clone().map(line),
            "published_at": version.created_at,
            "files": version.file_count,
            "bytes": version.size,
            "installs": skill.installs,
            "verdict": verdict,
            "deprecated": deprecated.map(line),
            "withdrawn": withdrawn.map(line),
            "requires": requires,
            "page": self.hub.absolute(&format!("/@{}/{}", skill.publisher, skill.slug)),
            "untrusted": NOTICE,
        });
        let Value::Object(facts) = facts else { return Ok(Map::new()) };
        Ok(facts.into_iter().filter(|(_, value)| !value.is_null() && *value != json!([])).collect())
    }
}

/// The facts as lines.
fn told(facts: &Map<String, Value>) -> String {
    let mut text = format!("{NOTICE}\n");
    for (key, value) in facts.iter().filter(|(key, _)| key.as_str() != "untrusted") {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let _ = writeln!(text, "{key}: {value}");
    }
    text
}

impl Part {
    /// The part between marks, with what comes after it.
    pub(super) fn told(&self, of: &SkillRef) -> String {
        let mut text = fenced(of, &visible(&self.path), &self.text);
        if let Some(next) = self.next {
            let _ = write!(
                text,
                "\ncut at {} bytes of {}; read on with `read_skill_file` and offset {next}",
                self.end, self.size
            );
        }
        text
    }
}
