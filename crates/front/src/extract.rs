//! Parameters and bodies, read into types; what cannot be read is a [`Failure`] like any other.

use axum::extract::rejection::{FormRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use kontor_types::{Code, PageSize};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Failure, Hub};

/// A JSON body, or a JSON answer.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

/// A JSON body that may be left out.
#[derive(Debug, Clone)]
pub struct MaybeJson<T>(pub T);

/// The fields of an HTML form.
#[derive(Debug, Clone)]
pub struct Form<T>(pub T);

/// Parameters in the query.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

/// Parameters in the path.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Hub> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, hub: &Hub) -> Result<Self, Failure> {
        let axum::Json(value) = axum::Json::from_request(request, hub).await?;
        Ok(Self(value))
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Hub> for MaybeJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, hub: &Hub) -> Result<Self, Failure> {
        let body = axum::body::Bytes::from_request(request, hub).await;
        let body = body.map_err(|error| unreadable(error.status(), &error.body_text()))?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        let value = serde_json::from_slice(&body);
        value.map(Self).map_err(|error| Failure::invalid(format!("the body is not what is expected here: {error}")))
    }
}

impl<T: DeserializeOwned> FromRequest<Hub> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, hub: &Hub) -> Result<Self, Failure> {
        let axum::Form(value) = axum::Form::from_request(request, hub).await?;
        Ok(Self(value))
    }
}

impl<T: DeserializeOwned> FromRequestParts<Hub> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Failure> {
        let axum::extract::Query(value) = axum::extract::Query::from_request_parts(parts, hub).await?;
        Ok(Self(value))
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Hub> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Failure> {
        let axum::extract::Path(value) = axum::extract::Path::from_request_parts(parts, hub).await?;
        Ok(Self(value))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        unreadable(rejection.status(), &rejection.body_text())
    }
}

impl From<FormRejection> for Failure {
    fn from(rejection: FormRejection) -> Self {
        unreadable(rejection.status(), &rejection.body_text())
    }
}

impl From<QueryRejection> for Failure {
    fn from(rejection: QueryRejection) -> Self {
        unreadable(rejection.status(), &rejection.body_text())
    }
}

/// A path that cannot be read names nothing, so it is answered like any unknown name.
impl From<PathRejection> for Failure {
    fn from(_: PathRejection) -> Self {
        Self::not_found()
    }
}

/// How many items a page shall have; more than allowed is as many as allowed.
pub fn page_size(limit: Option<u32>) -> PageSize {
    limit.map_or_else(PageSize::default, PageSize::clamped)
}

fn unreadable(status: StatusCode, text: &str) -> Failure {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::new(Code::TooLarge, "the body is larger than allowed here"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Failure::new(Code::UnsupportedMediaType, "the Content-Type is not the one expected here")
        }
        _ => Failure::invalid(sentence(text)),
    }
}

/// A library's message as a part of ours: first letter small, no full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
