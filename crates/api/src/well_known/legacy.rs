//! Version 0.1 of the discovery document: the names of all files, each to be fetched by itself.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kontor_db::version_files::File;
use serde::Deserialize;
use serde_json::{Value, json};

use super::index::described;
use super::scope::{Scope, hidden, keeping};
use crate::extract::Path;
use crate::foreign::{Foreign, Keeping, Media, document};
use crate::{Asker, Failure, Hub};

/// `GET /.well-known/skills/index.json`, also below `/@{publisher}` and `/@{publisher}/{skill}`
pub async fn index(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    scope: Scope,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let mut skills = Vec::new();
    for found in scope.entries(&hub, &caller).await? {
        let files = hub.app.registry.files(caller.viewer(), found.version.id).await?;
        skills.push(json!({
            "name": found.skill.slug,
            "description": described(&found.version.description, found.skill.slug.as_str()),
            "files": names(&files, &found.version.skill_file),
            "version": found.version.number,
        }));
    }
    let body = json!({ "skills": skills });
    Ok(document(&request, "application/json", body.to_string().into_bytes(), keeping(&caller)))
}

/// The text comes first and under the one name that clients ask for.
fn names(files: &[File], skill_file: &str) -> Vec<Value> {
    let others = files.iter().map(|file| file.path.as_str()).filter(|path| *path != skill_file && *path != "SKILL.md");
    std::iter::once("SKILL.md").chain(others).map(Value::from).collect()
}

/// The rest of a file's address.
#[derive(Debug, Deserialize)]
pub struct InPath {
    name: String,
    path: String,
}

/// `GET /.well-known/skills/{name}/{path…}`, also below `/@{publisher}` and `/@{publisher}/{skill}`
pub async fn file(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    scope: Scope,
    Path(InPath { name, path }): Path<InPath>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let scope = scope.narrowed(&name)?;
    let entries = scope.entries(&hub, &caller).await?;
    let found = entries.into_iter().find(|found| found.skill.slug.as_str() == name).ok_or_else(Failure::not_found)?;
    let permit = hub.app.registry.may_install(&caller, &found).await?;
    let path = if path == "SKILL.md" { &found.version.skill_file } else { &path };
    let file = hub.app.registry.file(caller.viewer(), &found, path).await.map_err(hidden)?;
    let end = file.position.saturating_add(file.size);
    let keeping = Keeping::of(&found, scope.is_fixed(), permit);
    let media = Media::of(&file.path);
    let foreign = Foreign::of_blob(found.version.digest, file.position, end, &media, &file.digest.hex(), keeping);
    Ok(foreign.answer(&hub.app.blobs, &request))
}
