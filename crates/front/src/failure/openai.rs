//! Errors as clients of OpenAI read them.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::Failure;

/// A failure in front of the gateway, in OpenAI's form.
pub fn render(failure: &Failure) -> Response {
    openai_error(failure.status(), &failure.problem().detail, failure.hinted(), failure.code().as_str(), None)
}

/// An error in OpenAI's form: what happened, what to do next, its stable name, and which parameter is wrong.
pub fn openai_error(status: StatusCode, detail: &str, hint: Option<&str>, code: &str, param: Option<&str>) -> Response {
    let message = hint.map_or_else(|| detail.to_owned(), |hint| format!("{detail}; {hint}"));
    let kind = match status.as_u16() {
        401 => "authentication_error",
        402 => "insufficient_quota",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    let error = json!({ "message": message, "type": kind, "param": param, "code": code });
    (status, axum::Json(json!({ "error": error }))).into_response()
}
