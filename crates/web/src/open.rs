//! Opening the page of a skill: as a page, or as JSON for whoever prefers that.

use std::pin::Pin;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::Caller;
use kontor_db::versions::Version;
use kontor_front::extract::Path;
use kontor_front::{Asked, Failure, Hub};
use kontor_package::{Manifest, body_of};
use kontor_registry::{Found, Skill, Tag};
use kontor_types::{Code, PageSize, Role, Scope, SkillRef, TagName, Visibility};

use crate::skill::{Shown, SkillPage, VersionLine, tools};
use crate::{Language, Reader, chart, deeds, files, layout, markdown};

/// The most files that a page lists.
const MOST_FILES: usize = 200;
/// The most versions that a page lists.
const MOST_VERSIONS: u32 = 20;

/// Answers with what the API says of a skill, for whoever would rather have JSON than a page.
pub type Document = fn(Hub, Caller, SkillRef) -> Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send>>;

/// `GET /@{publisher}/{skill}`, the skill perhaps with a version: `pdf@1.2.0`.
pub async fn skill(
    document: Document,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path((publisher, skill)): Path<(String, String)>,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let caller = asked.caller.clone();
    let name: SkillRef = format!("@{publisher}/{skill}").parse().map_err(|_| Failure::not_found())?;
    if prefers_json(&request) {
        return document(hub, caller, name).await.map_err(not_there);
    }
    let registry = &hub.app.registry;
    let found = match registry.version(caller.viewer(), &name).await {
        Ok(found) => Some(found),
        Err(kontor_registry::Error::VersionNotFound { .. }) if name.version.is_none() => None,
        Err(error) => return Err(hidden(error)),
    };
    let skill = match &found {
        Some(found) => Skill::clone(&found.skill),
        None => registry.skill(caller.viewer(), &name).await.map_err(hidden)?,
    };
    let today =
        SkillRef { version: name.version.clone(), ..SkillRef::new(skill.publisher.clone(), skill.slug.clone()) };
    if today != name {
        return Ok(Redirect::permanent(&format!("/{today}")).into_response());
    }
    let tags = registry.tags(caller.viewer(), skill.id).await?;
    let versions = registry.versions(caller.viewer(), &today, PageSize::clamped(MOST_VERSIONS), None).await?;
    let language = reader.language;
    let told = match &found {
        Some(found) => in_language(&hub, &caller, language, found).await?,
        None => None,
    };
    let active = hub.app.registry.activations(&caller).await?;
    let days = hub.app.registry.usage(caller.viewer(), &today, chart::DAYS).await?;
    let page = SkillPage {
        used: chart::usage(language, &days, hub.app.clock.now().day()),
        maintained: caller.require_role(skill.publisher_id, Role::Maintainer, Scope::Read).is_ok(),
        form: deeds::form_token(&asked),
        active: active.iter().find(|one| one.found.skill.id == skill.id).map(|one| one.found.version.number.clone()),
        hub: hub.absolute(""),
        name: skill.display_name,
        description_derived: skill.description_derived && told.is_none(),
        description: told.unwrap_or(skill.description),
        license: skill.license,
        deprecation: skill.deprecated_at.map(|_| (skill.deprecation_message.unwrap_or_default(), skill.successor)),
        is_hidden_from_others: skill.visibility != Visibility::Public || skill.hidden_at.is_some(),
        counts: [skill.downloads, skill.installs, skill.stars],
        keywords: skill.keywords,
        shown: match &found {
            Some(found) => Some(shown(&hub, &caller, language, found).await?),
            None => None,
        },
        versions: versions.items.iter().map(|version| line(version, &tags)).collect(),
        publisher: skill.publisher,
        slug: skill.slug,
    };
    Ok(layout::page(&reader, &today.to_string(), "", &page.body(language)))
}

/// Whether the reader would rather have JSON than a page.
fn prefers_json(request: &HeaderMap) -> bool {
    let accepted = request.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.contains("application/json") && !accepted.contains("text/html")
}

/// The version that the two parts of a page's address name.
pub async fn found(hub: &Hub, caller: &Caller, publisher: &str, skill: &str) -> Result<Found, Failure> {
    let name: SkillRef = format!("@{publisher}/{skill}").parse().map_err(|_| Failure::not_found())?;
    hub.app.registry.version(caller.viewer(), &name).await.map_err(hidden)
}

