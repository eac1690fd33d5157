//! `inspect` and the first step of `install`: one skill.

use axum::extract::State;
use kontor_access::Caller;
use serde_json::{Value, json};

use super::names::Owner;
use super::refusal::Refusal;
use super::{lookup, names, shapes};
use crate::extract::{Json, Path, Query};
use crate::{Asker, Hub};

/// `GET /api/v1/skills/{slug}`
pub async fn skill(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(slug): Path<String>,
    Query(owner): Query<Owner>,
) -> Result<Json<Value>, Refusal> {
    show(&hub, &caller, &slug, owner.owner_handle.as_deref()).await
}

/// A skill by its slug and perhaps its owner.
pub async fn show(hub: &Hub, caller: &Caller, slug: &str, owner: Option<&str>) -> Result<Json<Value>, Refusal> {
    let named = names::skill(slug, owner)?;
    let skill = lookup::skill(hub, caller.viewer(), &named).await?;
    let tags = hub.app.registry.tags(caller.viewer(), skill.id).await.map_err(|error| Refusal::of(hub, error))?;
    let deprecation =
        skill.deprecated_at.map(|_| json!({ "message": skill.deprecation_message, "successor": skill.successor }));
    Ok(Json(json!({
        "skill": shapes::skill(&skill, &tags),
        "latestVersion": shapes::latest_of(&skill),
        "metadata": null,
        "owner": shapes::owner(&skill.publisher),
        "moderation": null,
        "deprecation": deprecation,
    })))
}

/// `GET /api/v1/skills/{slug}/moderation`: nobody has judged any skill, so there is nothing to tell.
pub async fn moderation(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(slug): Path<String>,
    Query(owner): Query<Owner>,
) -> Result<Json<Value>, Refusal> {
    let named = names::skill(&slug, owner.owner_handle.as_deref())?;
    lookup::skill(&hub, caller.viewer(), &named).await?;
    Ok(Json(json!({ "moderation": null })))
}
