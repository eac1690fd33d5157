//! What a tool takes and answers, for people who want to write its input.

use kontor_package::{Content, Tool};
use serde_json::{Value, json};

use crate::session::Session;
use crate::table::Table;
use crate::terminal::{Style, plain, plain_lines};

/// The longest example that is shown whole.
const LONGEST: usize = 4_000;

/// Tells of a tool; runs nothing.
pub fn tool(tool: &Tool, content: &Content, session: &Session) {
    let schema = |path: &Option<String>| {
        let bytes = content.get(path.as_deref()?)?;
        serde_json::from_slice::<Value>(bytes).ok()
    };
    let (input, output) = (schema(&tool.input), schema(&tool.output));
    let example = example(tool, content);
    let terminal = &session.terminal;
    if terminal.json {
        let example: Option<Value> = example.and_then(|(_, bytes)| serde_json::from_slice(bytes).ok());
        terminal.json(&json!({
            "tool": tool.name, "description": tool.description, "input": input, "output": output, "example": example,
        }));
        return;
    }
    terminal.data(&plain(tool.description.as_deref().unwrap_or("The author says nothing of what it does.")));
    match &input {
        Some(schema) => fields("It reads JSON with", schema, session),
        None => terminal.data("\nIt reads nothing that the author describes."),
    }
    if let Some(schema) = &output {
        fields("It answers JSON with", schema, session);
    }
    if let Some((path, bytes)) = example {
        terminal.data(&format!("\n{}", terminal.paint(Style::Bold, &format!("An example, {}:", plain(path)))));
        terminal.data(&plain_lines(String::from_utf8_lossy(bytes).trim_end()));
    }
}

/// The first level of a schema: each field with its kind and what its author says of it.
fn fields(title: &str, schema: &Value, session: &Session) {
    let terminal = &session.terminal;
    terminal.data(&format!("\n{}", terminal.paint(Style::Bold, title)));
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut table = Table::titled(&["  field", "kind", "", "what it is"]);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let needed = if required.contains(&name.as_str()) { "needed" } else { "" };
        let kind = match &field["type"] {
            Value::String(kind) => kind.clone(),
            _ => field["enum"].as_array().map(|words| one_of(words)).unwrap_or_default(),
        };
        let told = field["description"].as_str().unwrap_or_default();
        table.row([format!("  {}", plain(name)), plain(&kind), needed.to_owned(), plain(told)]);
    }
    terminal.data(&table.render(terminal));
}

fn one_of(words: &[Value]) -> String {
    let words: Vec<&str> = words.iter().filter_map(Value::as_str).take(8).collect();
    words.join(" | ")
}

/// The shortest input of this tool among the skill's examples.
fn example<'c>(tool: &Tool, content: &'c Content) -> Option<(&'c str, &'c [u8])> {
    let own = format!("examples/{}", tool.name);
    let fits =
        |(path, bytes): &(&str, &[u8])| path.starts_with(&own) && path.ends_with(".in.json") && bytes.len() <= LONGEST;
    content.files().filter(fits).min_by_key(|(_, bytes)| bytes.len())
}
