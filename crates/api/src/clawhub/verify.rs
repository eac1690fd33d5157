//! `skill verify`: the facts about one version. It passes only what was scanned, found clean and admitted.

use axum::extract::State;
use kontor_db::skills::Skill;
use kontor_db::versions::Version;
use kontor_registry::Found;
use kontor_types::VersionSelector;
use serde::Deserialize;
use serde_json::{Value, json};

use super::judged::{Advice, Judged};
use super::refusal::Refusal;
use super::{lookup, names, shapes};
use crate::extract::{Json, Path, Query};
use crate::{Asker, Hub};

/// Which version.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    owner_handle: Option<String>,
    version: Option<String>,
    tag: Option<String>,
}

/// `GET /api/v1/skills/{slug}/verify[?version|tag]`
pub async fn verify(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let named = names::skill(&slug, asked.owner_handle.as_deref())?;
    let which = names::version(asked.version.as_deref(), asked.tag.as_deref())?;
    let found = lookup::found_or_recalled(&hub, caller.viewer(), named, which.clone()).await?;
    let judged = Judged::read_for(&hub, &caller, &found).await?;
    let Found { skill, version } = found;
    let files = lookup::files(&hub, caller.viewer(), &version).await?;
    let files: Vec<_> =
        files.iter().map(|file| json!({ "path": file.path, "size": file.size, "sha256": file.digest.hex() })).collect();
    let (resolved_from, tag) = match &which {
        None => ("latest", Some("latest".to_owned())),
        Some(VersionSelector::Tag(tag)) => ("tag", Some(tag.to_string())),
        Some(_) => ("version", None),
    };
    let page = shapes::page(&hub, &skill);
    let passes = judged.advice() == Advice::Pass;
    Ok(Json(json!({
        "schema": "clawhub.skill.verify.v1",
        "ok": passes,
        "decision": if passes { "pass" } else { "fail" },
        "reasons": judged.reasons(),
        "slug": skill.slug,
        "displayName": skill.display_name,
        "pageUrl": page,
        "publisherHandle": skill.publisher,
        "publisherDisplayName": skill.publisher,
        "publisherProfileUrl": hub.absolute(&format!("/@{}", skill.publisher)),
        "version": version.number,
        "resolvedFrom": resolved_from,
        "tag": tag,
        "createdAt": version.created_at.millis(),
        "card": { "available": false, "url": null },
        "artifact": artifact(&version, &files),
        "provenance": provenance(&skill, &version),
        "security": judged.security(),
        "signature": { "available": false },
    })))
}

fn artifact(version: &Version, files: &[Value]) -> Value {
    json!({
        "sha256": version.digest.hex(),
        "bytes": version.size,
        "sourceFingerprint": version.fingerprint.hex(),
        "files": files,
    })
}

/// What the publisher says about where the bytes came from; nobody has checked it.
fn provenance(skill: &Skill, version: &Version) -> Value {
    let Some(Value::Object(origin)) = &version.origin else { return json!({ "source": "unavailable" }) };
    let mut facts = origin.clone();
    facts.insert("source".to_owned(), json!("declared-by-publisher"));
    facts.insert("publisher".to_owned(), json!(skill.publisher));
    Value::Object(facts)
}
