//! Servers in settings that are JSON. Whatever else is in them stays byte for byte as it was written: only the objects on the way
//! to the servers are written anew.

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::ser::PrettyFormatter;
use serde_json::value::RawValue;

/// The settings with a server below these keys.
pub fn with(text: &str, keys: &[&str], name: &str, server: &Value, ours: bool) -> Result<String, String> {
    let mut root = Object::read(text)?;
    let place = root.open(keys)?;
    if let Some(there) = place.get(name) {
        if there.value().as_ref() == Some(server) {
            return Ok(text.to_owned());
        }
        if !ours {
            return Err(format!("it has another server `{name}`; choose a name with --name"));
        }
    }
    place.set(name, Node::Value(server.clone()));
    Ok(root.written(text))
}

/// The settings without the server of this name; a key that is left empty stays.
pub fn without(text: &str, keys: &[&str], name: &str) -> Result<String, String> {
    let mut root = Object::read(text)?;
    let mut place = &mut root;
    for key in keys {
        let Some(below) = place.get_mut(key).and_then(Node::opened) else { return Ok(text.to_owned()) };
        place = below;
    }
    if !place.remove(name) {
        return Ok(text.to_owned());
    }
    Ok(root.written(text))
}

/// An object whose entries keep their order.
#[derive(Debug, Default)]
struct Object(Vec<(String, Node)>);

/// What stands under a key.
#[derive(Debug)]
enum Node {
    /// As it was written.
    Raw(Box<RawValue>),
    /// An object that is changed.
    Open(Object),
    /// Something new.
    Value(Value),
}

impl Node {
    fn value(&self) -> Option<Value> {
        match self {
            Self::Raw(raw) => serde_json::from_str(raw.get()).ok(),
            Self::Open(object) => serde_json::to_value(object).ok(),
            Self::Value(value) => Some(value.clone()),
        }
    }

    /// The same as an object whose entries can be changed; nothing for anything else.
    fn opened(&mut self) -> Option<&mut Object> {
        if let Self::Raw(raw) = self {
            *self = Self::Open(serde_json::from_str(raw.get()).ok()?);
        }
        match self {
            Self::Open(object) => Some(object),
            Self::Raw(_) | Self::Value(_) => None,
        }
    }
}

impl Object {
    fn read(text: &str) -> Result<Self, String> {
        let bare = text.trim_start_matches('\u{feff}');
        if bare.trim().is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_str::<&RawValue>(bare) {
            Ok(root) if !root.get().starts_with('{') => Err("it is no JSON object".to_owned()),
            Ok(root) => serde_json::from_str(root.get()).map_err(|error| format!("it is not plain JSON ({error})")),
            Err(error) => Err(format!("it is not plain JSON ({error})")),
        }
    }

    /// The object below these keys; where there is none it is made.
    fn open(&mut self, keys: &[&str]) -> Result<&mut Self, String> {
        let mut place = self;
        for key in keys {
            if place.get(key).is_none() {
                place.set(key, Node::Open(Self::default()));
            }
            place = place.get_mut(key).and_then(Node::opened).ok_or_else(|| format!("`{key}` in it is no object"))?;
        }
        Ok(place)
    }

    fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.iter_mut().rev().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    fn set(&mut self, key: &str, node: Node) {
        match self.get_mut(key) {
            Some(there) => *there = node,
            None => self.0.push((key.to_owned(), node)),
        }
    }

    fn remove(&mut self, key: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(name, _)| name != key);
        self.0.len() < before
    }

    /// As the settings were written before: with their indentation, and a line end only where there was one.
    fn written(&self, before: &str) -> String {
        let indent = before.lines().find_map(|line| {
            let width = line.len() - line.trim_start_matches([' ', '\t']).len();
            line.get(..width).filter(|indent| !indent.is_empty())
        });
        let mut bytes = Vec::new();
        let format = PrettyFormatter::with_indent(indent.unwrap_or("  ").as_bytes());
        // Writing to memory does not fail.
        let _ = self.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, format));
        let mut text = String::from_utf8(bytes).unwrap_or_default();
        if before.is_empty() || before.ends_with('\n') {
            text.push('\n');
        }
        text
    }
}

impl Serialize for Object {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, node) in &self.0 {
            match node {
                Node::Raw(raw) => map.serialize_entry(key, raw)?,
                Node::Open(object) => map.serialize_entry(key, object)?,
                Node::Value(value) => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Object;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, raw)) = map.next_entry::<String, Box<RawValue>>()? {
                    entries.push((key, Node::Raw(raw)));
                }
                Ok(Object(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
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
    fn numbers_and_layout_of_others_stay_byte_for_byte() {
        let before = "{\n  \"v\": 1.10,\n  \"big\": 1e400,\n  \"list\": [1,2,\n     3],\n  \"mcpServers\": {\n    \"a\": {\"n\": 2.50}\n  }\n}\n";
        let after = with(before, &["mcpServers"], "kontor", &json!({"command": "k"}), false).unwrap_or_default();
        for kept in ["\"v\": 1.10,", "\"big\": 1e400,", "[1,2,\n     3]", "\"a\": {\"n\": 2.50},"] {
            assert!(after.contains(kept), "{kept} in {after}");
        }
        assert_eq!(without(&after, &["mcpServers"], "kontor").as_deref(), Ok(before));
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
