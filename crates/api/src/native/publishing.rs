//! Publishing a version and importing one skill of a source: a ZIP as body, everything else in the query.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kontor_package::{Content, Limits};
use kontor_registry::{Import, ImportStatus, Imported, OnConflict, Outcome, Publish};
use kontor_types::Code;
use kontor_wire as wire;
use kontor_wire::{ImportItem, ImportQuery, PublishQuery, Published};
use utoipa_axum::routes;

use super::document::Raw;
use super::{names, skill_shapes as shapes};
use crate::extract::{Json, Path, Query};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Upload, routes!(publish)).add(Class::Import, routes!(import))
}

/// Publishes a version; the same bytes under the same number succeed again and make nothing.
#[utoipa::path(post, path = "/publishers/{p}/skills", tag = "publishing", params(("p" = String, Path), PublishQuery),
    request_body(content = Raw, content_type = "application/zip"),
    responses((status = 201, body = Published), (status = 200, body = Published, description = "Nothing new was made")))]
async fn publish(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(publisher): Path<String>,
    Query(query): Query<PublishQuery>,
    body: Bytes,
) -> Result<(StatusCode, Json<Published>), Failure> {
    let publisher = names::publisher(&publisher)?;
    let dry_run = query.dry_run;
    let request = Publish {
        slug: query.slug,
        folder: query.folder,
        version: query.version,
        changelog: query.changelog.unwrap_or_default(),
        tags: query.tag.into_iter().collect(),
        visibility: query.visibility,
        signature: query.signature.as_deref().map(envelope).transpose()?,
        dry_run,
        ..Publish::new(publisher, content(&hub, body).await?)
    };
    let made = hub.app.registry.publish(&caller, request).await?;
    let status = if made.created() && !dry_run { StatusCode::CREATED } else { StatusCode::OK };
    let page = hub.absolute(&format!("/@{}/{}", made.publisher, made.slug));
    let answer = Published {
        status: match made.outcome {
            Outcome::Created => wire::PublishStatus::Created,
            Outcome::Updated => wire::PublishStatus::Updated,
            Outcome::Unchanged => wire::PublishStatus::Unchanged,
        },
        reference: kontor_types::SkillRef::new(made.publisher, made.slug),
        version: made.number,
        digest: made.digest,
        state: shapes::state(made.state),
        findings: made.findings.into_iter().map(kontor_front::finding).collect(),
        page_url: Some(page),
    };
    Ok((status, Json(answer)))
}

/// The bytes of a signature's envelope.
fn envelope(text: &str) -> Result<Vec<u8>, Failure> {
    let broken = |_| Failure::invalid("the signature is no base64 for addresses, without padding");
    URL_SAFE_NO_PAD.decode(text).map_err(broken)
}

/// Imports one skill of a source. What cannot be taken is answered with status `refused` and why, not as an error.
#[utoipa::path(post, path = "/publishers/{p}/imports", tag = "publishing", params(("p" = String, Path), ImportQuery),
    request_body(content = Raw, content_type = "application/zip"), responses((status = 200, body = ImportItem)))]
async fn import(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(publisher): Path<String>,
    Query(query): Query<ImportQuery>,
    body: Bytes,
) -> Result<Json<ImportItem>, Failure> {
    let publisher = names::publisher(&publisher)?;
    let content = match read(&hub, body).await {
        Ok(content) => content,
        Err(Unread::Refused(error)) => return Ok(Json(refused(query.path, &error))),
        Err(Unread::Failed(failure)) => return Err(failure),
    };
    let origin = serde_json::to_value(query.origin()).ok().filter(|_| !query.origin_kind.is_empty());
    let request = Import {
        slug: query.slug,
        number: query.version,
        folder: query.folder,
        on_conflict: match query.on_conflict {
            wire::OnConflict::Refuse => OnConflict::Refuse,
            wire::OnConflict::Rename => OnConflict::Rename,
        },
        visibility: query.visibility,
        origin,
        ..Import::new(publisher, query.source, query.path, content)
    };
    Ok(Json(item(hub.app.registry.import(&caller, request).await?)))
}

fn item(imported: Imported) -> ImportItem {
    let (code, message, hint, file, line) = match imported.refusal {
        None => (None, None, None, None, None),
        Some(refusal) => (Some(refusal.code), Some(refusal.message), refusal.hint, refusal.file, refusal.line),
    };
    ImportItem {
        path: imported.path,
        status: match imported.status {
            ImportStatus::Imported => wire::ImportStatus::Imported,
            ImportStatus::Updated => wire::ImportStatus::Updated,
            ImportStatus::Unchanged => wire::ImportStatus::Unchanged,
            ImportStatus::Refused => wire::ImportStatus::Refused,
        },
        reference: imported.reference.map(|reference| kontor_types::SkillRef { version: None, ..reference }),
        version: imported.number,
        digest: imported.digest,
        code,
        message,
        hint,
        file,
        line,
    }
}

fn refused(path: String, error: &kontor_package::Error) -> ImportItem {
    let finding = error.finding();
    ImportItem {
        path,
        status: wire::ImportStatus::Refused,
        reference: None,
        version: None,
        digest: None,
        code: Some(finding.code.into_owned()),
        message: Some(finding.message),
        hint: Some(finding.remedy).filter(|remedy| !remedy.is_empty()),
        file: Some(finding.file).filter(|file| !file.is_empty()),
        line: Some(finding.line).filter(|line| *line > 0),
    }
}

/// Why a body did not become content.
enum Unread {
    Refused(kontor_package::Error),
    Failed(Failure),
}

/// The skill in a ZIP, read away from the threads that serve requests.
pub(crate) async fn content(hub: &Hub, body: Bytes) -> Result<Content, Failure> {
    read(hub, body).await.map_err(|unread| match unread {
        Unread::Refused(error) => Failure::from(kontor_registry::Error::from(error)),
        Unread::Failed(failure) => failure,
    })
}

async fn read(hub: &Hub, body: Bytes) -> Result<Content, Unread> {
    let limits: Limits = *hub.app.registry.limits();
    let unpacked = tokio::task::spawn_blocking(move || Content::from_archive(&body, &limits)).await;
    match unpacked {
        Ok(content) => content.map_err(Unread::Refused),
        Err(_) => Err(Unread::Failed(Failure::new(Code::Unavailable, "the work was interrupted"))),
    }
}
