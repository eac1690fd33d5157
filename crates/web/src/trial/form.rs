//! A form for a tool's input: which fields its JSON Schema asks for, and the JSON that what is typed into them makes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::typed::Typed;

/// The most fields of a form; a schema with more is asked for as one text of JSON.
const MOST_FIELDS: usize = 48;
/// The most choices of one field.
const MOST_CHOICES: usize = 200;
/// The longest text that is asked for in one line.
const LINE: u64 = 200;
/// How long a text must be allowed to be so that a file may be chosen for it.
const FILE: u64 = 10_000;
/// How far references are followed.
const DEPTH: usize = 4;

/// What one value is asked for with.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Text in one line.
    Line,
    /// Text in several lines.
    Text {
        /// Whether a file can be chosen in its place.
        file: bool,
    },
    /// A day.
    Day,
    /// A number.
    Number {
        /// Without a fraction.
        whole: bool,
    },
    /// Yes or no.
    Truth,
    /// One of these.
    Choice(Vec<Value>),
    /// Several, one a line, or ticked where there is a choice.
    Many(Box<Self>),
    /// A file whose bytes go in as Base64.
    Bytes,
    /// Anything, as JSON.
    Json,
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The property.
    pub name: String,
    /// What it is asked for with.
    pub kind: Kind,
    /// Whether there must be a value.
    pub needed: bool,
    /// What it means.
    pub description: String,
    /// What counts when nothing is given.
    pub default: Option<Value>,
}

/// Why what was typed into a field is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing was given.
    Needed,
    /// It is no number.
    Number,
    /// It is no number without a fraction.
    Whole,
    /// It is none of the choices.
    Choice,
    /// It is no JSON, as the reader says.
    Json(String),
    /// The file that was chosen is no text.
    NoText,
    /// What the schema says against it.
    Schema(String),
}

/// What was wrong: the field's place in the form, or none for the whole.
pub type Problem = (Option<usize>, Wrong);

/// The fields of a tool's input.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// What is asked for.
    pub fields: Vec<Field>,
    /// Whether the only field is the whole input.
    pub whole: bool,
}

