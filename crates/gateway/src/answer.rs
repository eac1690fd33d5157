use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Cost;

/// More tokens than any call has: what claims more counts as this.
const MOST_TOKENS: u64 = 1_000_000_000;

/// Tokens of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens sent.
    pub prompt: u64,
    /// Of these, tokens that the upstream had at hand.
    pub cached: u64,
    /// Tokens received.
    pub completion: u64,
    /// Whether nobody told us and we counted ourselves.
    pub estimated: bool,
}

/// What a model said, and what that took.
#[derive(Debug, Clone)]
pub struct ChatAnswer {
    /// The whole answer, as the upstream gave it.
    pub body: Value,
    /// The model as it was asked for.
    pub model: String,
    /// Who answered: `provider/model`.
    pub upstream: String,
    /// Tokens.
    pub usage: Usage,
    /// What it cost, if the model has a price.
    pub cost: Option<Cost>,
    /// How many requests it took.
    pub attempts: u32,
}

/// A tool that the model wants called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// Its id, for the message with the result.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments as the model wrote them: JSON, if it did well.
    pub arguments: String,
}

impl ChatAnswer {
    /// The text of the first choice; empty when there is none.
    pub fn text(&self) -> &str {
        self.message().and_then(|message| message.get("content")).and_then(Value::as_str).unwrap_or_default()
    }

    /// The tools that the first choice wants called.
    pub fn tool_calls(&self) -> Vec<ToolCall> {
        let calls = self.message().and_then(|message| message.get("tool_calls")).and_then(Value::as_array);
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let calls = calls.map(Vec::as_slice).unwrap_or_default().iter();
        calls
            .map(|call| ToolCall {
                id: text(call.get("id")),
                name: text(call.pointer("/function/name")),
                arguments: text(call.pointer("/function/arguments")),
            })
            .collect()
    }

    /// Why the first choice ended; empty when it does not say.
    pub fn finish_reason(&self) -> &str {
        self.body.pointer("/choices/0/finish_reason").and_then(Value::as_str).unwrap_or_default()
    }

    fn message(&self) -> Option<&Value> {
        self.body.pointer("/choices/0/message")
    }
}

#[derive(Deserialize)]
struct UsageText {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<Details>,
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u64>,
}

impl Usage {
    /// Reads a `usage` object; none when it does not have what is needed.
    pub(crate) fn read(raw: &RawValue) -> Option<Self> {
        let text: UsageText = serde_json::from_str(raw.get()).ok()?;
        let most = |tokens: u64| tokens.min(MOST_TOKENS);
        let cached = text.prompt_tokens_details.and_then(|details| details.cached_tokens);
        Some(Self {
            prompt: most(text.prompt_tokens?),
            cached: most(cached.or(text.prompt_cache_hit_tokens).unwrap_or_default()),
            completion: most(text.completion_tokens?),
            estimated: false,
        })
    }
}
