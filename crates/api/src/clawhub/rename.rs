//! `skill rename` and `skill merge`: old names go on leading to the skill.

use axum::extract::State;
use kontor_types::{SkillRef, Slug};
use serde::Deserialize;
use serde_json::{Value, json};

use super::names::{self, Named};
use super::refusal::Refusal;
use crate::extract::Json;
use crate::{Asker, Hub};

/// The new name.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewName {
    new_slug: String,
    owner_handle: Option<String>,
}

/// `POST /api/v1/skills/{slug}/rename` with `{newSlug}`
pub async fn rename(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    named: Named,
    Json(new): Json<NewName>,
) -> Result<Json<Value>, Refusal> {
    let named = named.owned_by(new.owner_handle.as_deref())?;
    let slug = Slug::parse(new.new_slug.trim()).map_err(|error| Refusal::invalid(error.to_string()))?;
    hub.app.registry.rename(&caller, &named, &slug).await.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true, "slug": slug, "previousSlug": named.slug })))
}

/// What it is merged into.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    #[serde(rename = "targetSlug")]
    slug: String,
    #[serde(rename = "targetOwnerHandle")]
    into_owner: Option<String>,
    owner_handle: Option<String>,
    source_owner_handle: Option<String>,
}

/// `POST /api/v1/skills/{slug}/merge` with `{targetSlug}`
pub async fn merge(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    named: Named,
    Json(target): Json<Target>,
) -> Result<Json<Value>, Refusal> {
    let source = named.owned_by(target.source_owner_handle.or(target.owner_handle).as_deref())?;
    let into = names::skill(&target.slug, target.into_owner.as_deref())?;
    let into = SkillRef { publisher: into.publisher.or(source.publisher.clone()), ..into };
    hub.app.registry.merge(&caller, &source, &into).await.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true, "sourceSlug": source.slug, "targetSlug": into.slug })))
}
