//! `scan`: what the hub found in published versions. Every version is scanned when it is published and again when the rules
//! change, so asking for a scan answers with the newest one.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kontor_access::Caller;
use kontor_package::{Content, Limits, pack};
use kontor_registry::Found;
use kontor_types::{Code, SkillRef};
use serde::Deserialize;
use serde_json::{Value, json};

use super::judged::Judged;
use super::names::Named;
use super::refusal::Refusal;
use super::{lookup, names};
use crate::extract::{Json, Path, Query};
use crate::foreign::{Foreign, Keeping, Media, Piece};
use crate::{Asker, Failure, Hub};

/// What is to be scanned.
#[derive(Debug, Deserialize)]
pub struct Asked {
    source: Source,
    #[serde(default)]
    update: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    kind: String,
    #[serde(default)]
    slug: String,
    owner_handle: Option<String>,
    version: Option<String>,
}

/// Which version's report.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    owner_handle: Option<String>,
    version: Option<String>,
}

/// `POST /api/v1/skills/-/scan` with `{source: {kind: "published", slug, …}, update}`
pub async fn submit(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(asked): Json<Asked>,
) -> Result<Json<Value>, Refusal> {
    caller.require_person()?;
    if asked.source.kind != "published" {
        return Err(Refusal::gone("only published versions can be scanned: publish the folder first"));
    }
    let named = names::skill(&asked.source.slug, asked.source.owner_handle.as_deref())?;
    let which = names::version(asked.source.version.as_deref(), None)?;
    let found = lookup::found(&hub, caller.viewer(), named, which).await?;
    let judged = Judged::read(&hub, &found.version).await?;
    Ok(Json(json!({
        "ok": true,
        "scanId": found.reference().to_string(),
        "status": standing(&judged),
        "sourceKind": "published",
        "update": asked.update,
        "alreadyQueued": true,
    })))
}

/// How far the scan of a version is.
fn standing(judged: &Judged) -> &'static str {
    match (judged.checked_at(), judged.failure()) {
        (Some(_), _) => "succeeded",
        (None, Some(_)) => "failed",
        (None, None) => "running",
    }
}

/// `GET /api/v1/skills/-/scan/{id}`
pub async fn status(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    caller.require_person()?;
    let found = identified(&hub, &caller, &id).await?;
    Ok(Json(told(&hub, &found).await?))
}

async fn identified(hub: &Hub, caller: &Caller, id: &str) -> Result<Found, Refusal> {
    let name: SkillRef = id.parse().map_err(|_| Refusal::not_found("Scan not found"))?;
    let which = name.version.clone();
    lookup::found(hub, caller.viewer(), name, which).await
}

async fn told(hub: &Hub, found: &Found) -> Result<Value, Refusal> {
    let (skill, version) = (&found.skill, &found.version);
    let judged = Judged::read(hub, version).await?;
    let created = version.created_at.millis();
    let mut told = json!({
        "ok": true,
        "scanId": found.reference().to_string(),
        "status": standing(&judged),
        "sourceKind": "published",
        "update": false,
        "writtenBack": true,
        "artifact": {
            "slug": skill.slug,
            "displayName": skill.display_name,
            "publisherHandle": skill.publisher,
            "version": version.number,
            "sha256": version.digest.hex(),
        },
        "createdAt": created,
        "updatedAt": judged.checked_at().unwrap_or(created),
    });
    if let Some(at) = judged.checked_at() {
        told["completedAt"] = json!(at);
        told["report"] = json!({
            "clawscan": { "verdict": judged.status(), "summary": judged.overview(), "status": judged.status() },
            "staticAnalysis": judged.static_analysis(),
        });
    }
    if let Some(failure) = judged.failure() {
        told["lastError"] = json!(failure);
    }
    Ok(told)
}

/// `GET /api/v1/skills/-/scan/{id}/download`
pub async fn report(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    request: HeaderMap,
) -> Result<Response, Refusal> {
    let found = identified(&hub, &caller, &id).await?;
    zipped(&hub, &found, &request).await
}

/// `GET /api/v1/skills/-/scan/download/{name}?version`
pub async fn report_of(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
    request: HeaderMap,
) -> Result<Response, Refusal> {
    let named = names::skill(&name, wanted.owner_handle.as_deref())?;
    let which = names::version(wanted.version.as_deref(), None)?;
    let found = lookup::found(&hub, caller.viewer(), named, which).await?;
    zipped(&hub, &found, &request).await
}

/// The report as a ZIP of one JSON file.
async fn zipped(hub: &Hub, found: &Found, request: &HeaderMap) -> Result<Response, Refusal> {
    let told = told(hub, found).await?;
    let text = format!("{told:#}").into_bytes();
    let broken = |_| Failure::new(Code::Internal, "the report cannot be packed");
    let content = Content::from_files([("report.json".to_owned(), text)], &Limits::default()).map_err(broken)?;
    let package = pack(&content);
    let media = Media::Zip(format!("{}-{}-scan.zip", found.skill.slug, found.version.number));
    let tag = package.digest.short(32);
    let pieces = vec![Piece::Held(package.bytes.into())];
    Ok(Foreign::new(pieces, &media, &tag, Keeping::Nobody).answer(&hub.app.blobs, request))
}

/// `GET /api/v1/skills/{slug}/scan[?version|tag]`
pub async fn details(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Named(named): Named,
) -> Result<Json<Value>, Refusal> {
    let skill = lookup::skill(&hub, caller.viewer(), &named).await?;
    let judged = super::skill::judged(&hub, &caller, &skill).await?;
    Ok(Json(json!({
        "skill": { "slug": skill.slug, "displayName": skill.display_name },
        "security": judged.as_ref().map(Judged::security),
        "moderation": judged.as_ref().map(Judged::moderation),
    })))
}
