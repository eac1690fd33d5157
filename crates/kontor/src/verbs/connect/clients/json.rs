//! Servers in settings that are JSON. Whatever else is in them stays, in its order and with its indentation.

use serde::Serialize as _;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Serializer, Value};

/// The settings with a server below these keys.
pub fn with(text: &str, keys: &[&str], name: &str, server: &Value, ours: bool) -> Result<String, String> {
    let mut root = read(text)?;
    let mut place = &mut root;
    for key in keys {
        let below = place.entry((*key).to_owned()).or_insert_with(|| Value::Object(Map::new()));
        place = below.as_object_mut().ok_or_else(|| format!("`{key}` in it is no object"))?;
    }
    match place.get(name) {
        Some(there) if there == server => return Ok(text.to_owned()),
        Some(_) if !ours => return Err(format!("it has another server `{name}`; choose a name with --name")),
        _ => {}
    }
    place.insert(name.to_owned(), server.clone());
    Ok(written(text, &root))
}

/// The settings without the server of this name; a key that is left empty stays.
pub fn without(text: &str, keys: &[&str], name: &str) -> Result<String, String> {
    let mut root = read(text)?;
    let mut place = &mut root;
    for key in keys {
        let Some(below) = place.get_mut(*key).and_then(Value::as_object_mut) else { return Ok(text.to_owned()) };
        place = below;
    }
    if place.shift_remove(name).is_none() {
        return Ok(text.to_owned());
    }
    Ok(written(text, &root))
}

fn read(text: &str) -> Result<Map<String, Value>, String> {
    let bare = text.trim_start_matches('\u{feff}');
    if bare.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(bare) {
        Ok(Value::Object(root)) => Ok(root),
        Ok(_) => Err("it is no JSON object".to_owned()),
        Err(error) => Err(format!("it is not plain JSON ({error})")),
    }
}

/// As the settings were written before: with their indentation, and a line end only where there was one.
fn written(before: &str, root: &Map<String, Value>) -> String {
    let indent = before.lines().find_map(|line| {
        let width = line.len() - line.trim_start_matches([' ', '\t']).len();
        line.get(..width).filter(|indent| !indent.is_empty())
    });
    let mut bytes = Vec::new();
    let format = PrettyFormatter::with_indent(indent.unwrap_or("  ").as_bytes());
    // Writing to memory does not fail.
    let _ = root.serialize(&mut Serializer::with_formatter(&mut bytes, format));
    let mut text = String::from_utf8(bytes).unwrap_or_default();
    if before.is_empty() || before.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BEFORE: &str = "{\n    \"theme\": \"dark\",\n    \"mcpServers\": {\n        \"other\": {\n            \"command\": \"x\"\n        }\n    },\n    \"n\": 12345678901234567890\n}";

    #[test]
    fn everything_else_stays_as_it_was() {
        let server = json!({"command": "kontor"});
        let after = with(BEFORE, &["mcpServers"], "kontor", &server, false).unwrap_or_default();
        assert!(
            after.contains("        \"other\": {\n            \"command\": \"x\"\n        },\n        \"kontor\": {"),
            "{after}"
        );
        assert!(after.ends_with("12345678901234567890\n}"), "{after}");
        assert_eq!(with(&after, &["mcpServers"], "kontor", &server, true), Ok(after.clone()));
        assert_eq!(without(&after, &["mcpServers"], "kontor").as_deref(), Ok(BEFORE));
    }

    #[test]
    fn what_is_somebody_elses_is_left() {
        let server = json!({"command": "kontor"});
        assert!(with(BEFORE, &["mcpServers"], "other", &server, false).is_err());
        assert!(with("{ // a comment\n}", &["mcpServers"], "kontor", &server, false).is_err());
        assert!(with("[]", &["mcpServers"], "kontor", &server, false).is_err());
        assert!(with("{\"mcpServers\": 1}", &["mcpServers"], "kontor", &server, false).is_err());
        assert_eq!(without("{}", &["mcp", "servers"], "kontor").as_deref(), Ok("{}"));
    }

    #[test]
    fn settings_that_are_not_there_begin_with_the_server() {
        let after = with("", &["mcp", "servers"], "kontor", &json!({"command": "k"}), false);
        let expected = "{\n  \"mcp\": {\n    \"servers\": {\n      \"kontor\": {\n        \"command\": \"k\"\n      }\n    }\n  }\n}\n";
        assert_eq!(after.as_deref(), Ok(expected));
    }
}
