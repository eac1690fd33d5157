use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kontor_access::Caller;
use kontor_types::{Code, Problem};
use kontor_wire::{Finding, Match, ProblemBody};
use serde_json::{Value, json};

use crate::Surface;

mod openai;
mod service;

pub use openai::openai_error;
pub use service::finding;

/// Makes the page that tells a reader with these headers of a failure; the text is the failure's own.
pub type FailurePage = fn(&HeaderMap, &Caller, &Failure, &str) -> Response;

/// Codes of JSON-RPC.
const INVALID_REQUEST: i32 = -32_600;
const INTERNAL_ERROR: i32 = -32_603;

/// Why a request got no answer; how it looks depends on the surface that was asked.
#[derive(Debug, Clone)]
pub struct Failure(Box<Facts>);

#[derive(Debug, Clone)]
struct Facts {
    problem: Problem,
    matches: Vec<Match>,
    findings: Vec<Finding>,
    retry_after: Option<Duration>,
    cause: Option<String>,
}

impl Failure {
    /// A failure with a code and what happened.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }

    /// Nothing is here, or nothing that the caller may see.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "there is nothing at this address that you may see")
    }

    /// A parameter or a body breaks a rule.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, detail)
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.problem.hint = Some(hint.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Names the skills that fit an ambiguous name.
    #[must_use]
    pub fn matches(mut self, matches: Vec<Match>) -> Self {
        self.0.matches = matches;
        self
    }

    /// Says what a refused package does wrong.
    #[must_use]
    pub fn findings(mut self, findings: Vec<Finding>) -> Self {
        self.0.findings = findings;
        self
    }

    /// Keeps what went wrong inside, for the log only.
    #[must_use]
    pub fn cause(mut self, error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            source = inner.source();
        }
        self.0.cause = Some(text);
        self
    }

    /// The stable name.
    pub fn code(&self) -> Code {
        self.0.problem.code
    }

    /// What the user is told.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// The status of its answer.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn body(&self, request_id: &str) -> ProblemBody {
        let code = self.0.problem.code;
        ProblemBody {
            kind: format!("urn:kontor:error:{code}"),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail: self.0.problem.detail.clone(),
            hint: self.0.problem.hint.clone().or_else(|| remedy(code).map(str::to_owned)),
            request_id: Some(request_id.to_owned()),
            matches: self.0.matches.clone(),
            findings: self.0.findings.clone(),
        }
    }

    /// Plain text that clients show as it is.
    fn text(&self, request_id: &str) -> String {
        if self.0.problem.code == Code::SkillNotFound {
            // Exactly these words tell foreign clients that a name is free.
            return "Skill not found".to_owned();
        }
        let detail = &self.0.problem.detail;
        let hint = self.0.problem.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        if self.status().is_server_error() {
            return format!("{detail}{hint} (request {request_id})");
        }
        format!("{detail}{hint}")
    }

    /// An error of JSON-RPC that answers no message in particular: it was refused before it was read.
    fn message(&self, request_id: &str) -> Value {
        let code = if self.status().is_server_error() { INTERNAL_ERROR } else { INVALID_REQUEST };
        let error = json!({ "code": code, "message": self.text(request_id), "data": self.body(request_id) });
        json!({ "jsonrpc": "2.0", "error": error })
    }

    /// What to do next, where there is something.
    pub fn hinted(&self) -> Option<&str> {
        self.0.problem.hint.as_deref().or_else(|| remedy(self.0.problem.code))
    }

    /// The skills that fit an ambiguous name.
    pub fn named(&self) -> &[Match] {
        &self.0.matches
    }

    /// Logs what failed inside, once, where the answer is made.
    pub fn log(&self) {
        if self.status().is_server_error() {
            let code = self.0.problem.code.as_str();
            tracing::error!(code, cause = self.0.cause.as_deref(), "a request failed: {}", self.0.problem.detail);
        }
    }

    pub(crate) fn render(
        &self,
        surface: Surface,
        page: impl FnOnce(&Self, &str) -> Response,
        request_id: &str,
    ) -> Response {
        self.log();
        let mut response = match surface {
            Surface::Native => {
                let body = serde_json::to_vec(&self.body(request_id)).unwrap_or_default();
                let kind = HeaderValue::from_static("application/problem+json");
                (self.status(), [(CONTENT_TYPE, kind)], body).into_response()
            }
            Surface::Text => (self.status(), self.text(request_id)).into_response(),
            Surface::Mcp => (self.status(), Json(self.message(request_id))).into_response(),
            Surface::OpenAi => openai::render(self),
            Surface::Page => page(self, &self.text(request_id)),
        };
        if let Some(wait) = self.0.retry_after {
            // Rounded up: who waits that long is not early.
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What to do next, where whoever failed did not say.
const fn remedy(code: Code) -> Option<&'static str> {
    match code {
        Code::WrongOrigin => Some("ask under the hub's public address, from a page of the hub or from no page"),
        Code::NotFound => Some("check the address; what is not public needs a token that may see it"),
        Code::FileNotFound => Some("the list of the version's files has their exact paths"),
        Code::MethodNotAllowed => Some("use one of the methods in the Allow header"),
        Code::UnsupportedMediaType => {
            Some("send JSON as application/json, an archive as application/zip, a form as a browser does")
        }
        Code::TooLarge => Some("send less, or ask the hub's operator to allow more"),
        Code::Internal => Some("try again; when it fails again, give the request id to the hub's operator"),
        Code::Unavailable => Some("try again in a moment"),
        _ => None,
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(Facts { problem, matches: Vec::new(), findings: Vec::new(), retry_after: None, cause: None }))
    }
}

/// Carries the failure to where the surface is known.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
