//! Tags: movable pointers to versions.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_registry::Skill;
use kontor_types::{Code, TagName, Viewer};
use kontor_wire::{Tag, TagList, TagTarget};
use utoipa_axum::routes;

use super::names;
use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Read, routes!(list)).add(Class::Write, routes!(set, remove))
}

/// The tags of a skill, by name.
pub(crate) async fn named(hub: &Hub, viewer: &Viewer, skill: &Skill) -> Result<Vec<Tag>, Failure> {
    let tags = hub.app.registry.tags(viewer, skill.id).await?;
    Ok(tags.into_iter().map(shape).collect())
}

fn shape(tag: kontor_registry::Tag) -> Tag {
    Tag { tag: tag.name, version: tag.number, updated_at: tag.updated_at }
}

/// The tags of a skill.
#[utoipa::path(get, path = "/skills/{p}/{s}/tags", tag = "tags", params(("p" = String, Path), ("s" = String, Path)),
    responses((status = 200, body = TagList)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
) -> Result<Json<TagList>, Failure> {
    let skill = hub.app.registry.skill(caller.viewer(), &names::skill(&publisher, &slug)?).await?;
    Ok(Json(TagList { items: named(&hub, caller.viewer(), &skill).await? }))
}

/// Points a tag to a version; `latest` follows its rule and cannot be set.
#[utoipa::path(put, path = "/skills/{p}/{s}/tags/{tag}", tag = "tags", params(("p" = String, Path),
    ("s" = String, Path), ("tag" = String, Path)), request_body = TagTarget, responses((status = 200, body = Tag)))]
async fn set(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug, tag)): Path<(String, String, String)>,
    Json(target): Json<TagTarget>,
) -> Result<Json<Tag>, Failure> {
    let asked = names::skill(&publisher, &slug)?;
    let tag = hub.app.registry.set_tag(&caller, &asked, &name(&tag)?, &target.version).await?;
    Ok(Json(shape(tag)))
}

/// Removes a tag.
#[utoipa::path(delete, path = "/skills/{p}/{s}/tags/{tag}", tag = "tags", params(("p" = String, Path),
    ("s" = String, Path), ("tag" = String, Path)), responses((status = 204)))]
async fn remove(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug, tag)): Path<(String, String, String)>,
) -> Result<StatusCode, Failure> {
    hub.app.registry.remove_tag(&caller, &names::skill(&publisher, &slug)?, &name(&tag)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn name(text: &str) -> Result<TagName, Failure> {
    TagName::parse(text).map_err(|error| Failure::new(Code::InvalidName, error.to_string()))
}
