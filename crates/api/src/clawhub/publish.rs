//! `publish` and `sync`: files sent one by one under tickets, or all at once in a form as older clients do.

mod form;
mod request;
mod tickets;

use std::time::Duration;

use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use futures::StreamExt as _;
use kontor_access::Caller;
use kontor_package::Content;
use kontor_registry::VersionState;
use kontor_types::Code;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::transfer;
use crate::extract::Json;
use crate::{Asker, Failure, Hub};

/// How much of a refused body is taken, and for how long.
const MOST_DRAINED: usize = 8 << 20;
const DRAINING: Duration = Duration::from_secs(5);

pub use request::Asked;
pub use tickets::{open, upload};

/// `POST /api/v1/skills`: a new version.
pub async fn publish(State(hub): State<Hub>, Asker(caller): Asker, request: Request) -> Result<Json<Value>, Refusal> {
    if let Err(error) = caller.require_person() {
        drain(request).await;
        return Err(error.into());
    }
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (asked, content) = if kind.starts_with("multipart/form-data") {
        let form = Multipart::from_request(request, &hub).await.map_err(|error| Refusal::invalid(error.body_text()))?;
        let (asked, files) = form::read(form, hub.app.registry.limits()).await?;
        (asked, content_of(&hub, files).await?)
    } else {
        let Json(asked): Json<Asked> = Json::from_request(request, &hub).await?;
        let content = tickets::redeem(&hub, &caller, asked.files()).await?;
        (asked, content)
    };
    accept(&hub, &caller, asked, content).await
}

/// Takes the rest of a body that is refused unread: a client that is still sending would not see the answer otherwise.
async fn drain(request: Request) {
    let mut body = request.into_body().into_data_stream();
    let rest = async {
        let mut taken = 0_usize;
        while let Some(Ok(chunk)) = body.next().await {
            taken = taken.saturating_add(chunk.len());
            if taken > MOST_DRAINED {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAINING, rest).await;
}

async fn content_of(hub: &Hub, files: Vec<(String, Bytes)>) -> Result<Content, Refusal> {
    let limits = *hub.app.registry.limits();
    let files = files.into_iter().map(|(path, bytes)| (path, bytes.to_vec())).collect::<Vec<_>>();
    let content = tokio::task::spawn_blocking(move || Content::from_files(files, &limits)).await;
    let content = content.map_err(|_| Failure::new(Code::Unavailable, "the work was interrupted"))?;
    content.map_err(|error| Refusal::of(hub, error.into()))
}

async fn accept(hub: &Hub, caller: &Caller, asked: Asked, content: Content) -> Result<Json<Value>, Refusal> {
    let publisher = asked.publisher(caller)?;
    if let Some(from) = asked.moves_from(&publisher)? {
        transfer::move_now(hub, caller, &from, &publisher).await?;
    }
    let publish = asked.into_publish(publisher, content)?;
    let made = hub.app.registry.publish(caller, publish).await.map_err(|error| Refusal::of(hub, error))?;
    let status = if made.state == VersionState::Visible { "published" } else { "pending" };
    Ok(Json(json!({
        "ok": true,
        "skillId": made.skill_id,
        "versionId": made.version_id,
        "slug": made.slug,
        "version": made.number,
        "status": status,
        "publicationStatus": status,
    })))
}
