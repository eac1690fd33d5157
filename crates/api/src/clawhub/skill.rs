//! `inspect` and the first step of `install`: one skill.

use std::sync::Arc;

use axum::extract::State;
use kontor_access::Caller;
use kontor_registry::Skill;
use kontor_types::{PageSize, SkillRef};
use serde_json::{Value, json};

use super::judged::Judged;
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
        "moderation": judged(hub, caller, &skill).await?.map(|judged| judged.moderation()),
        "deprecation": deprecation,
    })))
}

/// What is known of the version that `latest` means, or of the newest one for those who see it before it is admitted.
pub async fn judged(hub: &Hub, caller: &Caller, skill: &Skill) -> Result<Option<Judged>, Refusal> {
    let registry = &hub.app.registry;
    let name = SkillRef::new(skill.publisher.clone(), skill.slug.clone());
    let version = if let Ok(found) = registry.version(caller.viewer(), &name).await {
        Some(found.version)
    } else {
        let newest = registry.versions(caller.viewer(), &name, PageSize::clamped(1), None).await;
        newest.map_err(|error| Refusal::of(hub, error))?.items.into_iter().next().map(Arc::new)
    };
    match version {
        Some(version) => Ok(Some(Judged::read(hub, &version).await?)),
        None => Ok(None),
    }
}

/// `GET /api/v1/skills/{slug}/moderation`
pub async fn moderation(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Named(named): Named,
) -> Result<Json<Value>, Refusal> {
    let skill = lookup::skill(&hub, caller.viewer(), &named).await?;
    let judged = judged(&hub, &caller, &skill).await?;
    Ok(Json(json!({ "moderation": judged.map(|judged| judged.moderation()) })))
}
