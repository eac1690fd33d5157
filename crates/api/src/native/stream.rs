//! What happens, as server-sent events: each with its number as id, and at the end `result`.

use std::fmt::Display;
use std::time::{Duration, Instant};

use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _, stream};
use serde::Serialize;

use crate::foreign::{self, Keeping};
use crate::{Failure, Hub};

/// How often a stream without news says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// The longest that one stream lasts; who follows longer asks again with `Last-Event-ID`.
const LONGEST: Duration = Duration::from_hours(1);
/// How often a stream looks whether the hub stops.
const LOOK: Duration = Duration::from_millis(500);

const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

/// The number of the last event that was received, 0 before the first.
pub fn last(request: &HeaderMap) -> Result<i64, Failure> {
    match request.get(LAST_EVENT).and_then(|value| value.to_str().ok()) {
        Some(text) => {
            text.trim().parse::<u32>().map(i64::from).map_err(|_| Failure::invalid("`Last-Event-ID` is no number"))
        }
        None => Ok(0),
    }
}

/// An event by its number and kind.
pub fn event(number: i64, kind: &str, data: impl Display) -> Event {
    Event::default().id(number.to_string()).event(kind).data(data.to_string())
}

/// Sends what is told and then the result, for as long as the hub serves.
pub fn answer<E, T, R>(hub: &Hub, told: T, result: R) -> Response
where
    T: Stream<Item = Result<Event, E>> + Send + 'static,
    R: Future<Output = Result<String, Failure>> + Send + 'static,
    Failure: From<E>,
    E: 'static,
{
    let hub = hub.clone();
    let over = async move {
        let begun = Instant::now();
        while begun.elapsed() < LONGEST && hub.health.is_serving() {
            tokio::time::sleep(LOOK).await;
        }
    };
    let told = told.map(|event| event.map_err(Failure::from));
    let result = stream::once(async move { Ok(Event::default().event("result").data(result.await?)) });
    let events = told.chain(result).take_until(Box::pin(over));
    // A stream that broke off is asked for again; the reason is in the log.
    let events = events.take_while(|event: &Result<Event, Failure>| {
        if let Err(failure) = event {
            failure.log();
        }
        std::future::ready(event.is_ok())
    });
    let events = events.map(|event| event.map_err(|failure| std::io::Error::other(failure.problem().detail.clone())));
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    foreign::guard(response.headers_mut(), Keeping::Nobody);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

/// A value as the data of an event.
pub fn data(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
