//! `inspect` and the first step of `install`: one skill.

use axum::extract::State;
use kontor_access::Caller;
use kontor_types::SkillRef;
use serde_json::{Value, json};

use super::names::Named;
use super::refusal::Refusal;
use super::{lookup, shapes};
use crate::extract::Json;
use crate::{Asker, Hub};

/// `GET /api/v1/skills/{slug}`
pub async fn skill(State(hub): State<Hub>, Asker(caller): Asker, Named(named): Named) -> Result<Json<Value>, Refusal> {
    show(&hub, &caller, &named).await
}

/// A skill by its name.
pub async fn show(hub: &Hub, caller: &Caller, named: &SkillRef) -> Result<Json<Value>, Refusal> {
    let skill = lookup::skill(hub, caller.viewer(), named).await?;
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
    Named(named): Named,
) -> Result<Json<Value>, Refusal> {
    lookup::skill(&hub, caller.viewer(), &named).await?;
    Ok(Json(json!({ "moderation": null })))
}
