//! The versions of a skill: the list, one of them, hiding one and showing it again.

use axum::extract::State;
use kontor_registry::Found;
use kontor_types::{Cursor, PageSize, SkillRef, VersionSelector};
use serde::Deserialize;
use serde_json::{Value, json};

use super::names::{self, Named};
use super::refusal::Refusal;
use super::{list, lookup, shapes};
use crate::extract::{Json, MaybeJson, Path, Query};
use crate::{Asker, Hub};

/// What a list of versions asks.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/v1/skills/{slug}/versions?limit[&cursor]`
pub async fn versions(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Named(name): Named,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
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
    Named(name): Named,
    Path(InPath { version: number }): Path<InPath>,
) -> Result<Json<Value>, Refusal> {
    let which = names::version(Some(&number), None)?;
    let Found { skill, version } = lookup::found(&hub, caller.viewer(), name, which).await?;
    let files = lookup::files(&hub, caller.viewer(), &version).await?;
    Ok(Json(json!({
        "version": shapes::version_with_files(&version, &files),
        "skill": { "slug": skill.slug, "displayName": skill.display_name },
    })))
}

/// The number in the path.
#[derive(Debug, Deserialize)]
pub struct InPath {
    version: String,
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
    named: Named,
    Path(number): Path<InPath>,
    MaybeJson(body): MaybeJson<InBody>,
) -> Result<Json<Value>, Refusal> {
    let name = exact(named, &number, &body)?;
    let done = hub.app.registry.hide_version(&caller, &name, "withdrawn by its publisher").await;
    done.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true })))
}

/// `POST /api/v1/skills/{slug}/versions/{version}/restore`
pub async fn restore(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    named: Named,
    Path(number): Path<InPath>,
    MaybeJson(body): MaybeJson<InBody>,
) -> Result<Json<Value>, Refusal> {
    let name = exact(named, &number, &body)?;
    let done = hub.app.registry.restore_version(&caller, &name).await;
    done.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true })))
}

fn exact(named: Named, number: &InPath, body: &InBody) -> Result<SkillRef, Refusal> {
    let name = named.owned_by(body.owner_handle.as_deref())?;
    let number = number.version.trim().parse().map_err(|_| Refusal::version_not_found())?;
    Ok(SkillRef { version: Some(VersionSelector::Exact(number)), ..name })
}
