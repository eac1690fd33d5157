//! What an upstream's error means for the call and for what comes after it.

use std::time::Duration;

use serde_json::Value;

/// The longest wait that an upstream can ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// How long a key is left alone that was refused.
const KEY_REFUSED: Duration = Duration::from_mins(1);
/// How long a key is left alone whose money is gone.
const KEY_EMPTY: Duration = Duration::from_mins(5);
/// How long an upstream is left alone that asks for it without saying for how long.
const RATE_LIMITED: Duration = Duration::from_secs(5);

/// What to do after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The same once more; then the next.
    RetrySame,
    /// The next at once.
    FailOver,
    /// The next, and nothing with this key for a while.
    CoolKey(Duration),
    /// Nothing: the request itself is wrong.
    Fatal,
}

/// Codes that say that nobody pays for the key any more, whatever the status is.
const EMPTY: &[&str] = &[
    "insufficient_quota",
    "insufficient_balance",
    "billing_hard_limit_reached",
    "billing_not_active",
    "arrearage",
    "accountoverdueerror",
    "1113",
    "1008",
];
/// Codes of requests that no other provider should see either.
const FATAL: &[&str] = &[
    "context_length_exceeded",
    "content_filter",
    "content_policy_violation",
    "data_inspection_failed",
    "1301",
    "inputtextriskdetection",
];
/// Codes of models that this account lacks.
const ELSEWHERE: &[&str] = &["modelnotopen", "model_not_found", "invalid_model", "invalidendpointormodel.notfound"];
/// Codes of rates and of too much to do.
const RATE: &[&str] =
    &["rate_limit_exceeded", "rate_limited", "1302", "1305", "1312", "throttling", "1308", "1310", "1304"];

/// What to do after an answer with this status, code and `Retry-After`.
pub fn classify(status: u16, code: &str, wait: Option<Duration>) -> Class {
    let code = code.to_ascii_lowercase();
    let is = |codes: &[&str]| codes.contains(&code.as_str());
    let asked = wait.map(|wait| wait.min(LONGEST_WAIT));
    if is(EMPTY) || status == 402 {
        return Class::CoolKey(KEY_EMPTY);
    }
    if is(FATAL) {
        return Class::Fatal;
    }
    if is(RATE) || status == 429 {
        return Class::CoolKey(asked.unwrap_or(RATE_LIMITED));
    }
    match status {
        401 | 403 => Class::CoolKey(KEY_REFUSED),
        404 if is(ELSEWHERE) => Class::FailOver,
        503 | 529 => asked.map_or(Class::RetrySame, Class::CoolKey),
        // 200 is an error that came with the status of an answer.
        200 | 408 | 409 | 425 => Class::RetrySame,
        400..500 => Class::Fatal,
        _ => Class::RetrySame,
    }
}

/// The code in an error's body: of OpenAI's form, or one of those that others have.
pub fn code_of(body: &Value) -> Option<String> {
    let places = ["/error/code", "/error/type", "/code", "/base_resp/status_code", "/error_code"];
    let mut found = places.iter().filter_map(|place| body.pointer(place));
    found.find_map(|value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.as_i64() != Some(0) => Some(number.to_string()),
        _ => None,
    })
}

/// What an error's body says to people.
pub fn message_of(body: &Value) -> Option<&str> {
    let places = ["/error/message", "/message", "/base_resp/status_msg", "/error_msg", "/error"];
    places.iter().filter_map(|place| body.pointer(place)).find_map(Value::as_str)
}

/// `Retry-After` in seconds; dates are left to those who have the same clock.
pub fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    let seconds: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;
    use serde_json::json;

    use super::{Class, KEY_EMPTY, KEY_REFUSED, RATE_LIMITED, classify, code_of};

    #[rstest]
    #[case(500, "", None, Class::RetrySame)]
    #[case(502, "", None, Class::RetrySame)]
    #[case(529, "overloaded_error", None, Class::RetrySame)]
    #[case(503, "", Some(3), Class::CoolKey(Duration::from_secs(3)))]
    #[case(429, "", None, Class::CoolKey(RATE_LIMITED))]
    #[case(429, "rate_limit_exceeded", Some(7), Class::CoolKey(Duration::from_secs(7)))]
    #[case(429, "insufficient_quota", Some(1), Class::CoolKey(KEY_EMPTY))]
    #[case(429, "1113", None, Class::CoolKey(KEY_EMPTY))]
    #[case(400, "Arrearage", None, Class::CoolKey(KEY_EMPTY))]
    #[case(403, "AccountOverdueError", None, Class::CoolKey(KEY_EMPTY))]
    #[case(402, "", None, Class::CoolKey(KEY_EMPTY))]
    #[case(401, "invalid_api_key", None, Class::CoolKey(KEY_REFUSED))]
    #[case(404, "ModelNotOpen", None, Class::FailOver)]
    #[case(404, "", None, Class::Fatal)]
    #[case(400, "context_length_exceeded", None, Class::Fatal)]
    #[case(422, "", None, Class::Fatal)]
    #[case(451, "", None, Class::Fatal)]
    #[case(200, "1002", None, Class::RetrySame)]
    #[case(429, "", Some(100_000), Class::CoolKey(Duration::from_mins(10)))]
    fn errors_are_told_apart_by_status_and_code(
        #[case] status: u16,
        #[case] code: &str,
        #[case] wait: Option<u64>,
        #[case] class: Class,
    ) {
        assert_eq!(classify(status, code, wait.map(Duration::from_secs)), class);
    }

    #[test]
    fn codes_are_found_in_every_form() {
        for (body, code) in [
            (json!({"error": {"code": "a", "type": "b"}}), Some("a")),
            (json!({"error": {"code": null, "type": "b"}}), Some("b")),
            (json!({"error": {"code": 1113}}), Some("1113")),
            (json!({"code": 20012, "message": "x", "data": null}), Some("20012")),
            (json!({"base_resp": {"status_code": 1008}}), Some("1008")),
            (json!({"base_resp": {"status_code": 0}, "choices": []}), None),
            (json!("text"), None),
        ] {
            assert_eq!(code_of(&body).as_deref(), code, "{body}");
        }
    }
}
