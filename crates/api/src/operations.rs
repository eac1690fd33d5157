//! What operators and their probes ask: is it up, may it get work, what are the figures.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use kontor_db::changes;
use kontor_registry::Progress;
use kontor_types::{Code, Scope};

use crate::{Asked, Class, Failure, Hub, Routes, measure};

pub(crate) fn routes() -> Routes {
    let get = &axum::http::Method::GET;
    Routes::new().on(get, "/healthz", Class::Operations, healthz).on(get, "/readyz", Class::Operations, readyz).on(
        get,
        "/metrics",
        Class::Operations,
        metrics,
    )
}

/// A hub whose log takes nothing in still serves; whoever looks is told. Why it does not is in the hub's own log.
const LOG_STOPPED: &str =
    "ready\nthe transparency log takes nothing in: stop the hub and begin a new history with `kontor log restart`\n";

/// Up, migrated, and prepared; also while it drains, so that nobody kills it then.
async fn healthz(State(hub): State<Hub>) -> Response {
    match (hub.health.is_prepared(), database(&hub).await) {
        (true, Ok(())) => say(StatusCode::OK, "ok\n"),
        (false, Ok(())) => say(StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        (_, Err(failure)) => failure.into_response(),
    }
}

/// Ready for new requests.
async fn readyz(State(hub): State<Hub>) -> Response {
    match (hub.health.is_serving(), database(&hub).await) {
        (true, Ok(())) if hub.app.log_fault().is_some() => say(StatusCode::OK, LOG_STOPPED),
        (true, Ok(())) => match progress(&hub).await.percent() {
            Some(percent) => say(StatusCode::OK, format!("ready\nsearch finds {percent} % of the skills so far\n")),
            None => say(StatusCode::OK, "ready\n"),
        },
        (false, Ok(())) => say(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        (_, Err(failure)) => failure.into_response(),
    }
}

/// How far search is; a hub serves without it, so nobody waits for that.
async fn progress(hub: &Hub) -> Progress {
    hub.app.registry.index_progress().await.unwrap_or(Progress::Current)
}

async fn database(hub: &Hub) -> Result<(), Failure> {
    let mut conn = hub.app.db.read().await.map_err(|error| unavailable(&error))?;
    changes::newest(&mut conn).await.map(|_| ()).map_err(|error| unavailable(&error))
}

fn unavailable(error: &kontor_db::Error) -> Failure {
    Failure::new(Code::Unavailable, "the database does not answer").cause(error)
}

/// The figures, for this machine and for administrators: how much goes on is nobody else's business.
async fn metrics(State(hub): State<Hub>, Extension(asked): Extension<Arc<Asked>>) -> Response {
    let administrator = asked.caller.viewer().is_administrator() && asked.caller.require(Scope::Admin).is_ok();
    if !(hub.config.open_metrics || asked.is_local || administrator) {
        return Failure::not_found().into_response();
    }
    if let Ok(counts) = hub.app.runs.counts().await {
        measure::runs(&counts, hub.app.clock.now());
    }
    measure::log_stopped(hub.app.log_fault().is_some());
    measure::search_behind(hub.app.registry.index_lacks().await.unwrap_or(0));
    if let Ok(counts) = hub.app.workflows.counts().await {
        measure::workflows(&counts, hub.app.clock.now());
    }
    let Some(text) = measure::render() else {
        return Failure::new(Code::Unavailable, "another part of the process counts here").into_response();
    };
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], text).into_response()
}

fn say(status: StatusCode, text: impl Into<Body>) -> Response {
    (status, [(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "text/plain; charset=utf-8")], text.into()).into_response()
}
