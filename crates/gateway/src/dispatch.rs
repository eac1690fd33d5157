//! One call: which upstreams are asked, in what order, and what happens when they fail.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use crate::class::{Class, classify, code_of, message_of, retry_after};
use crate::event_stream::EventStream;
use crate::gateway::Ticket;
use crate::request::Asked;
use crate::table::{Route, Upstream};
use crate::{Cost, Error, Usage, price};

/// How long a call waits for its turn with a provider that has as many as it takes.
const TURN: Duration = Duration::from_secs(2);
/// Before the same upstream is asked again.
const BREATH: Duration = Duration::from_millis(50);
/// A wait that is worth it when nobody else could answer.
const SHORT_WAIT: Duration = Duration::from_secs(2);
/// Requests to one upstream for one call.
const TRIES: u32 = 2;
/// The largest answer.
const LARGEST: usize = 32 * 1024 * 1024;
/// As much of an error as is read.
const LARGEST_ERROR: usize = 64 * 1024;
/// As much of a provider's words as is passed on.
const WORDS: usize = 300;

/// An answer on its way to the caller.
#[derive(Debug)]
pub enum Forwarded {
    /// In one piece, with what it took.
    Whole {
        /// The upstream's answer, unchanged.
        body: Bytes,
        /// Who answered.
        upstream: Arc<str>,
        /// Tokens.
        usage: Usage,
        /// What it cost, if the model has a price.
        cost: Option<Cost>,
        /// How many requests it took.
        attempts: u32,
    },
    /// As events.
    Stream(Box<EventStream>),
}

/// What an upstream did in place of answering.
#[derive(Debug)]
pub struct Failed {
    pub class: Class,
    pub what: What,
}

/// What the caller is told of it.
#[derive(Debug)]
pub enum What {
    Failed(String),
    Slow(String),
    Busy,
    RateLimited(Duration),
    Refused { status: u16, body: Bytes },
}

impl Failed {
    pub fn over(class: Class, reason: impl Into<String>) -> Self {
        Self { class, what: What::Failed(reason.into()) }
    }

    pub fn slow(reason: &str) -> Self {
        Self { class: Class::FailOver, what: What::Slow(reason.to_owned()) }
    }

    /// Whether it speaks against the upstream's health.
    const fn counts(&self) -> bool {
        matches!(self.what, What::Failed(_) | What::Slow(_)) && !matches!(self.class, Class::CoolKey(_))
    }

    fn into_error(self, model: &str) -> Error {
        let model = model.to_owned();
        match self.what {
            What::Failed(reason) => Error::UpstreamFailed { model, reason },
            What::Slow(reason) => Error::UpstreamTimeout { model, reason },
            What::Busy => Error::Busy { model, wait: Duration::from_secs(1) },
            What::RateLimited(wait) => Error::RateLimited { model, wait },
            What::Refused { status, body } => Error::Refused { status, body },
        }
    }
}

/// Asks the upstreams of a route in their order until one answers.
pub async fn run(route: &Route, asked: &Asked, ticket: Ticket) -> Result<Forwarded, Error> {
    let deadline = Instant::now() + route.total();
    let mut ticket = Some(ticket);
    let found = tokio::time::timeout_at(deadline, ask_all(route, asked, &mut ticket, deadline)).await;
    let outcome = found.unwrap_or_else(|_| Err(Failed::slow("no whole answer came in time")));
    outcome.map_err(|failed| {
        if let Some(ticket) = ticket.take() {
            ticket.fail();
        }
        failed.into_error(&route.name)
    })
}

async fn ask_all(
    route: &Route,
    asked: &Asked,
    ticket: &mut Option<Ticket>,
    deadline: Instant,
) -> Result<Forwarded, Failed> {
    let mut last: Option<Failed> = None;
    for (place, upstream) in route.upstreams.iter().enumerate() {
        if let Some(wait) = upstream.provider.cooling.left() {
            last.get_or_insert(Failed { class: Class::FailOver, what: What::RateLimited(wait) });
            continue;
        }
        if let Err(wait) = upstream.circuit.admit() {
            let resting = Failed { class: Class::FailOver, what: What::Failed(resting(upstream, wait)) };
            last.get_or_insert(resting);
            continue;
        }
        let alone = place + 1 == route.upstreams.len();
        match ask_one(upstream, asked, ticket, (alone, deadline)).await {
            Ok(answer) => return Ok(answer),
            Err(failed) if failed.class == Class::Fatal => return Err(failed),
            Err(failed) => last = Some(failed),
        }
    }
    Err(last.unwrap_or_else(|| Failed::over(Class::FailOver, "it has no provider")))
}

