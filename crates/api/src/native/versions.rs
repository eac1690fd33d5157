//! A skill's versions, their archives and files.

use axum::extract::State;
use axum::http::header::{IF_NONE_MATCH, RANGE};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse as _, Response};
use kontor_registry::{Found, Tag};
use kontor_types::{PageSize, SkillRef, TagName, VersionId, VersionSelector, Viewer, Visibility};
use kontor_wire::{FileItem, FileList, PageQuery, Reason, VersionDetail, VersionPage, VersionSummary};
use utoipa_axum::routes;

use super::{names, skill_shapes as shapes};
use crate::extract::{Json, MaybeJson, Path, Query};
use crate::foreign::{Foreign, Keeping, Media};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list))
        .add(Class::Read, routes!(show))
        .add(Class::Read, routes!(archive))
        .add(Class::Read, routes!(files))
        .add(Class::Read, routes!(file))
        .add(Class::Write, routes!(yank))
        .add(Class::Write, routes!(restore))
}

/// The versions of a skill, newest first.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions", tag = "versions", params(("p" = String, Path), ("s" = String, Path),
    PageQuery), responses((status = 200, body = VersionPage)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
    Query(page): Query<PageQuery>,
    uri: Uri,
) -> Result<Response, Failure> {
    let (registry, viewer) = (&hub.app.registry, caller.viewer());
    let asked = names::skill(&publisher, &slug)?;
    let skill = registry.skill(viewer, &asked).await?;
    if let Some(elsewhere) = names::moved(&hub, &uri, &asked, &skill) {
        return Ok(elsewhere);
    }
    let size = page.limit.map_or_else(PageSize::default, PageSize::clamped);
    let versions = registry.versions(viewer, &asked, size, page.cursor.as_ref()).await?;
    let tags = registry.tags(viewer, skill.id).await?;
    let items = versions.items.iter().map(|row| shapes::version(row, pointing(&tags, row.id))).collect();
    Ok(Json(VersionPage { items, next_cursor: versions.next }).into_response())
}

/// All about one version.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), responses((status = 200, body = VersionDetail)))]
async fn show(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug, version)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<Response, Failure> {
    let asked = names::version(&publisher, &slug, &version)?;
    let found = hub.app.registry.version(caller.viewer(), &asked).await?;
    if let Some(elsewhere) = names::moved(&hub, &uri, &asked, &found.skill) {
        return Ok(elsewhere);
    }
    Ok(Json(detail(&hub, caller.viewer(), &found).await?).into_response())
}

/// All about a version that was found.
pub(crate) async fn detail(hub: &Hub, viewer: &Viewer, found: &Found) -> Result<VersionDetail, Failure> {
    let registry = &hub.app.registry;
    let tags = registry.tags(viewer, found.skill.id).await?;
    let reading = registry.reading(viewer, found.version.id).await?;
    let requires = registry.requirements(viewer, found.version.id).await?;
    Ok(shapes::detail(found, pointing(&tags, found.version.id), reading, requires))
}

/// The names of the tags that point to a version.
pub(crate) fn pointing(tags: &[Tag], version: VersionId) -> Vec<TagName> {
    tags.iter().filter(|tag| tag.version_id == version).map(|tag| tag.name.clone()).collect()
}

/// The canonical archive: a ZIP whose digest is the version's identity.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}/archive", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), responses((status = 200, content_type = "application/zip", body = Vec<u8>)))]
async fn archive(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug, version)): Path<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let asked = names::version(&publisher, &slug, &version)?;
    let found = hub.app.registry.version(caller.viewer(), &asked).await?;
    if let Some(elsewhere) = names::moved(&hub, &uri, &asked, &found.skill) {
        return Ok(elsewhere);
    }
    let row = &found.version;
    let name = format!("{}-{}.zip", found.skill.slug, row.number);
    let bytes = Foreign::of_blob(row.digest, 0, row.size, Media::Zip(name), row.digest.hex(), keeping(&found, &asked));
    // A resumed or revalidated download was counted when it began.
    if !headers.contains_key(RANGE) && !headers.contains_key(IF_NONE_MATCH) {
        hub.app.registry.count_download(found.skill.id, row.id);
    }
    Ok(bytes.answer(&hub.app.blobs, &headers))
}

