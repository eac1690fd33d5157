//! `delete` and `undelete`, which clients also call `hide` and `unhide`.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::names::Named;
use super::refusal::Refusal;
use crate::extract::{Json, MaybeJson};
use crate::{Asker, Hub};

/// Why, and whose.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Why {
    reason: Option<String>,
    owner_handle: Option<String>,
}

/// `DELETE /api/v1/skills/{slug}`: gone for all, its name held back for its owner.
pub async fn delete(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    named: Named,
    MaybeJson(why): MaybeJson<Why>,
) -> Result<Json<Value>, Refusal> {
    let named = named.owned_by(why.owner_handle.as_deref())?;
    let reason = why.reason.as_deref().unwrap_or_default();
    let deleted = hub.app.registry.delete(&caller, &named, reason).await.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true, "slugReservedUntil": deleted.reserved_until.millis() })))
}

/// `POST /api/v1/skills/{slug}/undelete`
pub async fn restore(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    named: Named,
    MaybeJson(why): MaybeJson<Why>,
) -> Result<Json<Value>, Refusal> {
    let named = named.owned_by(why.owner_handle.as_deref())?;
    hub.app.registry.undelete(&caller, &named).await.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true })))
}