impl Form {
    /// The form for a schema. A form cannot say everything that a schema can: the rest is asked for as JSON.
    pub fn of(schema: &Value) -> Self {
        let root = resolved(schema, schema);
        let combined = ["oneOf", "anyOf", "allOf", "if", "not"].iter().any(|key| root.get(key).is_some());
        let is_object = root.get("type").is_none_or(|kind| kind == "object");
        match root["properties"].as_object() {
            Some(properties) if is_object && !combined && (1..=MOST_FIELDS).contains(&properties.len()) => {
                let needed: Vec<&str> =
                    root["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let mut fields: Vec<Field> = properties
                    .iter()
                    .map(|(name, of)| field(name, of, schema, needed.contains(&name.as_str())))
                    .collect();
                // Stable: needed ones first, each in the author's order.
                fields.sort_by_key(|field| !field.needed);
                Self { fields, whole: false }
            }
            _ => Self { fields: vec![Field { kind: Kind::Json, ..field("", root, schema, true) }], whole: true },
        }
    }

    /// What stands in the fields for this input.
    pub fn filled(&self, input: &Value) -> BTreeMap<String, String> {
        let value = |field: &Field| if self.whole { Some(input) } else { input.get(&field.name) };
        let fields = self.fields.iter().enumerate();
        let shown = fields.filter_map(|(place, field)| Some((key(place), shown(&field.kind, value(field)?))));
        shown.collect()
    }

    /// The input that was typed in.
    ///
    /// # Errors
    /// What is no value, field by field.
    pub fn read(&self, typed: &Typed) -> Result<Value, Vec<Problem>> {
        let (mut input, mut problems, mut only) = (Map::new(), Vec::new(), None);
        for (place, field) in self.fields.iter().enumerate() {
            match given(field, typed, &key(place)) {
                Ok(Some(value)) if self.whole => only = Some(value),
                Ok(Some(value)) => drop(input.insert(field.name.clone(), value)),
                Ok(None) if field.needed => problems.push((Some(place), Wrong::Needed)),
                Ok(None) => {}
                Err(wrong) => problems.push((Some(place), wrong)),
            }
        }
        if problems.is_empty() { Ok(only.unwrap_or(Value::Object(input))) } else { Err(problems) }
    }

    /// What a schema says against the input, each at its field.
    pub fn placed(&self, problems: &[String]) -> Vec<Problem> {
        let place = |problem: &String| {
            let (path, text) = problem.split_once(": ").unwrap_or(("", problem));
            let name = path.strip_prefix('/').and_then(|rest| rest.split('/').next());
            let name = name.map(|name| name.replace("~1", "/").replace("~0", "~"));
            let field = name.and_then(|name| self.fields.iter().position(|field| field.name == name));
            (
                field.or(self.whole.then_some(0)),
                Wrong::Schema(if field.is_some() { text.to_owned() } else { problem.clone() }),
            )
        };
        problems.iter().map(place).collect()
    }
}

/// The name of a field in the page's form.
pub fn key(place: usize) -> String {
    format!("v{place}")
}

/// The name of the input of a field's file.
pub fn file_key(place: usize) -> String {
    format!("v{place}.file")
}

fn field(name: &str, of: &Value, root: &Value, needed: bool) -> Field {
    let inner = resolved(of, root);
    let said = |key: &str| of.get(key).or_else(|| inner.get(key));
    Field {
        name: name.to_owned(),
        kind: kind(inner, root),
        needed,
        description: said("description")
            .or_else(|| said("title"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        default: said("default").cloned(),
    }
}

/// Where a reference within the schema leads.
fn resolved<'s>(of: &'s Value, root: &'s Value) -> &'s Value {
    let mut at = of;
    for _ in 0..DEPTH {
        let Some(pointer) = at["$ref"].as_str().and_then(|text| text.strip_prefix('#')) else { break };
        let Some(found) = root.pointer(pointer) else { break };
        at = found;
    }
    at
}

fn kind(of: &Value, root: &Value) -> Kind {
    if type_of(of) != Some("array") || of.get("enum").or(of.get("const")).is_some() {
        return single(of);
    }
    // A list of lists is written as JSON, so this goes one step deep and no further: a schema may lead to itself.
    match of.get("items").map(|items| single(resolved(items, root))) {
        Some(item @ (Kind::Line | Kind::Text { .. } | Kind::Day | Kind::Number { .. } | Kind::Choice(_))) => {
            Kind::Many(Box::new(if matches!(item, Kind::Text { .. }) { Kind::Line } else { item }))
        }
        _ => Kind::Json,
    }
}

/// What one value is asked for with that is no list.
fn single(of: &Value) -> Kind {
    let is_simple = |value: &Value| !value.is_object() && !value.is_array();
    if let Some(values) = of["enum"].as_array()
        && (1..=MOST_CHOICES).contains(&values.len())
        && values.iter().all(is_simple)
    {
        return Kind::Choice(values.clone());
    }
    if let Some(only) = of.get("const").filter(|value| is_simple(value)) {
        return Kind::Choice(vec![only.clone()]);
    }
    match type_of(of) {
        Some("string") => text(of),
        Some("integer") => Kind::Number { whole: true },
        Some("number") => Kind::Number { whole: false },
        Some("boolean") => Kind::Truth,
        _ => Kind::Json,
    }
}

/// The only type that a value may have beside nothing.
fn type_of(of: &Value) -> Option<&str> {
    match &of["type"] {
        Value::String(word) => Some(word),
        Value::Array(words) => {
            let mut words = words.iter().filter_map(Value::as_str).filter(|word| *word != "null");
            words.next().filter(|_| words.next().is_none())
        }
        _ => None,
    }
}

fn text(of: &Value) -> Kind {
    if of["contentEncoding"] == "base64" {
        return Kind::Bytes;
    }
    let longest = of["maxLength"].as_u64();
    if of["format"] == "date" {
        return Kind::Day;
    }
    if longest.is_some_and(|longest| longest <= LINE) || of["pattern"].is_string() || of["format"].is_string() {
        return Kind::Line;
    }
    let media = of.get("contentMediaType").is_some();
    Kind::Text { file: media || longest.is_some_and(|longest| longest >= FILE) }
}

/// A value as it stands in its field.
fn shown(kind: &Kind, value: &Value) -> String {
    match (kind, value) {
        (Kind::Choice(choices), value) => {
            choices.iter().position(|choice| choice == value).map(|place| place.to_string()).unwrap_or_default()
        }
        (Kind::Json, value) => serde_json::to_string_pretty(value).unwrap_or_default(),
        (Kind::Many(item), Value::Array(values)) => {
            values.iter().map(|value| shown(item, value)).collect::<Vec<_>>().join("\n")
        }
        (_, Value::String(text)) => text.clone(),
        (_, value) => value.to_string(),
    }
}

fn given(field: &Field, typed: &Typed, key: &str) -> Result<Option<Value>, Wrong> {
    if let Some(file) = typed.file(&format!("{key}.file")) {
        return match field.kind {
            Kind::Bytes => Ok(Some(Value::String(STANDARD.encode(&file.bytes)))),
            _ => {
                String::from_utf8(file.bytes.to_vec()).map(|text| Some(Value::String(text))).map_err(|_| Wrong::NoText)
            }
        };
    }
    let text = typed.text(key);
    if matches!(field.kind, Kind::Many(_)) && field.needed && text.trim().is_empty() {
        return Ok(Some(Value::Array(Vec::new())));
    }
    read(&field.kind, text)
}

/// What a text in a field says; nothing when there is none.
fn read(kind: &Kind, text: &str) -> Result<Option<Value>, Wrong> {
    let bare = text.trim();
    if bare.is_empty() {
        return Ok(None);
    }
    Ok(Some(match kind {
        Kind::Line | Kind::Day => Value::String(bare.to_owned()),
        Kind::Text { .. } | Kind::Bytes => Value::String(text.to_owned()),
        Kind::Number { whole } => Value::Number(number(bare, *whole)?),
        Kind::Truth => match bare {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => return Err(Wrong::Choice),
        },
        Kind::Choice(choices) => {
            let chosen = bare.parse::<usize>().ok().and_then(|place| choices.get(place));
            chosen.ok_or(Wrong::Choice)?.clone()
        }
        Kind::Many(item) => {
            let lines = text.lines().filter_map(|line| read(item, line).transpose());
            Value::Array(lines.collect::<Result<_, _>>()?)
        }
        Kind::Json => serde_json::from_str(bare).map_err(|error| Wrong::Json(error.to_string()))?,
    }))
}

fn number(text: &str, whole: bool) -> Result<Number, Wrong> {
    if let Ok(number) = text.parse::<i64>() {
        return Ok(number.into());
    }
    let number = text.parse::<f64>().ok().and_then(Number::from_f64).ok_or(Wrong::Number)?;
    if whole { Err(Wrong::Whole) } else { Ok(number) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn only(of: &Value) -> Kind {
        let form = Form::of(
            &json!({"type": "object", "properties": {"it": of}, "$defs": {"word": {"type": "string", "maxLength": 9}}}),
        );
        assert!(!form.whole);
        form.fields[0].kind.clone()
    }

    #[rstest]
    #[case::word(json!({"type": "string", "maxLength": 80}), Kind::Line)]
    #[case::pattern(json!({"type": "string", "pattern": "^a$"}), Kind::Line)]
    #[case::day(json!({"type": "string", "format": "date"}), Kind::Day)]
    #[case::text(json!({"type": "string"}), Kind::Text { file: false })]
    #[case::long(json!({"type": "string", "maxLength": 4_000_000}), Kind::Text { file: true })]
    #[case::media(json!({"type": "string", "contentMediaType": "text/csv"}), Kind::Text { file: true })]
    #[case::bytes(json!({"type": "string", "contentEncoding": "base64"}), Kind::Bytes)]
    #[case::or_nothing(json!({"type": ["integer", "null"]}), Kind::Number { whole: true })]
    #[case::number(json!({"type": "number"}), Kind::Number { whole: false })]
    #[case::truth(json!({"type": "boolean"}), Kind::Truth)]
    #[case::choice(json!({"enum": ["a", 1, null]}), Kind::Choice(vec![json!("a"), json!(1), json!(null)]))]
    #[case::fixed(json!({"const": "a"}), Kind::Choice(vec![json!("a")]))]
    #[case::words(json!({"type": "array", "items": {"type": "string"}}), Kind::Many(Box::new(Kind::Line)))]
    #[case::referred(json!({"type": "array", "items": {"$ref": "#/$defs/word"}}), Kind::Many(Box::new(Kind::Line)))]
    #[case::deep(json!({"type": "array", "items": {"type": "object"}}), Kind::Json)]
    #[case::either(json!({"anyOf": [{"type": "string"}, {"type": "number"}]}), Kind::Json)]
    #[case::round(json!({"$ref": "#/properties/it"}), Kind::Json)]
    #[case::of_itself(json!({"type": "array", "items": {"$ref": "#/properties/it"}}), Kind::Json)]
    #[case::of_all(json!({"type": "array", "items": {"$ref": "#"}}), Kind::Json)]
    #[case::of_lists(json!({"type": "array", "items": {"type": "array", "items": {"type": "string"}}}), Kind::Json)]
    fn a_schema_says_what_a_value_is_asked_for_with(#[case] of: Value, #[case] expected: Kind) {
        assert_eq!(only(&of), expected);
    }

    #[rstest]
    #[case::no_object(json!({"type": "array"}))]
    #[case::either(json!({"oneOf": [], "properties": {"a": {}}}))]
    #[case::nothing(json!(true))]
    fn what_a_form_cannot_say_is_asked_for_as_json(#[case] schema: Value) {
        let form = Form::of(&schema);
        assert!(form.whole && form.fields.len() == 1 && form.fields[0].kind == Kind::Json);
        let typed = Typed::of(&[("v0", "[1, 2]")]);
        assert_eq!(form.read(&typed), Ok(json!([1, 2])));
    }

    #[test]
    fn what_is_filled_in_is_read_back_as_it_was() {
        let schema = json!({"type": "object", "required": ["n"], "properties": {
            "t": {"type": "string"}, "n": {"type": "integer"}, "x": {"type": "number"}, "b": {"type": "boolean"},
            "c": {"enum": ["one", "two"]}, "w": {"type": "array", "items": {"type": "string"}}, "o": {"type": "object"}}});
        let form = Form::of(&schema);
        assert_eq!(form.fields[0].name, "n", "what is needed stands first");
        let input =
            json!({"t": "two\nlines", "n": 7, "x": 1.5, "b": false, "c": "two", "w": ["a b", "c"], "o": {"k": [1]}});
        let filled = form.filled(&input);
        let pairs: Vec<(&str, &str)> = filled.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
        assert_eq!(form.read(&Typed::of(&pairs)), Ok(input));
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        let schema = json!({"type": "object", "required": ["n", "t"], "properties": {
            "n": {"type": "integer"}, "t": {"type": "string"}, "o": {"type": "object"}, "c": {"enum": ["a"]}}});
        let form = Form::of(&schema);
        let typed = Typed::of(&[("v0", "1.5"), ("v2", "{"), ("v3", "9")]);
        let wrong = form.read(&typed).unwrap_err();
        let places: Vec<_> = wrong.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!((&wrong[0].1, &wrong[1].1, &wrong[3].1), (&Wrong::Whole, &Wrong::Needed, &Wrong::Choice));
        let said = ["/t: too short".to_owned(), "/o/k: no".to_owned(), "the whole: no".to_owned()];
        let places: Vec<_> = form.placed(&said).into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, [Some(1), Some(2), None]);
    }
}
