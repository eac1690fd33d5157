//! Names in paths: one that breaks the rules names nothing, exactly like one that nobody has.

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use kontor_registry::Skill;
use kontor_types::{Code, Handle, SkillRef, Slug, VersionSelector};

use crate::{Failure, Hub};

/// `{p}/{s}` of a path.
pub(crate) fn skill(publisher: &str, slug: &str) -> Result<SkillRef, Failure> {
    let unknown =
        || Failure::new(Code::SkillNotFound, format!("Skill not found: @{}/{}", plain(publisher), plain(slug)));
    let publisher = Handle::parse(publisher).map_err(|_| unknown())?;
    Ok(SkillRef::new(publisher, Slug::parse(slug).map_err(|_| unknown())?))
}

/// `{p}/{s}` and `{v}` of a path.
pub(crate) fn version(publisher: &str, slug: &str, version: &str) -> Result<SkillRef, Failure> {
    let reference = skill(publisher, slug)?;
    let selector: VersionSelector = version
        .parse()
        .map_err(|_| Failure::new(Code::VersionNotFound, format!("{reference} has no version {}", plain(version))))?;
    Ok(SkillRef { version: Some(selector), ..reference })
}

/// `{p}` of a path.
pub(crate) fn publisher(handle: &str) -> Result<Handle, Failure> {
    let unknown = |_| Failure::new(Code::PublisherNotFound, format!("there is no publisher @{}", plain(handle)));
    Handle::parse(handle).map_err(unknown)
}

fn plain(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(80).collect()
}

/// Sends a caller who used a former name to the same thing under the present one.
pub(crate) fn moved(hub: &Hub, uri: &Uri, asked: &SkillRef, skill: &Skill) -> Option<Response> {
    let publisher = asked.publisher.as_ref()?;
    if *publisher == skill.publisher && asked.slug == skill.slug {
        return None;
    }
    let (old, new) =
        (format!("/skills/{publisher}/{}", asked.slug), format!("/skills/{}/{}", skill.publisher, skill.slug));
    let rest = uri.path().split_once(old.as_str()).map_or("", |(_, rest)| rest);
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let target = hub.absolute(&format!("{}{new}{rest}{query}", kontor_wire::BASE));
    let mut headers = HeaderMap::new();
    headers.insert(axum::http::header::LOCATION, HeaderValue::try_from(target).ok()?);
    Some((StatusCode::PERMANENT_REDIRECT, headers).into_response())
}
