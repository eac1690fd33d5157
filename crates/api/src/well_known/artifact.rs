//! The artifacts that an index of version 0.2 names: the canonical archive, or the text of a skill of one file.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kontor_access::Caller;

use super::scope::{Scope, found, hidden, keeping};
use crate::extract::Path;
use crate::foreign::{Foreign, Media};
use crate::{Asker, Failure, Hub};

/// `GET /@{publisher}/{skill}/.well-known/agent-skills/{artifact}`
pub async fn of_skill(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, skill, artifact)): Path<(String, String, String)>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    send(&hub, &caller, &Scope::read(&publisher, Some(&skill))?, &artifact, &request).await
}

/// `GET /@{publisher}@{skill}/.well-known/agent-skills/{artifact}`
pub async fn of_alias(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, artifact)): Path<(String, String)>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    send(&hub, &caller, &Scope::read(&publisher, None)?, &artifact, &request).await
}

async fn send(
    hub: &Hub,
    caller: &Caller,
    scope: &Scope,
    artifact: &str,
    request: &HeaderMap,
) -> Result<Response, Failure> {
    let Scope::Skill(name) = scope else { return Err(Failure::not_found()) };
    let found = found(hub, caller, name).await?;
    let version = &found.version;
    let keeping = keeping(caller, scope.is_fixed());
    let foreign = if artifact.strip_suffix(".zip") == Some(found.skill.slug.as_str()) {
        let media = Media::Zip(format!("{}-{}.zip", found.skill.slug, version.number));
        Foreign::of_blob(version.digest, 0, version.size, media, version.digest.hex(), keeping)
    } else if artifact == "SKILL.md" {
        let file = hub.app.registry.file(caller.viewer(), &found, &version.skill_file).await.map_err(hidden)?;
        let end = file.position.saturating_add(file.size);
        Foreign::of_blob(version.digest, file.position, end, Media::Markdown, file.digest.hex(), keeping)
    } else {
        return Err(Failure::not_found());
    };
    hub.app.registry.count_download(found.skill.id, version.id);
    Ok(foreign.answer(&hub.app.blobs, request))
}
