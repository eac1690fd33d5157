//! Answers to requests that carried an idempotency key: the same request again gets the same answer and does nothing.

use std::collections::{HashMap, VecDeque};

use kontor_types::Digest;
use serde_json::Value;

use crate::sell::Answer;

/// Answers that are kept; the oldest is forgotten first.
const MOST: usize = 10_000;
/// The longest key.
const LONGEST: usize = 255;

#[derive(Debug, Default)]
pub struct Repeats {
    answers: HashMap<(String, String), (Digest, Answer)>,
    order: VecDeque<(String, String)>,
}

impl Repeats {
    /// The answer that was given to this request, or a refusal of the key; nothing when the request is new.
    pub fn answer(&self, path: &str, key: Option<&str>, body: &Value) -> Option<Answer> {
        let Some(key) = key else {
            return Some(Answer::refused(400, "idempotency_key_missing", "give an Idempotency-Key"));
        };
        if key.is_empty() || key.len() > LONGEST {
            return Some(Answer::refused(400, "idempotency_key_invalid", "an Idempotency-Key has 1 to 255 bytes"));
        }
        let (digest, answer) = self.answers.get(&(path.to_owned(), key.to_owned()))?;
        if *digest == digest_of(body) {
            return Some(answer.clone());
        }
        Some(Answer::refused(422, "idempotency_conflict", "the Idempotency-Key was used for another request"))
    }

    /// Keeps an answer; one that says that something failed inside is not kept.
    pub fn keep(&mut self, path: &str, key: &str, body: &Value, answer: &Answer) {
        if answer.status >= 500 || answer.status == 202 {
            return;
        }
        let place = (path.to_owned(), key.to_owned());
        if self.answers.insert(place.clone(), (digest_of(body), answer.clone())).is_none() {
            self.order.push_back(place);
        }
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }

    pub fn forget(&mut self, path: &str, key: &str) {
        self.answers.remove(&(path.to_owned(), key.to_owned()));
    }
}

/// Of what the body means: the order of names in it does not count.
fn digest_of(body: &Value) -> Digest {
    fn put(value: &Value, into: &mut String) {
        match value {
            Value::Object(map) => {
                let mut names: Vec<&String> = map.keys().collect();
                names.sort();
                into.push('{');
                for name in names {
                    into.push_str(&Value::from(name.as_str()).to_string());
                    into.push(':');
                    put(&map[name], into);
                    into.push(',');
                }
                into.push('}');
            }
            Value::Array(items) => {
                into.push('[');
                for item in items {
                    put(item, into);
                    into.push(',');
                }
                into.push(']');
            }
            other => into.push_str(&other.to_string()),
        }
    }
    let mut text = String::new();
    put(body, &mut text);
    Digest::of(text.as_bytes())
}
