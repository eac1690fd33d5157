//! Version 0.1 of the discovery document: the names of all files, each to be fetched by itself.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kontor_access::Caller;
use kontor_db::version_files::File;
use serde_json::{Value, json};

use super::index::described;
use super::scope::{Scope, hidden, keeping};
use crate::extract::Path;
use crate::foreign::{Foreign, Keeping, Media, document};
use crate::{Asker, Failure, Hub};

/// `GET /.well-known/skills/index.json`
pub async fn root(State(hub): State<Hub>, Asker(caller): Asker, request: HeaderMap) -> Result<Response, Failure> {
    index(&hub, &caller, &Scope::Root, &request).await
}

/// `GET /@{publisher}/.well-known/skills/index.json`
pub async fn of_publisher(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(publisher): Path<String>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    index(&hub, &caller, &Scope::read(&publisher, None)?, &request).await
}

/// `GET /@{publisher}/{skill}/.well-known/skills/index.json`
pub async fn of_skill(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, skill)): Path<(String, String)>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    index(&hub, &caller, &Scope::read(&publisher, Some(&skill))?, &request).await
}

async fn index(hub: &Hub, caller: &Caller, scope: &Scope, request: &HeaderMap) -> Result<Response, Failure> {
    let mut skills = Vec::new();
    for found in scope.entries(hub, caller).await? {
        let files = hub.app.registry.files(caller.viewer(), found.version.id).await?;
        skills.push(json!({
            "name": found.skill.slug,
            "description": described(&found.version.description, found.skill.slug.as_str()),
            "files": names(&files, &found.version.skill_file),
            "version": found.version.number,
        }));
    }
    let body = json!({ "skills": skills });
    Ok(document(request, "application/json", body.to_string().into_bytes(), keeping(caller)))
}

/// The text comes first and under the one name that clients ask for.
fn names(files: &[File], skill_file: &str) -> Vec<Value> {
    let others = files.iter().map(|file| file.path.as_str()).filter(|path| *path != skill_file && *path != "SKILL.md");
    std::iter::once("SKILL.md").chain(others).map(Value::from).collect()
}

/// `GET /.well-known/skills/{name}/{path…}`
pub async fn root_file(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((name, path)): Path<(String, String)>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    file(&hub, &caller, &Scope::Root, &name, &path, &request).await
}

/// `GET /@{publisher}/.well-known/skills/{name}/{path…}`
pub async fn publisher_file(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, name, path)): Path<(String, String, String)>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let scope = match Scope::read(&publisher, None)? {
        Scope::Publisher(_) => Scope::read(&publisher, Some(&name))?,
        scope => scope,
    };
    file(&hub, &caller, &scope, &name, &path, &request).await
}

/// `GET /@{publisher}/{skill}/.well-known/skills/{name}/{path…}`
pub async fn skill_file(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, skill, name, path)): Path<(String, String, String, String)>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    file(&hub, &caller, &Scope::read(&publisher, Some(&skill))?, &name, &path, &request).await
}

async fn file(
    hub: &Hub,
    caller: &Caller,
    scope: &Scope,
    name: &str,
    path: &str,
    request: &HeaderMap,
) -> Result<Response, Failure> {
    let entries = scope.entries(hub, caller).await?;
    let found = entries.into_iter().find(|found| found.skill.slug.as_str() == name).ok_or_else(Failure::not_found)?;
    let path = if path == "SKILL.md" { found.version.skill_file.as_str() } else { path };
    let file = hub.app.registry.file(caller.viewer(), &found, path).await.map_err(hidden)?;
    let end = file.position.saturating_add(file.size);
    let keeping = Keeping::of(&found, scope.is_fixed());
    let media = Media::of(&file.path);
    let foreign = Foreign::of_blob(found.version.digest, file.position, end, media, file.digest.hex(), keeping);
    Ok(foreign.answer(&hub.app.blobs, request))
}
