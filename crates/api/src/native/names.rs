//! Names in paths: one that breaks the rules names nothing, exactly like one that nobody has.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use kontor_access::Caller;
use kontor_registry::{Found, Skill};
use kontor_types::{Code, Handle, SkillRef, Slug, VersionSelector};
use serde::Deserialize;

use crate::extract::Path;
use crate::{Asker, Failure, Hub};

/// The version that `{p}`, `{s}` and `{v}` of a path name, as far as the caller may see it. Whoever uses a former name is sent
/// to the present one before the handler begins.
pub(crate) struct Named {
    /// Who asks.
    pub caller: Caller,
    /// What the path says.
    pub asked: SkillRef,
    /// What was found by it.
    pub found: Found,
}

/// The parts of a path that name a version; others are not read here.
#[derive(Deserialize)]
struct Parameters {
    p: String,
    s: String,
    v: String,
}

impl FromRequestParts<Hub> for Named {
    type Rejection = Elsewhere;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Elsewhere> {
        let Path(Parameters { p, s, v }) = Path::from_request_parts(parts, hub).await?;
        let Ok(Asker(caller)) = Asker::from_request_parts(parts, hub).await;
        let asked = version(&p, &s, &v)?;
        let found = hub.app.registry.version(caller.viewer(), &asked).await.map_err(Failure::from)?;
        match moved(hub, &parts.uri, &asked, &found.skill) {
            Some(there) => Err(Elsewhere::Moved(there)),
            None => Ok(Self { caller, asked, found }),
        }
    }
}

/// Why there is nothing under a name: it has moved, or nobody has it.
pub(crate) enum Elsewhere {
    /// Sends the caller to the present name.
    Moved(Response),
    /// Says why nothing was found.
    Failed(Failure),
}

impl From<Failure> for Elsewhere {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl IntoResponse for Elsewhere {
    fn into_response(self) -> Response {
        match self {
            Self::Moved(there) => there,
            Self::Failed(failure) => failure.into_response(),
        }
    }
}

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
