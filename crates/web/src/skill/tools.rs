//! What a skill's typed tools take and give, and what came of examples that it brings.

use kontor_front::{Failure, Hub};
use kontor_package::Manifest;
use kontor_registry::{File, Found};
use maud::{Markup, html};
use serde_json::Value;

use crate::Language;

/// The most tools of a skill that are shown.
const MOST_TOOLS: usize = 8;
/// The most fields of a tool's input or output that are shown.
const MOST_FIELDS: usize = 24;
/// The most examples of a skill that are shown.
const MOST_EXAMPLES: usize = 4;
/// The most bytes of a schema or an example that are read.
const LARGEST: u64 = 16 << 10;
/// The most bytes of an example that are shown.
const SHOWN: usize = 2_400;

/// A typed entry point as people read it.
#[derive(Debug, Clone, Default)]
pub struct Tool {
    name: String,
    description: Option<String>,
    takes: Vec<Field>,
    gives: Vec<Field>,
    examples: Vec<Example>,
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    kind: String,
    is_needed: bool,
    description: String,
}

#[derive(Debug, Clone)]
struct Example {
    input: String,
    output: String,
}

/// The tools of a version, with the schemas and examples among its files.
pub async fn read(hub: &Hub, found: &Found, manifest: &Manifest, files: &[File]) -> Result<Vec<Tool>, Failure> {
    let mut tools = Vec::new();
    let mut room = MOST_EXAMPLES;
    for declared in manifest.tools.iter().take(MOST_TOOLS) {
        let mut tool =
            Tool { name: declared.name.clone(), description: declared.description.clone(), ..Tool::default() };
        tool.takes = fields(hub, found, declared.input.as_deref(), files).await?;
        tool.gives = fields(hub, found, declared.output.as_deref(), files).await?;
        for path in inputs(files, &declared.name, manifest.tools.len() == 1).take(room.min(2)) {
            tool.examples.extend(example(hub, found, path, files).await?);
        }
        room = room.saturating_sub(tool.examples.len());
        tools.push(tool);
    }
    Ok(tools)
}

/// Inputs below `examples/` that a tool's name begins; of an only tool, all.
fn inputs<'f>(files: &'f [File], tool: &'f str, only: bool) -> impl Iterator<Item = &'f str> {
    files.iter().filter_map(move |file| {
        let name = file.path.strip_prefix("examples/")?.strip_suffix(".in.json")?;
        let begins = name.strip_prefix(tool).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        (begins || only).then_some(file.path.as_str())
    })
}

async fn example(hub: &Hub, found: &Found, input: &str, files: &[File]) -> Result<Option<Example>, Failure> {
    let output = input.replace(".in.json", ".out.json");
    let pair = (text(hub, found, input, files).await?, text(hub, found, &output, files).await?);
    Ok(match pair {
        (Some(input), Some(output)) => Some(Example { input: shortened(&input), output: shortened(&output) }),
        _ => None,
    })
}

async fn fields(hub: &Hub, found: &Found, schema: Option<&str>, files: &[File]) -> Result<Vec<Field>, Failure> {
    let Some(schema) = schema else { return Ok(Vec::new()) };
    let Some(text) = text(hub, found, schema, files).await? else { return Ok(Vec::new()) };
    let Ok(schema) = serde_json::from_str::<Value>(&text) else { return Ok(Vec::new()) };
    let needed: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(properties) = schema["properties"].as_object() else { return Ok(Vec::new()) };
    let field = |(name, of): (&String, &Value)| Field {
        name: name.clone(),
        kind: kind(of),
        is_needed: needed.contains(&name.as_str()),
        description: of["description"].as_str().unwrap_or_default().to_owned(),
    };
    Ok(properties.iter().take(MOST_FIELDS).map(field).collect())
}

/// What a value may be, in a word or a few.
fn kind(of: &Value) -> String {
    if let Some(values) = of["enum"].as_array() {
        let words: Vec<String> = values
            .iter()
            .take(8)
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect();
        return words.join(" | ");
    }
    match &of["type"] {
        Value::String(word) if word == "array" => {
            of["items"]["type"].as_str().map_or_else(|| word.clone(), |items| format!("{word} of {items}"))
        }
        Value::String(word) => word.clone(),
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ => String::new(),
    }
}

async fn text(hub: &Hub, found: &Found, path: &str, files: &[File]) -> Result<Option<String>, Failure> {
    let Some(file) = files.iter().find(|file| file.path == path && file.size <= LARGEST) else { return Ok(None) };
    let bytes = hub.app.registry.file_bytes(found, file, None).await?;
    Ok(String::from_utf8(bytes.to_vec()).ok())
}

fn shortened(text: &str) -> String {
    let text = text.trim_end();
    match text.char_indices().find(|(at, _)| *at >= SHOWN) {
        Some((end, _)) => format!("{}\n…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The tools, each with what it takes and gives.
pub fn shown(language: Language, tools: &[Tool]) -> Markup {
    html! {
        @for tool in tools {
            section.tool {
                h3 { code { (tool.name) } }
                @if let Some(description) = &tool.description { p { (description) } }
                @if !tool.takes.is_empty() { (table(language, language.pick("Takes", "输入"), &tool.takes)) }
                @if !tool.gives.is_empty() { (table(language, language.pick("Gives", "输出"), &tool.gives)) }
                @for example in &tool.examples {
                    div.sample {
                        figure { figcaption { (language.pick("For example, this input", "例如，输入")) } pre tabindex="0" { code { (example.input) } } }
                        figure { figcaption { (language.pick("gives this output", "得到的输出")) } pre tabindex="0" { code { (example.output) } } }
                    }
                }
            }
        }
    }
}

fn table(language: Language, title: &str, fields: &[Field]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table {
                thead { tr {
                    th scope="col" { (title) }
                    th scope="col" { (language.pick("Kind", "类型")) }
                    th scope="col" { (language.pick("Meaning", "含义")) }
                } }
                tbody { @for field in fields { tr {
                    td { code { (field.name) } @if field.is_needed { " " span.faint { (language.pick("needed", "必填")) } } }
                    td { (field.kind) }
                    td { (field.description) }
                } } }
            }
        }
    }
}
