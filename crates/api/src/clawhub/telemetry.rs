//! What clients tell after an install. It counts; it never fails a client.

use axum::body::Bytes;
use axum::extract::State;
use kontor_access::Caller;
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{lookup, names};
use crate::extract::Json;
use crate::{Asker, Hub};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Told {
    event: Option<String>,
    slug: Option<String>,
    owner_handle: Option<String>,
    version: Option<String>,
}

/// `POST /api/cli/telemetry/install` with `{event, slug, ownerHandle, version}`
pub async fn installed(State(hub): State<Hub>, Asker(caller): Asker, body: Bytes) -> Json<Value> {
    if let Ok(told) = serde_json::from_slice::<Told>(&body)
        && told.event.as_deref() == Some("install")
        && let Err(refusal) = count(&hub, &caller, &told).await
    {
        tracing::debug!(?refusal, "an install of something unknown was told");
    }
    Json(json!({ "ok": true }))
}

async fn count(hub: &Hub, caller: &Caller, told: &Told) -> Result<(), Refusal> {
    let name = names::skill(told.slug.as_deref().unwrap_or_default(), told.owner_handle.as_deref())?;
    let which = names::version(told.version.as_deref(), None)?;
    let found = lookup::found(hub, caller.viewer(), name, which).await?;
    hub.app.registry.count_install(found.skill.id, found.version.id);
    Ok(())
}
