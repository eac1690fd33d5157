//! Where the caller is signed in with a browser.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_access::OwnSession;
use kontor_types::SessionId;
use kontor_wire::{BrowserSession, BrowserSessionList, EndedSessions, SessionsToEnd};
use utoipa_axum::routes;

use crate::extract::{Json, Path, Query};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list))
        .add(Class::Write, routes!(end_all))
        .add(Class::Write, routes!(end))
}

/// Where the caller is signed in with a browser, what was used last first.
#[utoipa::path(get, path = "/me/sessions", tag = "sessions", responses((status = 200, body = BrowserSessionList)))]
async fn list(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<BrowserSessionList>, Failure> {
    let sessions = hub.app.access.sessions(&caller).await?;
    Ok(Json(BrowserSessionList { items: sessions.into_iter().map(shape).collect() }))
}

/// Ends every session of the caller at once, or every other than the one that asks.
#[utoipa::path(delete, path = "/me/sessions", tag = "sessions", params(SessionsToEnd),
    responses((status = 200, body = EndedSessions)))]
async fn end_all(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(which): Query<SessionsToEnd>,
) -> Result<Json<EndedSessions>, Failure> {
    Ok(Json(EndedSessions { ended: hub.app.access.end_sessions(&caller, which.others).await? }))
}

/// Ends a session at once.
#[utoipa::path(delete, path = "/me/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 204)))]
async fn end(State(hub): State<Hub>, Asker(caller): Asker, Path(id): Path<SessionId>) -> Result<StatusCode, Failure> {
    hub.app.access.end_session(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shape(own: OwnSession) -> BrowserSession {
    BrowserSession {
        id: own.id,
        client: own.client,
        scopes: own.scopes,
        created_at: own.created_at,
        last_used_at: own.last_used_at,
        expires_at: own.expires_at,
        current: own.current,
    }
}
