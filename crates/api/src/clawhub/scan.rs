//! `scan`: there is no scanner, and that is what is answered, at once instead of a queue that nobody serves.

use axum::extract::State;
use kontor_types::SkillRef;
use serde::Deserialize;
use serde_json::{Value, json};

use super::names::Named;
use super::refusal::Refusal;
use super::{lookup, names, unscanned};
use crate::extract::{Json, Path};
use crate::{Asker, Hub};

const NO_SCANNER: &str = "this hub has no scanner yet: nobody has looked at these bytes";

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
    Ok(Json(json!({
        "ok": true,
        "scanId": found.reference().to_string(),
        "status": "failed",
        "sourceKind": "published",
        "update": asked.update,
        "alreadyQueued": false,
    })))
}

/// `GET /api/v1/skills/-/scan/{id}`
pub async fn status(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    caller.require_person()?;
    let name: SkillRef = id.parse().map_err(|_| unknown())?;
    let which = name.version.clone();
    let found = lookup::found(&hub, caller.viewer(), name, which).await?;
    let (skill, version) = (&found.skill, &found.version);
    Ok(Json(json!({
        "ok": true,
        "scanId": found.reference().to_string(),
        "status": "failed",
        "sourceKind": "published",
        "update": false,
        "writtenBack": false,
        "artifact": {
            "slug": skill.slug,
            "displayName": skill.display_name,
            "publisherHandle": skill.publisher,
            "version": version.number,
            "sha256": version.digest.hex(),
        },
        "lastError": NO_SCANNER,
        "createdAt": version.created_at.millis(),
        "updatedAt": version.created_at.millis(),
    })))
}

/// `GET /api/v1/skills/-/scan/{id}/download` and `GET /api/v1/skills/-/scan/download/{name}`
pub async fn report() -> Refusal {
    Refusal::not_found(format!("no report: {NO_SCANNER}"))
}

/// `GET /api/v1/skills/{slug}/scan[?version|tag]`
pub async fn details(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Named(named): Named,
) -> Result<Json<Value>, Refusal> {
    let skill = lookup::skill(&hub, caller.viewer(), &named).await?;
    Ok(Json(json!({
        "skill": { "slug": skill.slug, "displayName": skill.display_name },
        "security": unscanned::security(),
        "moderation": null,
    })))
}

fn unknown() -> Refusal {
    Refusal::not_found("Scan not found")
}
