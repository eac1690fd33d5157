use serde_json::{Map, Number, Value as Json};

use super::Place;

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes.
    Plain,
    /// In `'`.
    SingleQuoted,
    /// In `"`.
    DoubleQuoted,
    /// Behind `|`.
    Literal,
    /// Behind `>`.
    Folded,
}

/// A value in the tree, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// The value.
    pub value: Value,
    /// Where it starts.
    pub place: Place,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text as written, without quotes and escapes.
    Scalar(String, Style),
    /// A list.
    Sequence(Vec<Node>),
    /// Pairs in the order of the text; keys may repeat.
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The pairs of a mapping.
    pub(crate) fn pairs(&self) -> Option<&[(Node, Node)]> {
        match &self.value {
            Value::Mapping(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// The value of `key` in a mapping; of a repeated key the first.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.pairs()?.iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    /// Whether this is the plain key `<<`, which the validator's reader merges and takes away.
    pub(crate) fn is_merge_key(&self) -> bool {
        matches!(&self.value, Value::Scalar(text, Style::Plain) if text == "<<")
    }

    /// The text of a scalar that the validator takes for text; a plain `=` or `<<` it does not.
    pub(crate) fn strict_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, Style::Plain) if text == "=" || text == "<<" => None,
            _ => self.text(),
        }
    }

    /// How many nodes the tree has.
    pub(crate) fn size(&self) -> usize {
        match &self.value {
            Value::Scalar(text, _) => 1 + text.len() / 64,
            Value::Sequence(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Mapping(pairs) => 1 + pairs.iter().map(|(key, value)| key.size() + value.size()).sum::<usize>(),
        }
    }

    /// The value in JSON; plain scalars are typed after the core schema of YAML 1.2, of a repeated key the first counts.
    pub(crate) fn to_json(&self) -> Json {
        match &self.value {
            Value::Scalar(text, Style::Plain) => typed(text),
            Value::Scalar(text, _) => Json::String(text.clone()),
            Value::Sequence(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Mapping(pairs) => {
                let mut object = Map::new();
                for (key, value) in pairs {
                    let key = key.text().map_or_else(|| key.to_json().to_string(), str::to_owned);
                    object.entry(key).or_insert_with(|| value.to_json());
                }
                Json::Object(object)
            }
        }
    }
}

fn typed(text: &str) -> Json {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Json::Null,
        "true" | "True" | "TRUE" => return Json::Bool(true),
        "false" | "False" | "FALSE" => return Json::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts_like_number = digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    // A leading zero marks a code, not a number; keep what was written.
    let code = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    let written_as_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if starts_like_number && !code && written_as_number {
        if let Ok(number) = text.parse::<i64>() {
            return Json::Number(number.into());
        }
        if let Some(number) = text.parse::<f64>().ok().and_then(Number::from_f64) {
            return Json::Number(number);
        }
    }
    Json::String(text.to_owned())
}
