//! `skill tag`: points a tag at a version.

use axum::extract::State;
use kontor_types::TagName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::names::Named;
use super::refusal::Refusal;
use crate::extract::{Json, Path};
use crate::{Asker, Hub};

/// The tag in the path.
#[derive(Debug, Deserialize)]
pub struct InPath {
    tag: String,
}

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
    named: Named,
    Path(InPath { tag }): Path<InPath>,
    Json(target): Json<Target>,
) -> Result<Json<Value>, Refusal> {
    let named = named.owned_by(target.owner_handle.as_deref())?;
    let tag = TagName::parse(tag.trim()).map_err(|error| Refusal::invalid(error.to_string()))?;
    let number = target.version.trim().parse().map_err(|_| Refusal::version_not_found())?;
    let set = hub.app.registry.set_tag(&caller, &named, &tag, &number).await;
    set.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true, "slug": named.slug, "tag": tag, "version": number })))
}
