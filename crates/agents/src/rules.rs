//! A reader of requests that is no model: a few rules, so that an errand can be tried without a provider. It understands short
//! requests of the form of the examples, in English and Chinese, and says plainly that it is not more than that.

use serde_json::{Value, json};

use crate::said::Said;
use crate::{offers, wish};

/// The name under which it answers; it promises nothing.
pub const NAME: &str = "rules-without-a-model";

/// Things that are called otherwise in the other language.
const NAMES: &[(&str, &str)] = &[
    ("milk tea", "奶茶"),
    ("tea", "茶"),
    ("coffee", "咖啡"),
    ("cake", "蛋糕"),
    ("umbrella", "雨伞"),
    ("notebook", "笔记本"),
];
const OPENINGS: &[&str] = &[
    "please",
    "can you",
    "could you",
    "order",
    "buy",
    "get",
    "bring",
    "find",
    "i want",
    "i'd like",
    "me",
    "us",
    "a",
    "an",
    "one",
    "some",
    "cup of",
];
const LIMITS: &[&str] = &[" under ", " below ", " for at most ", " at most ", " up to ", " for less than ", " for "];
const HAN_OPENINGS: &[&str] =
    &["请", "帮我", "给我", "我想", "要", "点", "买", "订", "来", "一杯", "一份", "一个", "一把", "杯", "份"];
const HAN_LIMITS: &[&str] = &["以内的", "以内", "以下的", "以下", "之内的", "不超过", "块", "元", "的"];

/// The answer to a chat completion of an errand, as an OpenAI-compatible server gives it.
pub fn answer(request: &Value) -> Value {
    let tool = request.pointer("/tools/0/function/name").and_then(Value::as_str).unwrap_or_default();
    let text = request.pointer("/messages/1/content").and_then(Value::as_str).unwrap_or_default();
    let arguments = match tool {
        wish::TOOL => read(&fenced(text)),
        offers::PICK => json!({
            "offer": request.pointer("/tools/0/function/parameters/properties/offer/enum/0").cloned().unwrap_or_default(),
            "reason": "the first of the comparison"
        }),
        _ => {
            return completion(
                &json!({"role": "assistant", "content": "This is no model; it answers only the calls of an errand."}),
                "stop",
            );
        }
    };
    let call =
        json!({"id": "call_1", "type": "function", "function": {"name": tool, "arguments": arguments.to_string()}});
    completion(&json!({"role": "assistant", "content": null, "tool_calls": [call]}), "tool_calls")
}

fn completion(message: &Value, reason: &str) -> Value {
    json!({
        "id": "chatcmpl-rules", "object": "chat.completion", "created": 0, "model": NAME,
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    })
}

/// What stands between the first two equal lines.
fn fenced(text: &str) -> String {
    let mut lines = text.lines();
    let fence = lines.next().unwrap_or_default();
    lines.take_while(|line| *line != fence).collect::<Vec<_>>().join(" ")
}

/// Reads a request.
pub fn read(request: &str) -> Value {
    let is_han = request.chars().any(|char| matches!(char, '\u{3400}'..='\u{9fff}'));
    let said = Said::of(request);
    let (thing, place, note) = if is_han { chinese(request) } else { english(request) };
    if thing.is_empty() {
        return json!({"kind": "other", "reason": "these rules find nothing in it that could be bought"});
    }
    let limit = said.amounts.iter().min_by_key(|money| money.minor);
    let limit = limit.map(|money| json!({"amount": money.amount(), "currency": money.currency}));
    json!({"kind": "buy", "words": named(&thing), "quantity": 1, "limit": limit, "deliver_to": place, "note": note})
}

/// A thing by its names in both languages.
fn named(thing: &str) -> Vec<String> {
    let known = NAMES.iter().find(|(en, zh)| thing.contains(en) || thing.contains(zh));
    known.map_or_else(|| vec![thing.to_owned()], |(en, zh)| vec![(*en).to_owned(), (*zh).to_owned()])
}

fn english(request: &str) -> (String, Option<String>, Option<String>) {
    let text = request.to_lowercase();
    let text = text.trim().trim_end_matches(['.', '!', '?']);
    let (text, note) = match text.split_once(", ") {
        Some((text, note)) => (text, Some(note.trim().to_owned())),
        None => (text, None),
    };
    let (text, place) = match text.rsplit_once(" to ") {
        Some((text, place)) => (text, Some(cut(place).to_owned())),
        None => (text, None),
    };
    let mut thing = cut(text).trim();
    while let Some(rest) = OPENINGS.iter().find_map(|word| thing.strip_prefix(word)?.strip_prefix(' ')) {
        thing = rest.trim_start();
    }
    (thing.to_owned(), place, note)
}

/// What stands before the words that begin a limit.
fn cut(text: &str) -> &str {
    let end = LIMITS.iter().filter_map(|word| text.find(word)).min().unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

fn chinese(request: &str) -> (String, Option<String>, Option<String>) {
    let text = request.trim().trim_end_matches(['。', '！', '？']);
    let (text, note) = match text.split_once(['，', ',']) {
        Some((text, rest)) if !rest.contains('送') => (text.to_owned(), Some(rest.trim().to_owned())),
        _ => (text.replace(['，', ','], ""), None),
    };
    let (text, place) = match ["送到", "送去", "送至"].iter().find_map(|word| text.split_once(word)) {
        Some((text, place)) => (text.to_owned(), Some(place.trim().to_owned())),
        None => (text, None),
    };
    let digit = |char: char| {
        char.is_ascii_digit() || matches!(char, '.' | '¥' | '￥') || "零一二两三四五六七八九十百千".contains(char)
    };
    let mut thing = text.as_str();
    loop {
        let before = thing;
        for word in HAN_OPENINGS.iter().chain(HAN_LIMITS) {
            thing = thing.strip_prefix(word).unwrap_or(thing);
        }
        thing = thing.trim_start_matches(digit).trim_start();
        if thing == before {
            break;
        }
    }
    (thing.trim().to_owned(), place, note)
}