fn resting(upstream: &Upstream, wait: Duration) -> String {
    format!("{} failed too often and is left alone for {} s more", upstream.provider.name, wait.as_secs() + 1)
}

async fn ask_one(
    upstream: &Arc<Upstream>,
    asked: &Asked,
    ticket: &mut Option<Ticket>,
    (alone, deadline): (bool, Instant),
) -> Result<Forwarded, Failed> {
    let mut tries = 0;
    loop {
        tries += 1;
        let failed = match attempt(upstream, asked, ticket, deadline).await {
            Ok(answer) => {
                upstream.circuit.succeeded();
                return Ok(answer);
            }
            Err(failed) => failed,
        };
        tracing::debug!(upstream = %upstream.name, ?failed, "an upstream gave no answer");
        if failed.counts() {
            upstream.circuit.failed();
        }
        match failed.class {
            Class::RetrySame if tries < TRIES => tokio::time::sleep(BREATH).await,
            // Nobody else could answer, and the wait is short.
            Class::CoolKey(wait) if alone && tries < TRIES && wait <= SHORT_WAIT => tokio::time::sleep(wait).await,
            Class::CoolKey(wait) => {
                upstream.provider.cooling.set(wait);
                return Err(failed);
            }
            _ => return Err(failed),
        }
    }
}

async fn attempt(
    upstream: &Arc<Upstream>,
    asked: &Asked,
    ticket: &mut Option<Ticket>,
    deadline: Instant,
) -> Result<Forwarded, Failed> {
    let provider = &upstream.provider;
    let slot = match Arc::clone(&provider.slots).try_acquire_owned() {
        Ok(slot) => slot,
        Err(_) => match timeout(TURN, Arc::clone(&provider.slots).acquire_owned()).await {
            Ok(Ok(slot)) => slot,
            _ => return Err(Failed { class: Class::FailOver, what: What::Busy }),
        },
    };
    let authorization = provider.authorization().await.map_err(|reason| {
        tracing::error!(provider = provider.name, reason, "the key of a provider cannot be used");
        Failed::over(Class::FailOver, format!("the key of {} cannot be used", provider.name))
    })?;
    let bounded = ticket.as_ref().is_some_and(Ticket::is_bounded);
    let limit =
        (bounded && asked.bound.is_none()).then_some((provider.limit_field.as_str(), u64::from(upstream.max_output)));
    let mut request = Request::post(provider.completions.clone())
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(ACCEPT, HeaderValue::from_static(if asked.stream { "text/event-stream" } else { "application/json" }));
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let request = request.body(Full::new(asked.for_upstream(&upstream.model, limit)));
    let request = request.map_err(|error| Failed::over(Class::FailOver, error.to_string()))?;
    if let Some(ticket) = ticket {
        ticket.sent(upstream);
    }
    let response = match timeout(provider.first_byte, provider.pools.here().request(request)).await {
        Err(_) => return Err(Failed::slow("no answer began in time")),
        Ok(Err(error)) if error.is_connect() => {
            return Err(Failed::over(Class::FailOver, format!("{} cannot be reached", provider.name)));
        }
        Ok(Err(_)) => return Err(Failed::over(Class::RetrySame, "the connection broke before an answer")),
        Ok(Ok(response)) => response,
    };
    if !response.status().is_success() {
        return Err(refused(upstream, response).await);
    }
    if !asked.stream {
        return whole(upstream, asked, response, ticket).await;
    }
    stream(upstream, asked, response, ticket, (slot, deadline)).await
}

/// An answer in one piece.
async fn whole(
    upstream: &Arc<Upstream>,
    asked: &Asked,
    response: Response<Incoming>,
    ticket: &mut Option<Ticket>,
) -> Result<Forwarded, Failed> {
    let body = read(response, LARGEST, upstream.provider.between).await?;
    let peek: Peek<'_> = serde_json::from_slice(&body)
        .map_err(|_| Failed::over(Class::RetrySame, "what came is no answer of a model"))?;
    let Some(choices) = peek.choices else { return Err(said(upstream, 200, &body, None)) };
    let usage = peek.usage.and_then(Usage::read).unwrap_or_else(|| Usage {
        prompt: asked.about_prompt(),
        cached: 0,
        completion: price::about(choices.get()),
        estimated: true,
    });
    let attempts = ticket.as_ref().map_or(1, |ticket| ticket.attempts);
    let cost = ticket.take().and_then(|ticket| ticket.finish(&usage));
    Ok(Forwarded::Whole { body, upstream: Arc::clone(&upstream.name), usage, cost, attempts })
}

