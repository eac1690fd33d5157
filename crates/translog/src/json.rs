use kontor_types::Digest;
use serde_json::{Map, Value};

/// The digest of a JSON value, whatever the order of its keys and the space between its parts: SHA-256 over its compact form
/// with the keys of each object sorted by their bytes.
pub fn json_digest(value: &Value) -> Digest {
    Digest::of(sorted(value).to_string().as_bytes())
}

/// The same value with every object's keys in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut keys: Vec<&String> = entries.keys().collect();
            keys.sort_unstable();
            let entry = |key: &String| Some((key.clone(), sorted(entries.get(key)?)));
            Value::Object(keys.into_iter().filter_map(entry).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
