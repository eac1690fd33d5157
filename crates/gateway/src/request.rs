use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::{Error, price};

/// More choices than anybody asks for.
const MOST_CHOICES: u64 = 128;
/// Longest name of a model.
const LONGEST_NAME: usize = 200;
/// Tokens that an image may be, whatever it is written as.
const IMAGE_TOKENS: u64 = 4_096;

/// A request for a chat completion; fields that we do not know are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest(Map<String, Value>);

impl ChatRequest {
    /// A request without messages.
    pub fn new(model: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("model".to_owned(), model.into());
        fields.insert("messages".to_owned(), json!([]));
        Self(fields)
    }

    /// A request as JSON has it.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is no object.
    pub fn from_value(body: Value) -> Result<Self, Error> {
        match body {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(Error::invalid("a request is a JSON object", None)),
        }
    }

    /// With one message of text more.
    #[must_use]
    pub fn message(mut self, role: &str, content: &str) -> Self {
        let message = json!({ "role": role, "content": content });
        match self.0.get_mut("messages") {
            Some(Value::Array(messages)) => messages.push(message),
            _ => drop(self.0.insert("messages".to_owned(), json!([message]))),
        }
        self
    }

    /// With these messages in place of the others.
    #[must_use]
    pub fn messages(self, messages: Vec<Value>) -> Self {
        self.set("messages", messages.into())
    }

    /// With a field set.
    #[must_use]
    pub fn set(mut self, field: &str, value: Value) -> Self {
        self.0.insert(field.to_owned(), value);
        self
    }

    /// As bytes for an answer in one piece.
    pub(crate) fn to_bytes(&self) -> Bytes {
        let mut fields = self.0.clone();
        fields.shift_remove("stream");
        fields.shift_remove("stream_options");
        Value::Object(fields).to_string().into()
    }
}

/// The fields of a request that are looked at; a field of these that stands there twice is refused, so that nobody reads
/// another one than we do.
#[derive(Deserialize)]
struct Seen<'a> {
    #[serde(borrow)]
    model: &'a RawValue,
    #[serde(borrow)]
    messages: &'a RawValue,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default, borrow, deserialize_with = "present")]
    stream_options: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    max_tokens: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    max_completion_tokens: Option<&'a RawValue>,
    #[serde(default)]
    n: Option<u64>,
}

/// A field that is there, even as `null`.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// A request as it came, and where in it the fields are that may have to be changed.
#[derive(Debug, Clone)]
pub struct Asked {
    pub body: Bytes,
    pub model: String,
    pub stream: bool,
    /// Whether the caller wants to be told what a stream took.
    pub wants_usage: bool,
    /// The most tokens of an answer, if the request bounds it, and of how many answers.
    pub bound: Option<u64>,
    pub choices: u64,
    model_at: Range<usize>,
    stream_options: Option<(Range<usize>, String)>,
    null_limit: Option<Range<usize>>,
}

impl Asked {
    pub fn read(body: Bytes) -> Result<Self, Error> {
        let seen: Seen<'_> = serde_json::from_slice(&body)
            .map_err(|error| Error::invalid(format!("the request cannot be read: {error}"), None))?;
        let model: Cow<'_, str> = serde_json::from_str(seen.model.get())
            .map_err(|_| Error::invalid("`model` is the name of a model", Some("model")))?;
        if model.is_empty() || model.len() > LONGEST_NAME {
            return Err(Error::invalid("`model` is the name of a model", Some("model")));
        }
        if !seen.messages.get().starts_with('[') {
            return Err(Error::invalid("`messages` is a list", Some("messages")));
        }
        let choices = seen.n.unwrap_or(1);
        if choices == 0 || choices > MOST_CHOICES {
            return Err(Error::invalid(format!("`n` is 1 to {MOST_CHOICES}"), Some("n")));
        }
        let place = |raw: &RawValue| {
            let start = raw.get().as_ptr().addr() - body.as_ptr().addr();
            start..start + raw.get().len()
        };
        let limits = [(seen.max_completion_tokens, "max_completion_tokens"), (seen.max_tokens, "max_tokens")];
        let (mut bound, mut null_limit) = (None::<u64>, None);
        for (raw, name) in limits {
            let Some(raw) = raw else { continue };
            if raw.get() == "null" {
                null_limit = null_limit.or((name == "max_tokens").then(|| place(raw)));
                continue;
            }
            let tokens: u64 = serde_json::from_str(raw.get())
                .map_err(|_| Error::invalid(format!("`{name}` is a whole number"), Some(name)))?;
            // Whichever the upstream looks at, it is no more than the larger.
            bound = Some(bound.unwrap_or(0).max(tokens));
        }
        let stream = seen.stream.unwrap_or(false);
        let (mut wants_usage, mut stream_options) = (false, None);
        if stream && let Some(raw) = seen.stream_options {
            let mut options: Map<String, Value> = serde_json::from_str::<Option<_>>(raw.get())
                .map_err(|_| Error::invalid("`stream_options` is an object", Some("stream_options")))?
                .unwrap_or_default();
            wants_usage = options.insert("include_usage".to_owned(), true.into()) == Some(true.into());
            stream_options = Some((place(raw), Value::Object(options).to_string()));
        }
        let (model, model_at) = (model.into_owned(), place(seen.model));
        Ok(Self { body, model, stream, wants_usage, bound, choices, model_at, stream_options, null_limit })
    }

