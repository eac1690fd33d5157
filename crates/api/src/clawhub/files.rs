//! One file of a skill, as it was published.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::refusal::Refusal;
use super::{lookup, names};
use crate::extract::{Path, Query};
use crate::foreign::{Foreign, Keeping, Media};
use crate::{Asker, Hub};

/// Which file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    owner_handle: Option<String>,
    path: Option<String>,
    version: Option<String>,
    tag: Option<String>,
}

/// `GET /api/v1/skills/{slug}/file?path[&version|tag]`
pub async fn file(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
    request: HeaderMap,
) -> Result<Response, Refusal> {
    let named = names::skill(&slug, asked.owner_handle.as_deref())?;
    let which = names::version(asked.version.as_deref(), asked.tag.as_deref())?;
    let Some(path) = asked.path.filter(|path| !path.is_empty()) else {
        return Err(Refusal::invalid("path is missing: say which file"));
    };
    let found = lookup::found(&hub, caller.viewer(), named, which).await?;
    let permit = hub.app.registry.may_install(&caller, &found).await.map_err(|error| Refusal::of(&hub, error))?;
    let file = hub.app.registry.file(caller.viewer(), &found, &path).await.map_err(|error| Refusal::of(&hub, error))?;
    let (start, end) = (file.position, file.position.saturating_add(file.size));
    let keeping = Keeping::of(&found, false, permit);
    let (media, tag) = (Media::of(&file.path), file.digest.hex());
    let foreign = Foreign::of_blob(found.version.digest, start, end, &media, &tag, keeping);
    Ok(foreign.answer(&hub.app.blobs, &request))
}