/// The address of a version's own page.
pub fn place(found: &Found) -> String {
    format!("/{}", found.reference())
}

/// What is not there and what is hidden look the same.
pub fn hidden(error: kontor_registry::Error) -> Failure {
    not_there(error.into())
}

fn not_there(failure: Failure) -> Failure {
    match failure.code() {
        Code::SkillNotFound | Code::VersionNotFound | Code::FileNotFound => Failure::not_found(),
        _ => failure,
    }
}

/// What the page of a version shows.
pub async fn shown(hub: &Hub, caller: &Caller, language: Language, found: &Found) -> Result<Shown, Failure> {
    let registry = &hub.app.registry;
    let version = &found.version;
    let files = registry.files(caller.viewer(), version.id).await?;
    let place = place(found);
    let address = |path: &str| files::address(&place, path);
    let text = match files.iter().find(|file| file.path == version.skill_file) {
        Some(file) => {
            // One byte more than is shown, so that a cut is seen as one.
            let most = markdown::MAX_TEXT as u64 + 1;
            let bytes = registry.file_bytes(found, file, Some(0..file.size.min(most))).await?;
            markdown::render(language, body_of(&String::from_utf8_lossy(&bytes)), address)
        }
        None => String::new(),
    };
    let reading = registry.reading(caller.viewer(), version.id).await?;
    let manifest: Manifest =
        reading.manifest.and_then(|manifest| serde_json::from_value(manifest).ok()).unwrap_or_default();
    let assessment = registry.assessment(version).await?;
    let (evidence, unexamined, capabilities) = match assessment.report {
        Some(report) => {
            let unexamined = report.unexamined.into_iter().map(|one| (one.file, one.reason)).collect();
            (report.findings, unexamined, Some(report.capabilities))
        }
        None => (Vec::new(), Vec::new(), None),
    };
    Ok(Shown {
        number: version.number.clone(),
        latest: found.skill.latest_number.clone().filter(|latest| *latest != version.number),
        withdrawn: withdrawn(version),
        at: version.created_at,
        size: version.size,
        file_count: version.file_count,
        spec_valid: version.spec_valid,
        tools: tools::read(hub, found, &manifest, &files).await?,
        can_run: !manifest.tools.is_empty() || files.iter().any(|file| is_script(&file.path)),
        manifest,
        observed: registry.behaved(caller.viewer(), found).await?,
        findings: serde_json::from_value(reading.findings).unwrap_or_default(),
        verdict: assessment.scan.map(|scan| scan.verdict),
        evidence,
        unexamined,
        capabilities,
        decision: assessment.decision,
        digest: version.digest.hex(),
        signature: version.signature(),
        origin: version.origin.as_ref().and_then(|origin| origin.get("url")?.as_str().map(str::to_owned)),
        copy_of: registry
            .copy_of(caller.viewer(), found)
            .await?
            .map(|original| format!("@{}/{}@{}", original.publisher, original.slug, original.number)),
        text,
        more_files: files.len().saturating_sub(MOST_FILES) as u64,
        files: files
            .into_iter()
            .take(MOST_FILES)
            .map(|file| (address(&file.path), file))
            .map(|(at, file)| (file.path, file.size, at))
            .collect(),
        place,
    })
}

/// Whether a file looks like a script; whether it is one, its first line says when it is tried.
fn is_script(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').is_some_and(|(_, end)| ["py", "js", "mjs", "cjs", "sh", "bash"].contains(&end))
}

/// What the author wrote of this version in the reader's language, when that is not the one of the format's own key.
async fn in_language(hub: &Hub, caller: &Caller, language: Language, found: &Found) -> Result<Option<String>, Failure> {
    if language == Language::English {
        return Ok(None);
    }
    let version = found.version.id;
    let mut told = hub.app.registry.descriptions_in(caller.viewer(), "zh", &[version]).await?;
    Ok(told.remove(&version))
}

fn withdrawn(version: &Version) -> Option<String> {
    version.yanked_at.map(|_| version.yank_reason.clone().unwrap_or_default())
}

fn line(version: &Version, tags: &[Tag]) -> VersionLine {
    let tags = tags.iter().filter(|tag| tag.version_id == version.id).map(|tag| TagName::to_string(&tag.name));
    VersionLine {
        number: version.number.clone(),
        at: version.created_at,
        changelog: version.changelog.clone(),
        tags: tags.collect(),
        withdrawn: withdrawn(version),
        state: version.state,
    }
}
