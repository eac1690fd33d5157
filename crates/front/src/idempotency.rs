//! `Idempotency-Key` on writes of the native API: who asks again with the same key and request gets the first answer.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kontor_db::idempotency::{Answer, Claim, answer, claim, release};
use kontor_types::{Code, Digest, PersonId};
use serde::Serialize;

use crate::origin::is_safe;
use crate::{Asked, Class, Failure, Hub, Surface};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LONGEST_KEY: usize = 200;
/// How long an answer is kept.
const KEPT: Duration = Duration::from_hours(24);
/// After this long without an answer, the first request is given up for lost.
const PATIENCE: Duration = Duration::from_mins(10);
/// Larger answers are not kept.
const LARGEST_ANSWER: usize = 1024 * 1024;
/// Headers that belong to an answer's meaning.
const HEADERS: &[HeaderName] = &[CONTENT_TYPE, LOCATION, ETAG];
/// In place of a status: the answer was given, but is not kept.
const NOT_KEPT: u16 = 0;

/// A JSON answer, 201, that holds a secret: given once and never kept, not even for an idempotency key.
#[derive(Debug)]
pub struct Once<T>(pub T);

#[derive(Clone)]
struct HoldsSecret;

/// The person and the key that a request came with, when it was taken for it: the extractor for handlers that keep their
/// answer in the transaction of their deed.
#[derive(Debug, Clone, Default)]
pub struct Keyed(pub Option<(PersonId, String)>);

impl FromRequestParts<Hub> for Keyed {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Hub) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

impl<T: Serialize> IntoResponse for Once<T> {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::CREATED, Json(self.0)).into_response();
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        response.extensions_mut().insert(HoldsSecret);
        response
    }
}

/// Runs a request, or answers from memory when its key and content were seen before.
pub async fn run(asked: &Asked, class: Class, most: usize, request: Request, next: Next) -> Response {
    let key = request.headers().get(KEY).cloned();
    let person = asked.caller.person_id();
    let writes = class != Class::Read && !is_safe(request.method());
    let money = asked.surface == Surface::Native && writes && is_money(request.uri().path());
    match (key, person) {
        (None, Some(_)) if money => Failure::invalid("a write about money needs an Idempotency-Key")
            .hint("make a key of your own for each new request, and give the same one when you repeat it")
            .into_response(),
        (Some(key), Some(person)) if asked.surface == Surface::Native && writes && !is_secret(request.uri().path()) => {
            keyed(asked, person, &key, most, request, next).await.unwrap_or_else(Failure::into_response)
        }
        _ => next.run(request).await,
    }
}

/// Whether money may move: then a repetition must be known as one.
fn is_money(path: &str) -> bool {
    let path = path.strip_prefix(kontor_wire::BASE).unwrap_or(path);
    ["/purse", "/mandates", "/checkouts"]
        .iter()
        .any(|theme| path.strip_prefix(theme).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Whether the body may be a secret's value: a digest of it, kept for comparing, would let whoever has the database guess it.
fn is_secret(path: &str) -> bool {
    let path = path.strip_prefix(kontor_wire::BASE).unwrap_or(path);
    path == "/me/password" || path.starts_with("/publishers/") && path.contains("/secrets")
}

async fn keyed(
    asked: &Asked,
    person: PersonId,
    key: &HeaderValue,
    most: usize,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let key = read_key(key)?;
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, most)
        .await
        .map_err(|_| Failure::new(Code::TooLarge, format!("the body is cut off or larger than {most} bytes")))?;
    let fingerprint = fingerprint(&parts, &body);
    match take(asked, person, key.clone(), fingerprint).await? {
        Claim::Ours => {}
        Claim::Running => {
            return Err(Failure::new(Code::Conflict, "the same request is under way")
                .hint("ask again in a moment with the same key")
                .retry_after(Duration::from_secs(1)));
        }
        Claim::Mismatch => {
            let code = if is_money(parts.uri.path()) { Code::KeyConflict } else { Code::IdempotencyMismatch };
            return Err(Failure::new(code, "this idempotency key was used for another request")
                .hint("use a new key for each new request"));
        }
        Claim::Answered(Answer { status: NOT_KEPT, .. }) => {
            return Err(Failure::new(Code::Conflict, "this request was done, but its answer is not kept")
                .hint("look up what it made; a secret is shown once only"));
        }
        Claim::Answered(answer) => return Ok(replay(answer)),
    }
    parts.extensions.insert(Keyed(Some((person, key.clone()))));
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    keep(asked, person, key, response).await
}

fn read_key(key: &HeaderValue) -> Result<String, Failure> {
    let text = key.to_str().ok().filter(|text| (1..=LONGEST_KEY).contains(&text.len()));
    text.map(str::to_owned)
        .ok_or_else(|| Failure::invalid(format!("an idempotency key has 1 to {LONGEST_KEY} visible ASCII characters")))
}

fn fingerprint(parts: &Parts, body: &Bytes) -> Digest {
    let kind = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let target = parts.uri.path_and_query().map(axum::http::uri::PathAndQuery::as_str).unwrap_or_default();
    let head = [parts.method.as_str().as_bytes(), target.as_bytes(), kind];
    // Digests of fixed length stand for the parts, so no two requests run together into one text.
    let mut text = String::new();
    for part in head {
        text.push_str(&Digest::of(part).hex());
    }
    text.push_str(&Digest::of(body).hex());
    Digest::of(text.as_bytes())
}

async fn take(asked: &Asked, person: PersonId, key: String, request: Digest) -> Result<Claim, Failure> {
    let app = &asked.hub.app;
    let now = app.clock.now();
    let limits = (now.after(KEPT), now.before(PATIENCE));
    let unit = app.db.write(move |tx| Box::pin(async move { claim(tx, person, &key, &request, now, limits).await }));
    unit.await.map_err(Failure::from)
}

/// Keeps a good answer and gives back the key of a bad one: nothing was done then.
async fn keep(asked: &Asked, person: PersonId, key: String, response: Response) -> Result<Response, Failure> {
    let db = &asked.hub.app.db;
    if !response.status().is_success() && !response.status().is_redirection() {
        db.write(move |tx| Box::pin(async move { release(tx, person, &key).await })).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX)
        .await
        .map_err(|error| Failure::new(Code::Internal, "the answer broke off").cause(&error))?;
    let secret = parts.extensions.get::<HoldsSecret>().is_some();
    let kept = if secret || body.len() > LARGEST_ANSWER {
        Answer { status: NOT_KEPT, headers: Vec::new(), body: Vec::new() }
    } else {
        Answer { status: parts.status.as_u16(), headers: kept_headers(&parts.headers), body: body.to_vec() }
    };
    db.write(move |tx| Box::pin(async move { answer(tx, person, &key, &kept).await })).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let value = |name: &HeaderName| Some((name.to_string(), headers.get(name)?.to_str().ok()?.to_owned()));
    HEADERS.iter().filter_map(value).collect()
}

fn replay(answer: Answer) -> Response {
    let mut response = Body::from(answer.body).into_response();
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