async fn stream(
    upstream: &Arc<Upstream>,
    asked: &Asked,
    response: Response<Incoming>,
    ticket: &mut Option<Ticket>,
    (slot, deadline): (OwnedSemaphorePermit, Instant),
) -> Result<Forwarded, Failed> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("text/event-stream") {
        let body = read(response, LARGEST_ERROR, upstream.provider.between).await?;
        return Err(said(upstream, 200, &body, None));
    }
    let mut stream = EventStream::new(upstream, asked, response.into_body(), (slot, deadline));
    timeout(upstream.provider.first_byte, stream.begin())
        .await
        .unwrap_or_else(|_| Err(Failed::slow("no event came in time")))?;
    stream.hold(ticket.take());
    Ok(Forwarded::Stream(Box::new(stream)))
}

#[derive(Deserialize)]
struct Peek<'a> {
    #[serde(borrow, default)]
    choices: Option<&'a RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

async fn read(response: Response<Incoming>, most: usize, patience: Duration) -> Result<Bytes, Failed> {
    let mut body = response.into_body();
    let mut whole = BytesMut::new();
    let mut first = None;
    loop {
        let frame = match timeout(patience, body.frame()).await {
            Err(_) => return Err(Failed::slow("the answer stopped in the middle")),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(Failed::over(Class::RetrySame, "the connection broke within the answer")),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + first.as_ref().map_or(0, Bytes::len) + data.len() > most {
            return Err(Failed::over(Class::FailOver, "the answer is larger than any should be"));
        }
        // Most answers come in one piece, which needs no copy.
        match first.take() {
            None if whole.is_empty() => first = Some(data),
            None => whole.extend_from_slice(&data),
            Some(before) => {
                whole.extend_from_slice(&before);
                whole.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| whole.freeze()))
}

async fn refused(upstream: &Upstream, response: Response<Incoming>) -> Failed {
    let (status, wait) = (response.status().as_u16(), retry_after(response.headers()));
    let body = read(response, LARGEST_ERROR, upstream.provider.between).await.unwrap_or_default();
    said(upstream, status, &body, wait)
}

/// What an upstream says in place of an answer.
pub fn said(upstream: &Upstream, status: u16, body: &[u8], wait: Option<Duration>) -> Failed {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = code_of(&value).unwrap_or_default();
    let class = classify(status, &code, wait);
    let words: String = message_of(&value).unwrap_or_default().chars().take(WORDS).collect();
    let name = &upstream.provider.name;
    let what = match class {
        Class::Fatal => {
            let status = if (400..500).contains(&status) { status } else { 400 };
            What::Refused { status, body: in_one_form(&value, &code, &words) }
        }
        Class::CoolKey(_) if matches!(status, 401 | 403) => {
            upstream.provider.key_refused();
            tracing::error!(provider = name, status, code, "a provider refused the hub's key");
            What::Failed(format!("{name} refused the hub's key"))
        }
        Class::CoolKey(wait) if status == 429 || status == 503 || status == 529 => What::RateLimited(wait),
        Class::CoolKey(_) => What::Failed(format!("the hub's account with {name} is empty")),
        _ => What::Failed(format!(
            "{name} answered with status {status}{}",
            if words.is_empty() { String::new() } else { format!(": {words}") }
        )),
    };
    Failed { class, what }
}

/// An error in OpenAI's form: as it came, if it has it.
fn in_one_form(value: &Value, code: &str, words: &str) -> Bytes {
    if value.pointer("/error/message").is_some_and(Value::is_string) {
        return value.to_string().into();
    }
    let words = if words.is_empty() { "the provider refused the request" } else { words };
    let code = if code.is_empty() { Value::Null } else { code.into() };
    let error = serde_json::json!({ "message": words, "type": "invalid_request_error", "param": null, "code": code });
    serde_json::json!({ "error": error }).to_string().into()
}
