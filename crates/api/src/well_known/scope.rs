//! What an address means: everything, a publisher, a skill or one version of it.

use std::collections::HashSet;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kontor_access::Caller;
use kontor_registry::{Found, Listing, Skill, Sort, Version};
use kontor_types::{Code, Handle, PageSize, SkillRef, Slug, VersionSelector};
use serde::Deserialize;

use crate::extract::Path;
use crate::foreign::Keeping;
use crate::{Failure, Hub};

/// The most skills of the root's document.
const FEATURED: u32 = 50;
/// The most skills of a publisher's document.
const LISTED: usize = 1_000;

/// What an address means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The whole hub.
    Root,
    /// All skills of a publisher.
    Publisher(Handle),
    /// One skill, perhaps one version of it.
    Skill(SkillRef),
}

impl FromRequestParts<Hub> for Scope {
    type Rejection = Failure;

    /// By the path's `{publisher}` and `{skill}`, each of which may be missing.
    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct InPath {
            publisher: Option<String>,
            skill: Option<String>,
        }
        let Path(InPath { publisher, skill }) = Path::from_request_parts(parts, hub).await?;
        publisher.map_or(Ok(Self::Root), |publisher| Self::read(&publisher, skill.as_deref()))
    }
}

impl Scope {
    /// The skill of this name within a publisher's skills; other scopes list few enough to look through.
    pub fn narrowed(self, name: &str) -> Result<Self, Failure> {
        match self {
            Self::Publisher(publisher) => Self::read(publisher.as_str(), Some(name)),
            scope => Ok(scope),
        }
    }

    /// Reads `p`, `p@s` or `p@s@v`, and `s` or `s@v` behind it; what cannot be is simply not found.
    fn read(first: &str, second: Option<&str>) -> Result<Self, Failure> {
        let (publisher, alias) =
            first.split_once('@').map_or((first, None), |(publisher, skill)| (publisher, Some(skill)));
        let publisher = Handle::parse(publisher).map_err(|_| Failure::not_found())?;
        let skill = match (alias, second) {
            (None, None) => return Ok(Self::Publisher(publisher)),
            (Some(skill), None) | (None, Some(skill)) => skill,
            (Some(_), Some(_)) => return Err(Failure::not_found()),
        };
        let (slug, version) = skill.split_once('@').map_or((skill, None), |(slug, version)| (slug, Some(version)));
        let version: Option<VersionSelector> = version.map(str::parse).transpose().map_err(|_| Failure::not_found())?;
        let slug = Slug::parse(slug).map_err(|_| Failure::not_found())?;
        Ok(Self::Skill(SkillRef { publisher: Some(publisher), slug, version }))
    }

    /// Whether the address always means the same bytes.
    pub fn is_fixed(&self) -> bool {
        matches!(self, Self::Skill(SkillRef { version: Some(VersionSelector::Exact(_)), .. }))
    }

    /// The versions that an index of this scope lists, each skill's newest unless the scope names one. What the caller may
    /// not install is left out of a list: clients install all that it has.
    pub async fn entries(&self, hub: &Hub, caller: &Caller) -> Result<Vec<Found>, Failure> {
        let registry = &hub.app.registry;
        let skills = match self {
            Self::Skill(name) => {
                let found = found(hub, caller, name).await?;
                registry.may_install(caller, &found).await?;
                return Ok(vec![found]);
            }
            Self::Publisher(handle) => of_publisher(hub, caller, handle).await?,
            Self::Root => {
                let size = PageSize::clamped(FEATURED);
                let listing = Listing { sort: Sort::Downloads, ..Listing::default() };
                registry.list(caller.viewer(), &listing, size, None).await?.items
            }
        };
        let mut names = HashSet::new();
        let skills: Vec<Skill> = skills.into_iter().filter(|skill| names.insert(skill.slug.clone())).collect();
        let found = registry.newest_of(caller.viewer(), skills).await?;
        let found = registry.installable(caller, found).await?;
        match (self, found.as_slice()) {
            (Self::Publisher(_), []) => Err(Failure::not_found()),
            _ => Ok(found),
        }
    }
}

async fn of_publisher(hub: &Hub, caller: &Caller, handle: &Handle) -> Result<Vec<Skill>, Failure> {
    let listing = Listing { publisher: Some(handle.clone()), sort: Sort::Name, ..Listing::default() };
    let (mut skills, mut after) = (Vec::new(), None);
    loop {
        let size = PageSize::clamped(PageSize::MAX);
        let page = hub.app.registry.list(caller.viewer(), &listing, size, after.as_ref()).await?;
        skills.extend(page.items);
        after = page.next;
        if after.is_none() || skills.len() >= LISTED {
            return Ok(skills);
        }
    }
}

/// The version that a name means, or the one answer for all that is not there.
pub async fn found(hub: &Hub, caller: &Caller, name: &SkillRef) -> Result<Found, Failure> {
    hub.app.registry.version(caller.viewer(), name).await.map_err(hidden)
}

/// A skill, a version and a file that are not there or hidden look the same.
pub fn hidden(error: kontor_registry::Error) -> Failure {
    let failure = Failure::from(error);
    match failure.code() {
        Code::SkillNotFound | Code::VersionNotFound | Code::FileNotFound | Code::PublisherNotFound => {
            Failure::not_found()
        }
        _ => failure,
    }
}

/// Who may keep an index: it lists what its reader may see.
pub fn keeping(caller: &Caller) -> Keeping {
    if caller.person.is_some() { Keeping::Nobody } else { Keeping::AMinute }
}

/// Whether a version is one file, which is then its artifact.
pub fn is_one_file(version: &Version) -> bool {
    version.file_count == 1
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::publisher("acme", None, Some("@acme"))]
    #[case::skill("acme", Some("pdf"), Some("@acme/pdf"))]
    #[case::version("acme", Some("pdf@1.2.0"), Some("@acme/pdf@1.2.0"))]
    #[case::tag("acme", Some("pdf@stable"), Some("@acme/pdf@stable"))]
    #[case::alias("acme@pdf", None, Some("@acme/pdf"))]
    #[case::alias_with_version("acme@pdf@1.2.0", None, Some("@acme/pdf@1.2.0"))]
    #[case::alias_and_skill("acme@pdf", Some("pdf"), None)]
    #[case::no_publisher("", Some("pdf"), None)]
    #[case::no_skill("acme@", None, None)]
    #[case::odd_version("acme", Some("pdf@..%2f"), None)]
    #[case::upper_case("Acme", None, None)]
    fn an_address_is_read(#[case] first: &str, #[case] second: Option<&str>, #[case] expected: Option<&str>) {
        let read = Scope::read(first, second).ok().map(|scope| match scope {
            Scope::Root => "/".to_owned(),
            Scope::Publisher(handle) => format!("@{handle}"),
            Scope::Skill(name) => name.to_string(),
        });
        assert_eq!(read.as_deref(), expected);
    }
}
