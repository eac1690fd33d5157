//! Which skill a request means: a slug and, where known, its owner and a version.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kontor_types::{Handle, SkillRef, Slug, TagName, VersionSelector};
use serde::Deserialize;

use super::refusal::Refusal;
use crate::Hub;
use crate::extract::{Path, Query};

/// The owner in a query: `?ownerHandle=…`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Owner {
    /// With or without `@`, in any case.
    owner_handle: Option<String>,
}

/// The skill that an address names: `{slug}` in the path, perhaps `?ownerHandle=…` behind it.
#[derive(Debug, Clone)]
pub struct Named(pub SkillRef);

impl Named {
    /// The skill, of the owner that the body names if it does.
    pub fn owned_by(self, owner: Option<&str>) -> Result<SkillRef, Refusal> {
        let owner = handle(owner).map_err(|_| Refusal::skill_not_found())?;
        Ok(SkillRef { publisher: owner.or(self.0.publisher), ..self.0 })
    }
}

impl FromRequestParts<Hub> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        struct InPath {
            slug: String,
        }
        let Path(InPath { slug }) = Path::from_request_parts(parts, hub).await?;
        let Query(Owner { owner_handle }) = Query::from_request_parts(parts, hub).await?;
        skill(&slug, owner_handle.as_deref()).map(Self)
    }
}

/// Reads a slug and perhaps its owner; a name that no skill can have is simply not found.
pub fn skill(slug: &str, owner: Option<&str>) -> Result<SkillRef, Refusal> {
    let slug = Slug::parse(&slug.trim().to_lowercase()).map_err(|_| Refusal::skill_not_found())?;
    let publisher = handle(owner).map_err(|_| Refusal::skill_not_found())?;
    Ok(SkillRef { publisher, slug, version: None })
}

/// An owner's handle, if one is given: trimmed, without `@`, in lower case.
pub fn handle(text: Option<&str>) -> Result<Option<Handle>, kontor_types::NameError> {
    let text = text.map(|text| text.trim().trim_start_matches('@').to_lowercase()).filter(|text| !text.is_empty());
    text.map(|text| Handle::parse(&text)).transpose()
}

/// Reads a number or else a tag; one that cannot be is simply not found. Nothing means `latest`.
pub fn version(number: Option<&str>, tag: Option<&str>) -> Result<Option<VersionSelector>, Refusal> {
    let given = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(number) = given(number) {
        return number.parse().map(VersionSelector::Exact).map(Some).map_err(|_| Refusal::version_not_found());
    }
    match given(tag) {
        Some(tag) if !tag.eq_ignore_ascii_case("latest") => {
            TagName::parse(&tag).map(VersionSelector::Tag).map(Some).map_err(|_| Refusal::version_not_found())
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::bare("pdf", None, "pdf")]
    #[case::owned("pdf", Some("acme"), "@acme/pdf")]
    #[case::as_people_write_it(" PDF ", Some(" @Acme "), "@acme/pdf")]
    #[case::nobody("pdf", Some("@"), "pdf")]
    fn a_name_is_read_leniently(#[case] slug: &str, #[case] owner: Option<&str>, #[case] expected: &str) {
        assert_eq!(skill(slug, owner).map(|skill| skill.to_string()).ok().as_deref(), Some(expected));
    }

    #[rstest]
    #[case::path("../x", None)]
    #[case::empty("", None)]
    #[case::owner("pdf", Some("no.dots"))]
    fn a_name_that_cannot_be_is_not_found(#[case] slug: &str, #[case] owner: Option<&str>) {
        assert!(skill(slug, owner).is_err_and(|refusal| !refusal.is_fault()));
    }

    #[rstest]
    #[case::nothing(None, None, "latest")]
    #[case::empty(Some(""), Some(" "), "latest")]
    #[case::latest(None, Some("Latest"), "latest")]
    #[case::number(Some("1.2.0"), Some("stable"), "1.2.0")]
    #[case::tag(None, Some("stable"), "stable")]
    #[case::odd_number(Some("one"), None, "not found")]
    #[case::odd_tag(None, Some("1 2"), "not found")]
    fn a_version_is_read(#[case] number: Option<&str>, #[case] tag: Option<&str>, #[case] expected: &str) {
        let read =
            version(number, tag).map(|which| which.map_or_else(|| "latest".to_owned(), |which| which.to_string()));
        assert_eq!(read.unwrap_or_else(|_| "not found".to_owned()), expected);
    }
}
