//! `skill tag`: points a tag at a version.

use axum::extract::State;
use kontor_types::TagName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::names::{self, Owner};
use super::refusal::Refusal;
use crate::extract::{Json, Path, Query};
use crate::{Asker, Hub};

/// What the tag shall point to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    version: String,
    owner_handle: Option<String>,
}

/// `POST /api/v1/skills/{slug}/tags/{tag}` with `{version}`
pub async fn set(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((slug, tag)): Path<(String, String)>,
    Query(owner): Query<Owner>,
    Json(target): Json<Target>,
) -> Result<Json<Value>, Refusal> {
    let owner = target.owner_handle.or(owner.owner_handle);
    let named = names::skill(&slug, owner.as_deref())?;
    let tag = TagName::parse(tag.trim()).map_err(|error| Refusal::invalid(error.to_string()))?;
    let number = target.version.trim().parse().map_err(|_| Refusal::version_not_found())?;
    let set = hub.app.registry.set_tag(&caller, &named, &tag, &number).await;
    set.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true, "slug": named.slug, "tag": tag, "version": number })))
}
