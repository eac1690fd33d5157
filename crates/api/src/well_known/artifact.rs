//! The artifacts that an index of version 0.2 names: the canonical archive, or the text of a skill of one file.

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use serde::Deserialize;

use super::scope::{Scope, found, hidden};
use crate::extract::Path;
use crate::foreign::{Foreign, Keeping, Media, is_download};
use crate::{Asker, Failure, Hub};

/// What is asked of a skill.
#[derive(Debug, Deserialize)]
pub struct InPath {
    artifact: String,
}

/// `GET /@{publisher}/{skill}/.well-known/agent-skills/{artifact}`, also below `/@{publisher}@{skill}`
pub async fn artifact(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    scope: Scope,
    Path(InPath { artifact }): Path<InPath>,
    method: Method,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let Scope::Skill(name) = &scope else { return Err(Failure::not_found()) };
    let found = found(&hub, &caller, name).await?;
    let permit = hub.app.registry.may_install(&caller, &found).await?;
    let version = &found.version;
    let foreign = if artifact.strip_suffix(".zip") == Some(found.skill.slug.as_str()) {
        Foreign::archive(&hub.prepared, &found, scope.is_fixed(), permit)
    } else if artifact == "SKILL.md" {
        let file = hub.app.registry.file(caller.viewer(), &found, &version.skill_file).await.map_err(hidden)?;
        let end = file.position.saturating_add(file.size);
        let keeping = Keeping::of(&found, scope.is_fixed(), permit);
        let digest = file.digest.hex();
        Foreign::of_blob(version.digest, file.position, end, &Media::Markdown, &digest, keeping).into()
    } else {
        return Err(Failure::not_found());
    };
    let response = foreign.answer(&hub.app.blobs, &request);
    if is_download(&method, &response) {
        hub.app.registry.count_download(found.skill.id, version.id);
    }
    Ok(response)
}
