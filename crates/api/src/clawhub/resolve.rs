//! `resolve`: which version a folder on somebody's disk is, by its fingerprint.

use axum::extract::State;
use kontor_db::versions::Version;
use kontor_types::Digest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{lookup, names};
use crate::extract::{Json, Query};
use crate::{Asker, Hub};

/// Which skill and which fingerprint.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    slug: Option<String>,
    owner_handle: Option<String>,
    hash: Option<String>,
}

/// `GET /api/v1/resolve?slug&hash`
pub async fn resolve(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let slug = asked.slug.filter(|slug| !slug.is_empty()).ok_or_else(|| Refusal::invalid("slug is missing"))?;
    let hash = asked.hash.map(|hash| hash.trim().to_ascii_lowercase()).unwrap_or_default();
    let Ok(fingerprint) = Digest::from_hex(&hash) else {
        return Err(Refusal::invalid("Invalid hash: use the 64 hex digits of a SHA-256"));
    };
    let named = names::skill(&slug, asked.owner_handle.as_deref())?;
    let skill = lookup::skill(&hub, caller.viewer(), &named).await?;
    let found = hub.app.registry.by_fingerprint(caller.viewer(), skill.id, &fingerprint).await;
    let found = found.map_err(|error| Refusal::of(&hub, error))?;
    let newest = found.into_iter().find(Version::is_shown);
    Ok(Json(json!({
        "slug": skill.slug,
        "match": newest.map(|version| json!({ "version": version.number })),
        "latestVersion": skill.latest_number.as_ref().map(|number| json!({ "version": number })),
    })))
}
