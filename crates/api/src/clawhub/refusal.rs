//! Errors as ClawHub clients show them: plain text, verbatim.

use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kontor_types::{Code, SkillRef};
use serde_json::json;

use crate::extract::Json;
use crate::{Failure, Hub};

/// Why a request got no answer.
#[derive(Debug)]
pub struct Refusal(Kind);

#[derive(Debug)]
enum Kind {
    Failure(Failure),
    Ambiguous { message: String, matches: Vec<(SkillRef, String)> },
}

impl Refusal {
    /// The one answer for every skill that is not there, deleted or hidden; clients look for these words.
    pub fn skill_not_found() -> Self {
        Failure::new(Code::SkillNotFound, "Skill not found").into()
    }

    /// The one answer for every version that is not there or hidden.
    pub fn version_not_found() -> Self {
        Failure::new(Code::VersionNotFound, "Version not found").into()
    }

    /// Something else that is not there.
    pub fn not_found(text: impl Into<String>) -> Self {
        Failure::new(Code::NotFound, text).into()
    }

    /// Something is wrong with the request.
    pub fn invalid(text: impl Into<String>) -> Self {
        Failure::invalid(text).into()
    }

    /// Something that is no longer to be had.
    pub fn gone(text: impl Into<String>) -> Self {
        Failure::new(Code::Gone, text).into()
    }

    /// Whether the hub failed, and not the request.
    pub fn is_fault(&self) -> bool {
        matches!(&self.0, Kind::Failure(failure) if failure.code().status() >= 500)
    }

    /// What a verb of the registry says; a bare slug that fits several skills names them.
    pub fn of(hub: &Hub, error: kontor_registry::Error) -> Self {
        match error {
            kontor_registry::Error::AmbiguousSlug { ref matches, ref slug } if matches.len() > 1 => {
                let message = format!("Several publishers have a skill named {slug}: name one of them.");
                let matches = matches.iter().map(|skill| (skill.clone(), hub.absolute(&format!("/{skill}")))).collect();
                Self(Kind::Ambiguous { message, matches })
            }
            kontor_registry::Error::SkillNotFound { .. } => Self::skill_not_found(),
            kontor_registry::Error::VersionNotFound { .. } => Self::version_not_found(),
            other => Self(Kind::Failure(other.into())),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self(Kind::Failure(failure))
    }
}

impl From<kontor_access::Error> for Refusal {
    fn from(error: kontor_access::Error) -> Self {
        Failure::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (message, matches) = match self.0 {
            Kind::Failure(failure) => return failure.into_response(),
            Kind::Ambiguous { message, matches } => (message, matches),
        };
        let matches: Vec<_> = matches
            .iter()
            .map(|(skill, url)| {
                json!({ "ownerHandle": skill.publisher, "slug": skill.slug, "ref": skill.to_string(), "url": url })
            })
            .collect();
        let body = json!({ "code": "AMBIGUOUS_SKILL_SLUG", "message": message, "matches": matches });
        let keeping = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        (StatusCode::CONFLICT, keeping, Json(body)).into_response()
    }
}
