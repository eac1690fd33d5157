//! The versions of a skill: the list, one of them, hiding one and showing it again.

use axum::extract::State;
use kontor_registry::Found;
use kontor_types::{Cursor, PageSize, SkillRef, VersionSelector};
use serde::Deserialize;
use serde_json::{Value, json};

use super::names::{self, Owner};
use super::refusal::Refusal;
use super::{list, lookup, shapes};
use crate::extract::{Json, MaybeJson, Path, Query};
use crate::{Asker, Hub};

/// What a list of versions asks.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    owner_handle: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/v1/skills/{slug}/versions?limit[&cursor]`
pub async fn versions(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let name = names::skill(&slug, asked.owner_handle.as_deref())?;
    let size = list::limit(asked.limit.as_deref(), PageSize::default())?;
    let cursor = list::cursor(asked.cursor);
    let page = hub.app.registry.versions(caller.viewer(), &name, size, cursor.as_ref()).await;
    let page = page.map_err(|error| Refusal::of(&hub, error))?;
    // A withdrawn version is not listed for anybody, as on the public hub; its maintainers restore it by its number.
    let items: Vec<_> = page.items.iter().filter(|version| version.is_shown()).map(shapes::version).collect();
    Ok(Json(json!({ "items": items, "nextCursor": page.next.as_ref().map(Cursor::as_str) })))
}

/// `GET /api/v1/skills/{slug}/versions/{version}`
pub async fn version(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((slug, number)): Path<(String, String)>,
    Query(owner): Query<Owner>,
) -> Result<Json<Value>, Refusal> {
    let name = names::skill(&slug, owner.owner_handle.as_deref())?;
    let which = names::version(Some(&number), None)?;
    let Found { skill, version } = lookup::found(&hub, caller.viewer(), name, which).await?;
    let files = lookup::files(&hub, caller.viewer(), &version).await?;
    Ok(Json(json!({
        "version": shapes::version_with_files(&version, &files),
        "skill": { "slug": skill.slug, "displayName": skill.display_name },
    })))
}

/// The owner in a body.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InBody {
    owner_handle: Option<String>,
}

/// `DELETE /api/v1/skills/{slug}/versions/{version}`: hides one version; its number stays taken.
pub async fn hide(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((slug, number)): Path<(String, String)>,
    Query(owner): Query<Owner>,
    MaybeJson(body): MaybeJson<InBody>,
) -> Result<Json<Value>, Refusal> {
    let name = exact(&slug, &number, owner, body)?;
    let done = hub.app.registry.hide_version(&caller, &name, "withdrawn by its publisher").await;
    done.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true })))
}

/// `POST /api/v1/skills/{slug}/versions/{version}/restore`
pub async fn restore(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((slug, number)): Path<(String, String)>,
    Query(owner): Query<Owner>,
    MaybeJson(body): MaybeJson<InBody>,
) -> Result<Json<Value>, Refusal> {
    let name = exact(&slug, &number, owner, body)?;
    let done = hub.app.registry.restore_version(&caller, &name).await;
    done.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true })))
}

fn exact(slug: &str, number: &str, owner: Owner, body: InBody) -> Result<SkillRef, Refusal> {
    let name = names::skill(slug, body.owner_handle.or(owner.owner_handle).as_deref())?;
    let number = number.trim().parse().map_err(|_| Refusal::version_not_found())?;
    Ok(SkillRef { version: Some(VersionSelector::Exact(number)), ..name })
}
