//! A skill's versions, their archives and files.

use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse as _, Response};
use kontor_access::Caller;
use kontor_registry::{Found, Permit, Tag, VersionState};
use kontor_types::{SkillRef, TagName, VersionId, VersionSelector, Viewer};
use kontor_wire::{FileItem, FileList, PageQuery, Reason, VersionDetail, VersionPage, VersionSummary};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::document::Raw;
use super::names::{self, Named};
use super::skill_shapes as shapes;
use crate::extract::{Json, MaybeJson, Path, Query, page_size};
use crate::foreign::{Foreign, Keeping, Media, is_download};
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

/// What a request for bytes may carry; [`Foreign::answer`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described: the headers are read where the bytes are sent")]
struct Conditions {
    /// The part wanted: `bytes=0-99`. Several parts at once are answered with everything.
    #[param(rename = "Range")]
    range: Option<String>,
    /// Tags of copies at hand.
    #[param(rename = "If-None-Match")]
    if_none_match: Option<String>,
}

/// Whether what was not admitted is wanted all the same, to be looked at.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Look {
    /// `true`: also a version that waits, is held or was rejected, for those who maintain the skill. It is for looking at
    /// it, never for installing it: `kontor install` does not ask so.
    held: bool,
}

/// The file that a path names within a version.
#[derive(Deserialize)]
struct Wanted {
    path: String,
}

/// Passes when the caller may have the bytes: to install what was admitted, or to look at what was not.
async fn permitted(hub: &Hub, caller: &Caller, found: &Found, look: &Look) -> Result<Permit, Failure> {
    if look.held && found.version.state != VersionState::Visible {
        // Only those who maintain the skill find such a version by its name.
        return Ok(Permit { open: false });
    }
    Ok(hub.app.registry.may_install(caller, found).await?)
}

/// The versions of a skill, newest first.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions", tag = "versions", params(("p" = String, Path), ("s" = String, Path),
    PageQuery), responses((status = 200, body = VersionPage),
    (status = 308, description = "The skill has another name now: see Location")))]
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
    let size = page_size(page.limit);
    let versions = registry.versions(viewer, &asked, size, page.cursor.as_ref()).await?;
    let tags = registry.tags(viewer, skill.id).await?;
    let items = versions.items.iter().map(|row| shapes::version(row, pointing(&tags, row.id))).collect();
    Ok(Json(VersionPage { items, next_cursor: versions.next }).into_response())
}

/// All about one version.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), responses((status = 200, body = VersionDetail),
    (status = 308, description = "The skill has another name now: see Location")))]
async fn show(State(hub): State<Hub>, Named { caller, found, .. }: Named) -> Result<Response, Failure> {
    Ok(Json(detail(&hub, caller.viewer(), &found).await?).into_response())
}

/// All about a version that was found.
pub(crate) async fn detail(hub: &Hub, viewer: &Viewer, found: &Found) -> Result<VersionDetail, Failure> {
    let registry = &hub.app.registry;
    let tags = registry.tags(viewer, found.skill.id).await?;
    let reading = registry.reading(viewer, found.version.id).await?;
    let requires = registry.requirements(viewer, found.version.id).await?;
    let original = registry.copy_of(viewer, found).await?;
    Ok(shapes::detail(found, pointing(&tags, found.version.id), reading, requires, original))
}

/// The names of the tags that point to a version.
pub(crate) fn pointing(tags: &[Tag], version: VersionId) -> Vec<TagName> {
    tags.iter().filter(|tag| tag.version_id == version).map(|tag| tag.name.clone()).collect()
}

/// The canonical archive: a ZIP whose digest is the version's identity.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}/archive", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path), Look, Conditions), responses(
    (status = 200, content_type = "application/zip", body = Raw),
    (status = 206, content_type = "application/zip", body = Raw, description = "The part that `Range` asks for"),
    (status = 304, description = "The bytes are those of `If-None-Match`"),
    (status = 308, description = "The skill has another name now: see Location"),
    (status = 416, description = "The archive has no such part")))]
async fn archive(
    State(hub): State<Hub>,
    Named { caller, asked, found }: Named,
    Query(look): Query<Look>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let permit = permitted(&hub, &caller, &found, &look).await?;
    let bytes = Foreign::archive(&hub.prepared, &found, is_fixed(&asked), permit);
    let response = bytes.answer(&hub.app.blobs, &headers);
    if is_download(&method, &response) && found.version.state == VersionState::Visible {
        hub.app.registry.count_download(found.skill.id, found.version.id);
    }
    Ok(response)
}

/// The files of a version.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}/files", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), responses((status = 200, body = FileList),
    (status = 308, description = "The skill has another name now: see Location")))]
async fn files(State(hub): State<Hub>, Named { caller, found, .. }: Named) -> Result<Response, Failure> {
    let files = hub.app.registry.files(caller.viewer(), found.version.id).await?;
    let items =
        files.into_iter().map(|file| FileItem { path: file.path, size: file.size, digest: file.digest }).collect();
    let (version, digest) = (found.version.number.clone(), found.version.digest);
    Ok(Json(FileList { version, digest, items }).into_response())
}

/// The bytes of one file.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}/files/{*path}", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path), ("path" = String, Path), Look, Conditions), responses(
    (status = 200, content((Raw = "text/plain"), (Raw = "text/markdown"), (Raw = "application/octet-stream"))),
    (status = 206, content((Raw = "text/plain"), (Raw = "text/markdown"), (Raw = "application/octet-stream")),
        description = "The part that `Range` asks for"),
    (status = 304, description = "The bytes are those of `If-None-Match`"),
    (status = 308, description = "The skill has another name now: see Location"),
    (status = 416, description = "The file has no such part")))]
async fn file(
    State(hub): State<Hub>,
    Named { caller, asked, found }: Named,
    Path(wanted): Path<Wanted>,
    Query(look): Query<Look>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let permit = permitted(&hub, &caller, &found, &look).await?;
    let file = hub.app.registry.file(caller.viewer(), &found, &wanted.path).await?;
    let end = file.position.saturating_add(file.size);
    let (media, keeping) = (Media::of(&file.path), Keeping::of(&found, is_fixed(&asked), permit));
    let bytes = Foreign::of_blob(found.version.digest, file.position, end, &media, &file.digest.hex(), keeping);
    Ok(bytes.answer(&hub.app.blobs, &headers))
}

/// Withdraws a version: only a lock file that names it installs it still.
#[utoipa::path(post, path = "/skills/{p}/{s}/versions/{v}/yank", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), request_body = Option<Reason>, responses((status = 200, body = VersionSummary)))]
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

/// Only a full number means the same bytes for ever.
const fn is_fixed(asked: &SkillRef) -> bool {
    matches!(asked.version, Some(VersionSelector::Exact(_)))
}
