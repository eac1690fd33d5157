use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use kontor_access::Caller;
use kontor_types::Code;
use tracing::Instrument as _;

use crate::asked::{bearer, caller, session_cookie};
use crate::failure::FailurePage;
use crate::{Asked, Failure, Hub, Surface, address, measure, origin, request_id};

/// Lets a request in: names it, finds out where it comes from and who asks, runs it, and finishes the answer.
pub async fn enter(State((hub, page)): State<(Hub, FailurePage)>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (mut parts, body) = request.into_parts();
    let id = request_id::of(&parts.headers);
    let surface = Surface::of(parts.uri.path(), &parts.headers);
    // Only a page is made in its reader's language.
    let asked_with = if surface == Surface::Page { parts.headers.clone() } else { HeaderMap::new() };
    let matched = parts.extensions.get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let method = method_name(&parts.method);
    let span = tracing::info_span!("request", request.id = id, http.method = method, http.route = route);
    let mut response = async {
        match admit(&hub, &parts, surface, &id).await {
            Ok(asked) => {
                let private = asked.caller.person.is_some() || asked.session.is_some();
                let asked = Arc::new(asked);
                parts.extensions.insert(Arc::clone(&asked));
                let answer = handle(next, Request::from_parts(parts, body)).await;
                let page = |failure: &Failure, text: &str| page(&asked_with, &asked.caller, failure, text);
                finish(answer, surface, page, &id, private)
            }
            Err(failure) => {
                let page = |failure: &Failure, text: &str| page(&asked_with, &Caller::anonymous(), failure, text);
                finish(failure.into_response(), surface, page, &id, true)
            }
        }
    }
    .instrument(span.clone())
    .await;
    if let Ok(value) = HeaderValue::try_from(&id) {
        response.headers_mut().insert(request_id::HEADER, value);
    }
    let (status, took) = (response.status().as_u16(), started.elapsed());
    measure::request(method, route, status, took);
    span.in_scope(|| tracing::debug!(http.status = status, duration_ms = took.as_secs_f64() * 1e3, "answered"));
    response
}

/// Runs the rest; a panic there ends this request and nothing else.
async fn handle(next: Next, request: Request) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| Failure::new(Code::Internal, "the hub failed").into_response())
}

async fn admit(hub: &Hub, parts: &Parts, surface: Surface, id: &str) -> Result<Asked, Failure> {
    let (headers, method) = (&parts.headers, &parts.method);
    let from = address::of(parts, &hub.config.trusted_proxies);
    if !is_probe(parts.uri.path()) {
        origin::check_host(&hub.config, parts, from.by_proxy)?;
    }
    let sender = origin::sender(&hub.config, headers);
    let credentials = bearer(headers).is_some() || session_cookie(&hub.config, headers).is_some();
    origin::check_sender(sender, method, headers, credentials)?;
    let found = caller(hub, headers, method, surface, sender).await;
    if found.as_ref().is_err_and(|failure| failure.code() == Code::Unauthenticated) {
        hub.limiter.count_wrong_secret(from.client, from.is_local)?;
    }
    let (caller, session) = found?;
    let caller = caller.via(from.client, Some(id.to_owned()));
    let session = session.map(|(mut session, cookie)| {
        session.caller = caller.clone();
        (session, cookie)
    });
    Ok(Asked { hub: hub.clone(), caller, session, surface, is_local: from.is_local })
}

/// Probes of an orchestrator name whatever host they like.
fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// Renders a failure for the surface, and sets what every answer carries.
fn finish(
    mut response: Response,
    surface: Surface,
    page: impl FnOnce(&Failure, &str) -> Response,
    id: &str,
    private: bool,
) -> Response {
    let failure = response.extensions_mut().remove::<Arc<Failure>>().or_else(|| unspoken(&response, surface));
    if let Some(failure) = &failure {
        let carried = std::mem::take(response.headers_mut());
        response = failure.render(surface, page, id);
        add_missing(response.headers_mut(), carried);
    }
    let headers = response.headers_mut();
    headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    if private || failure.is_some() {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    if private {
        headers.remove(ACCESS_CONTROL_ALLOW_ORIGIN);
    }
    response
}

/// An error that a library made in its own words, where ours are promised.
fn unspoken(response: &Response, surface: Surface) -> Option<Arc<Failure>> {
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if surface != Surface::Native || kind == Some(b"application/problem+json".as_slice()) {
        return None;
    }
    let status = response.status();
    let failure = match status {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::new(Code::TooLarge, "the body is larger than allowed here"),
        StatusCode::RANGE_NOT_SATISFIABLE => return None,
        _ if status.is_server_error() => Failure::new(Code::Internal, "the hub failed"),
        _ if status.is_client_error() => Failure::invalid("the request cannot be read"),
        _ => return None,
    };
    Some(Arc::new(failure))
}

/// Keeps what inner layers said (limits, allowed methods) without undoing what the rendered answer says.
fn add_missing(headers: &mut HeaderMap, carried: HeaderMap) {
    for (name, value) in carried {
        if let Some(name) = name
            && name != axum::http::header::CONTENT_LENGTH
            && !headers.contains_key(&name)
        {
            headers.insert(name, value);
        }
    }
}

fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