/// The files of a version.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}/files", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), responses((status = 200, body = FileList)))]
async fn files(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug, version)): Path<(String, String, String)>,
    uri: Uri,
) -> Result<Response, Failure> {
    let asked = names::version(&publisher, &slug, &version)?;
    let found = hub.app.registry.version(caller.viewer(), &asked).await?;
    if let Some(elsewhere) = names::moved(&hub, &uri, &asked, &found.skill) {
        return Ok(elsewhere);
    }
    let files = hub.app.registry.files(caller.viewer(), found.version.id).await?;
    let items =
        files.into_iter().map(|file| FileItem { path: file.path, size: file.size, digest: file.digest }).collect();
    Ok(Json(FileList { version: found.version.number, digest: found.version.digest, items }).into_response())
}

/// The bytes of one file.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}/files/{*path}", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path), ("path" = String, Path)), responses((status = 200, body = Vec<u8>)))]
async fn file(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug, version, path)): Path<(String, String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let asked = names::version(&publisher, &slug, &version)?;
    let registry = &hub.app.registry;
    let found = registry.version(caller.viewer(), &asked).await?;
    if let Some(elsewhere) = names::moved(&hub, &uri, &asked, &found.skill) {
        return Ok(elsewhere);
    }
    let file = registry.file(caller.viewer(), &found, &path).await?;
    let end = file.position.saturating_add(file.size);
    let (media, keeping) = (Media::of(&file.path), keeping(&found, &asked));
    let bytes = Foreign::of_blob(found.version.digest, file.position, end, media, file.digest.hex(), keeping);
    Ok(bytes.answer(&hub.app.blobs, &headers))
}

/// Withdraws a version: only a lock file that names it installs it still.
#[utoipa::path(post, path = "/skills/{p}/{s}/versions/{v}/yank", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), request_body = Reason, responses((status = 200, body = VersionSummary)))]
async fn yank(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug, version)): Path<(String, String, String)>,
    MaybeJson(reason): MaybeJson<Reason>,
) -> Result<Json<VersionSummary>, Failure> {
    let asked = names::version(&publisher, &slug, &version)?;
    let found = hub.app.registry.yank(&caller, &asked, &reason.reason.unwrap_or_default()).await?;
    summary(&hub, caller.viewer(), &found).await
}

/// Takes the withdrawal of a version back.
#[utoipa::path(post, path = "/skills/{p}/{s}/versions/{v}/restore", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), responses((status = 200, body = VersionSummary)))]
async fn restore(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug, version)): Path<(String, String, String)>,
) -> Result<Json<VersionSummary>, Failure> {
    let asked = names::version(&publisher, &slug, &version)?;
    let found = hub.app.registry.unyank(&caller, &asked).await?;
    summary(&hub, caller.viewer(), &found).await
}

async fn summary(hub: &Hub, viewer: &Viewer, found: &Found) -> Result<Json<VersionSummary>, Failure> {
    let tags = hub.app.registry.tags(viewer, found.skill.id).await?;
    Ok(Json(shapes::version(&found.version, pointing(&tags, found.version.id))))
}

/// Only what everybody may see is kept by others, and only a full number means the same bytes for ever.
fn keeping(found: &Found, asked: &SkillRef) -> Keeping {
    let open = matches!(found.skill.visibility, Visibility::Public | Visibility::Unlisted)
        && found.skill.hidden_at.is_none()
        && found.version.is_shown();
    match asked.version {
        _ if !open => Keeping::Nobody,
        Some(VersionSelector::Exact(_)) => Keeping::Forever,
        _ => Keeping::AMinute,
    }
}
