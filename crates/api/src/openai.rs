//! Models as clients of OpenAI call them: chat completions and the list of models under `/openai/v1`.
//!
//! Only a bearer token says who asks; no cookie counts here. What a call is for comes in headers: `kontor-publisher` in whose
//! name, `kontor-run` and `kontor-errand`.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use kontor_front::openai_error;
use kontor_gateway::{Error, EventStream, Forwarded, ModelCard, Purpose};
use kontor_types::{Code, Handle};
use serde_json::{Value, json};

use crate::{Asker, Class, Failure, Hub, Routes};

/// A request that is held whole without counting.
const LARGE: usize = 256 * 1024;
const UPSTREAM: HeaderName = HeaderName::from_static("kontor-upstream");
/// Tells proxies not to wait for more before they pass an event on.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(&Method::POST, "/openai/v1/chat/completions", Class::Model, complete)
        .get("/openai/v1/models", list)
        .get("/openai/v1/models/{*id}", show)
}

/// `POST /openai/v1/chat/completions`
async fn complete(State(hub): State<Hub>, Asker(caller): Asker, request: Request) -> Result<Response, Failure> {
    // Before the body is looked at: whoever is nobody learns nothing of it.
    hub.app.gateway.check_caller(&caller).map_err(Failure::from)?;
    let purpose = purpose(request.headers())?;
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    // Large requests are held whole, so only some are read at a time.
    let _room = match length {
        Some(..LARGE) => None,
        _ => Some(hub.large_calls.acquire().await.map_err(|_| Failure::new(Code::Unavailable, "the hub stops"))?),
    };
    let body = Bytes::from_request(request, &hub).await;
    let body = body.map_err(|_| Failure::new(Code::TooLarge, "the request is larger than allowed here"))?;
    // In a box: it is large, and each layer around this would copy it.
    Ok(match Box::pin(hub.app.gateway.forward(&caller, &purpose, body)).await {
        Ok(Forwarded::Whole { body, upstream, .. }) => {
            let kind = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
            ([kind, told(&upstream)], body).into_response()
        }
        Ok(Forwarded::Stream(stream)) => events(stream),
        Err(error) => refused(&error),
    })
}

/// `GET /openai/v1/models`
async fn list(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Response, Failure> {
    hub.app.gateway.check_caller(&caller).map_err(Failure::from)?;
    let cards: Vec<Value> = hub.app.gateway.models().iter().map(card).collect();
    Ok(axum::Json(json!({ "object": "list", "data": cards })).into_response())
}

/// `GET /openai/v1/models/{id}`
async fn show(State(hub): State<Hub>, Asker(caller): Asker, Path(id): Path<String>) -> Result<Response, Failure> {
    hub.app.gateway.check_caller(&caller).map_err(Failure::from)?;
    Ok(match hub.app.gateway.model(&id) {
        Some(found) => axum::Json(card(&found)).into_response(),
        None => refused(&Error::ModelUnknown { model: id }),
    })
}

fn card(card: &ModelCard) -> Value {
    let owner = card.providers.first().map_or("", String::as_str);
    json!({ "id": card.id, "object": "model", "created": 0, "owned_by": owner, "providers": card.providers })
}

fn purpose(headers: &HeaderMap) -> Result<Purpose, Failure> {
    let text = |name: &'static str| {
        let value = headers.get(name).map(HeaderValue::to_str).transpose();
        value.map_err(|_| Failure::invalid(format!("the header {name} is no text")))
    };
    let publisher = match text("kontor-publisher")? {
        None => None,
        Some(name) => {
            let name: Result<Handle, _> = name.strip_prefix('@').unwrap_or(name).parse();
            Some(name.map_err(|_| Failure::invalid("the header kontor-publisher is no name of a publisher"))?)
        }
    };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Ok(Purpose { publisher, run: owned(text("kontor-run")?), errand: owned(text("kontor-errand")?) })
}

fn told(upstream: &str) -> (HeaderName, HeaderValue) {
    (UPSTREAM, HeaderValue::from_str(upstream).unwrap_or(HeaderValue::from_static("?")))
}

fn events(stream: Box<EventStream>) -> Response {
    let named = told(stream.upstream());
    let parts = futures::stream::unfold(stream, |mut stream| async move {
        let bytes = stream.next().await?;
        Some((Ok::<_, Infallible>(bytes), stream))
    });
    let kind = (CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    let fresh = (CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let unbuffered = (BUFFERING, HeaderValue::from_static("no"));
    ([kind, fresh, unbuffered, named], Body::from_stream(parts)).into_response()
}

/// A refusal of the gateway; what a provider said about the request itself goes through as it is.
fn refused(error: &Error) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_GATEWAY);
    if let Error::Refused { body, .. } = error {
        return (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.clone()).into_response();
    }
    let problem = error.problem();
    let param = match error {
        Error::Invalid { param, .. } => *param,
        Error::ModelUnknown { .. } | Error::PolicyForbids { .. } => Some("model"),
        _ => None,
    };
    if status.is_server_error() {
        tracing::error!(error = error as &dyn std::error::Error, code = error.code(), "a call of a model failed");
    }
    let mut response = openai_error(status, &problem.detail, problem.hint.as_deref(), error.code(), param);
    wait(&mut response, error.retry_after());
    response
}

fn wait(response: &mut Response, wait: Option<Duration>) {
    if let Some(wait) = wait {
        // Rounded up: who waits that long is not early.
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}
