//! The registry's reading verbs, with their errors in this surface's words.

use kontor_access::Caller;
use kontor_registry::{File, Found, Hit, Listing, Skill, Version};
use kontor_search::Query;
use kontor_types::{Cursor, Page, PageSize, SkillRef, VersionSelector, Viewer};

use super::refusal::Refusal;
use crate::Hub;

/// The skill of a name.
pub async fn skill(hub: &Hub, viewer: &Viewer, name: &SkillRef) -> Result<Skill, Refusal> {
    hub.app.registry.skill(viewer, name).await.map_err(|error| Refusal::of(hub, error))
}

/// A version of a skill, with the skill.
pub async fn found(
    hub: &Hub,
    viewer: &Viewer,
    name: SkillRef,
    version: Option<VersionSelector>,
) -> Result<Found, Refusal> {
    let name = SkillRef { version, ..name };
    hub.app.registry.version(viewer, &name).await.map_err(|error| Refusal::of(hub, error))
}

/// The same, also of a version that was admitted once and is held or rejected now: whoever installed it then learns that it is
/// not to be used any longer.
pub async fn found_or_recalled(
    hub: &Hub,
    viewer: &Viewer,
    name: SkillRef,
    version: Option<VersionSelector>,
) -> Result<Found, Refusal> {
    let refusal = match found(hub, viewer, name.clone(), version.clone()).await {
        Err(refusal) if !refusal.is_fault() => refusal,
        outcome => return outcome,
    };
    let Some(VersionSelector::Exact(number)) = version else { return Err(refusal) };
    let recalled = hub.app.registry.once_admitted(viewer, &name, &number).await;
    recalled.map_err(|error| Refusal::of(hub, error))?.ok_or(refusal)
}

/// The files of a version, by their paths.
pub async fn files(hub: &Hub, viewer: &Viewer, version: &Version) -> Result<Vec<File>, Refusal> {
    hub.app.registry.files(viewer, version.id).await.map_err(|error| Refusal::of(hub, error))
}

/// A page of skills.
pub async fn list(
    hub: &Hub,
    viewer: &Viewer,
    listing: &Listing,
    size: PageSize,
    after: Option<&Cursor>,
) -> Result<Page<Skill>, Refusal> {
    hub.app.registry.list(viewer, listing, size, after).await.map_err(|error| Refusal::of(hub, error))
}

/// What a search finds, best first.
pub async fn search(hub: &Hub, caller: &Caller, query: Query<'_>) -> Result<Vec<Hit>, Refusal> {
    let hits = hub.app.registry.search_by(caller, query).await;
    hits.map(|hits| hits.items).map_err(|error| Refusal::of(hub, error))
}