    /// The most tokens that what is sent can be: each has a byte at least, and images are counted apart.
    pub fn most_prompt(&self) -> u64 {
        let images = memchr::memmem::find_iter(&self.body, b"\"image_url\"").count() as u64;
        (self.body.len() as u64).saturating_add(images.saturating_mul(IMAGE_TOKENS))
    }

    /// About how many tokens are sent.
    pub fn about_prompt(&self) -> u64 {
        price::about(&String::from_utf8_lossy(&self.body))
    }

    /// The request for an upstream: its name of the model, its count of tokens with every stream, and, where a budget needs
    /// one, a bound.
    pub fn for_upstream(&self, model: &str, limit: Option<(&str, u64)>) -> Bytes {
        let quoted = Value::from(model).to_string();
        let mut changes: Vec<(Range<usize>, String)> = vec![(self.model_at.clone(), quoted)];
        let mut added = String::new();
        match &self.stream_options {
            Some((place, text)) => changes.push((place.clone(), text.clone())),
            None if self.stream => added.push_str("\"stream_options\":{\"include_usage\":true},"),
            None => {}
        }
        if let Some((field, tokens)) = limit {
            match &self.null_limit {
                Some(place) if field == "max_tokens" => changes.push((place.clone(), tokens.to_string())),
                _ => drop(write!(added, "\"{field}\":{tokens},")),
            }
        }
        if !added.is_empty() {
            // A request has a model, so something follows the brace.
            let brace = memchr::memchr(b'{', &self.body).map_or(0, |at| at + 1);
            changes.push((brace..brace, added));
        }
        changes.sort_by_key(|(place, _)| place.start);
        let mut out = Vec::with_capacity(self.body.len() + 128);
        let mut at = 0;
        for (place, text) in changes {
            out.extend_from_slice(self.body.get(at..place.start).unwrap_or_default());
            out.extend_from_slice(text.as_bytes());
            at = place.end;
        }
        out.extend_from_slice(self.body.get(at..).unwrap_or_default());
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::Asked;

    fn sent(body: &Value, limit: Option<(&str, u64)>) -> Value {
        let asked = Asked::read(body.to_string().into()).unwrap();
        serde_json::from_slice(&asked.for_upstream("their \"name\"", limit)).unwrap()
    }

    #[test]
    fn a_request_is_passed_on_with_nothing_changed_but_what_must_be() {
        let body = json!({"unknown": {"model": "x"}, "model": "small", "messages": [], "temperature": 0.5});
        let mut expected = body.clone();
        expected["model"] = "their \"name\"".into();
        assert_eq!(sent(&body, None), expected);
        expected["max_tokens"] = 7.into();
        assert_eq!(sent(&body, Some(("max_tokens", 7))), expected);
    }

    #[test]
    fn a_stream_always_asks_for_its_use() {
        let body = json!({"stream": true, "messages": [], "model": "small", "stream_options": {"other": 1}});
        assert_eq!(sent(&body, None)["stream_options"], json!({"other": 1, "include_usage": true}));
        let body = json!({"stream": true, "messages": [], "model": "small"});
        assert_eq!(sent(&body, None)["stream_options"], json!({"include_usage": true}));
        let body = json!({"messages": [], "model": "small", "max_tokens": null});
        assert_eq!(sent(&body, Some(("max_tokens", 9)))["max_tokens"], 9);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for body in [
            r#"{"model":"dear","model":"cheap","messages":[]}"#,
            r#"{"model":"dear","mod\u0065l":"cheap","messages":[]}"#,
            r#"{"model":"a","messages":[],"max_tokens":1,"max_tokens":100000}"#,
            r#"{"model":"a","messages":[],"max_tokens":-1}"#,
            r#"{"model":"a","messages":[],"max_tokens":1.5}"#,
            r#"{"model":"a","messages":[],"n":0}"#,
            r#"{"model":"a","messages":[],"n":1000000}"#,
            r#"{"model":7,"messages":[]}"#,
            r#"{"model":"a","messages":{}}"#,
            r#"{"model":"a"}"#,
            "[]",
            "",
        ] {
            assert!(Asked::read(body.to_owned().into()).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn other_fields_arrive_as_they_were(text in ".{0,40}", number in any::<i64>(), stream in any::<bool>()) {
            let body = json!({"a": text, "model": "m", "b": [number, {"c": null}], "messages": [{"content": text}], "stream": stream, "z": text});
            let mut arrived = sent(&body, Some(("max_completion_tokens", 5)));
            prop_assert_eq!(arrived.as_object_mut().unwrap().remove("stream_options").is_some(), stream);
            arrived.as_object_mut().unwrap().remove("max_completion_tokens");
            arrived["model"] = "m".into();
            prop_assert_eq!(arrived, body);
        }

        #[test]
        fn no_bytes_make_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Asked::read(bytes.into());
        }
    }
}
