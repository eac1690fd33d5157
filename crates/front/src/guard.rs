use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, COOKIE, HeaderMap, VARY,
};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use kontor_types::Code;

use crate::{Asked, Class, Failure, Surface, idempotency};

/// Holds one route to the limits of its class, and says who may keep or read its answers.
pub async fn guard(class: Class, mut request: Request, next: Next) -> Response {
    let Some(asked) = request.extensions().get::<Arc<Asked>>().cloned() else {
        return Failure::new(Code::Internal, "the request came past the front").into_response();
    };
    let standing = match asked.hub.limiter.count(class, &asked) {
        Ok(standing) => standing,
        Err(failure) => return failure.into_response(),
    };
    let (most, patience) = bounds(class, &asked);
    if declared(request.headers()).is_some_and(|length| length > most as u64) {
        return Failure::new(Code::TooLarge, format!("the body is larger than {most} bytes")).into_response();
    }
    DefaultBodyLimit::max(most).apply(&mut request);
    let readable = is_public_read(&asked, &request);
    let run = idempotency::run(&asked, class, most, request, next);
    let mut response = tokio::time::timeout(patience, run).await.unwrap_or_else(|_| {
        Failure::new(Code::Unavailable, "the answer took too long").retry_after(Duration::from_secs(5)).into_response()
    });
    let headers = response.headers_mut();
    if let Some(standing) = standing {
        standing.write(headers);
    }
    if class == Class::SignIn {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    } else if readable {
        share(headers);
    }
    response
}

fn bounds(class: Class, asked: &Asked) -> (usize, Duration) {
    let (sizes, times) = (asked.hub.config.sizes, asked.hub.config.times);
    match class {
        Class::Upload | Class::Import => (sizes.upload, times.upload),
        Class::Model => (sizes.model, times.model),
        _ => (sizes.small, times.answer),
    }
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether any page may read the answer: it went to nobody in particular.
fn is_public_read(asked: &Asked, request: &Request<Body>) -> bool {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let headers = request.headers();
    let credentials = headers.contains_key(AUTHORIZATION) || headers.contains_key(COOKIE);
    safe && asked.surface != Surface::Page && asked.caller.person.is_none() && !credentials
}

/// Lets pages of other sites read the answer, and tells caches what it depends on.
fn share(headers: &mut HeaderMap) {
    headers.entry(ACCESS_CONTROL_ALLOW_ORIGIN).or_insert(HeaderValue::from_static("*"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    headers.entry(VARY).or_insert(HeaderValue::from_static("authorization, cookie"));
}
