//! One skill: what is known of it, and what its maintainers do to it.

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use kontor_access::Caller;
use kontor_registry::{Advice, Change, Skill};
use kontor_types::{Code, SkillRef, Slug};
use kontor_wire as wire;
use kontor_wire::{Deleted, Deletion, Rename, SkillChange};
use utoipa_axum::routes;

use super::{names, skill_shapes as shapes, tags, versions};
use crate::extract::{Json, Path, Query};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(find))
        .add(Class::Read, routes!(show))
        .add(Class::Write, routes!(change, delete))
        .add(Class::Write, routes!(restore))
        .add(Class::Write, routes!(rename))
}

/// The one skill of this name, whoever publishes it.
#[utoipa::path(get, path = "/skills/{slug}", tag = "skills", params(("slug" = String, Path)),
    responses((status = 200, body = wire::Skill)))]
async fn find(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(slug): Path<String>,
) -> Result<Json<wire::Skill>, Failure> {
    let unknown = |_| Failure::new(Code::SkillNotFound, "Skill not found");
    let asked = SkillRef { publisher: None, slug: Slug::parse(&slug).map_err(unknown)?, version: None };
    let skill = hub.app.registry.skill(caller.viewer(), &asked).await?;
    Ok(Json(whole(&hub, &caller, &skill).await?))
}

/// All about one skill.
#[utoipa::path(get, path = "/skills/{p}/{s}", tag = "skills", params(("p" = String, Path), ("s" = String, Path)),
    responses((status = 200, body = wire::Skill),
    (status = 308, description = "The skill has another name now: see Location")))]
async fn show(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Failure> {
    let asked = names::skill(&publisher, &slug)?;
    let skill = hub.app.registry.skill(caller.viewer(), &asked).await?;
    if let Some(elsewhere) = names::moved(&hub, &uri, &asked, &skill) {
        return Ok(elsewhere);
    }
    Ok(Json(whole(&hub, &caller, &skill).await?).into_response())
}

/// Everything that the native API says of a skill.
pub(crate) async fn whole(hub: &Hub, caller: &Caller, skill: &Skill) -> Result<wire::Skill, Failure> {
    let (registry, viewer) = (&hub.app.registry, caller.viewer());
    let latest_version = if skill.latest_version_id.is_some() {
        let found = registry.version(viewer, &shapes::reference(skill)).await?;
        Some(versions::detail(hub, viewer, &found).await?)
    } else {
        None
    };
    Ok(wire::Skill {
        summary: shapes::summary(skill),
        categories: skill.categories.clone(),
        keywords: skill.keywords.clone(),
        tags: tags::named(hub, viewer, skill).await?,
        latest_version,
        starred: registry.has_starred(caller, skill.id).await?,
        page_url: Some(hub.absolute(&format!("/@{}/{}", skill.publisher, skill.slug))),
    })
}

/// Changes who may see a skill, or marks it as no longer to be used; all that is sent, or nothing.
#[utoipa::path(patch, path = "/skills/{p}/{s}", tag = "skills", params(("p" = String, Path), ("s" = String, Path)),
    request_body = SkillChange, responses((status = 200, body = wire::Skill)))]
async fn change(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
    Json(change): Json<SkillChange>,
) -> Result<Json<wire::Skill>, Failure> {
    let (registry, asked) = (&hub.app.registry, names::skill(&publisher, &slug)?);
    if change.deprecation.is_some() && change.undeprecate {
        return Err(Failure::invalid("`deprecation` and `undeprecate` exclude each other: send one of them"));
    }
    let marked = change.deprecation.as_ref().map(|deprecation| Advice::Deprecated {
        message: &deprecation.message,
        successor: deprecation.successor.as_ref(),
    });
    let deprecation = marked.or_else(|| change.undeprecate.then_some(Advice::InUse));
    let wanted = Change { visibility: change.visibility, deprecation };
    let skill = registry.change(&caller, &asked, &wanted).await?;
    Ok(Json(whole(&hub, &caller, &skill).await?))
}

/// Deletes a skill; it can be brought back for 30 days.
#[utoipa::path(delete, path = "/skills/{p}/{s}", tag = "skills", params(("p" = String, Path), ("s" = String, Path),
    Deletion), responses((status = 200, body = Deleted)))]
async fn delete(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
    Query(deletion): Query<Deletion>,
) -> Result<Json<Deleted>, Failure> {
    let asked = names::skill(&publisher, &slug)?;
    let reason = deletion.reason.unwrap_or_default();
    let deleted = hub.app.registry.delete(&caller, &asked, &reason).await?;
    Ok(Json(Deleted { reference: deleted.name, reserved_until: deleted.reserved_until }))
}

/// Brings a deleted skill back, or shows a hidden one again.
#[utoipa::path(post, path = "/skills/{p}/{s}/restore", tag = "skills", params(("p" = String, Path),
    ("s" = String, Path)), responses((status = 200, body = wire::Skill)))]
async fn restore(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
) -> Result<Json<wire::Skill>, Failure> {
    let skill = hub.app.registry.undelete(&caller, &names::skill(&publisher, &slug)?).await?;
    Ok(Json(whole(&hub, &caller, &skill).await?))
}

/// Gives a skill another name; the old one leads to it.
#[utoipa::path(post, path = "/skills/{p}/{s}/rename", tag = "skills", params(("p" = String, Path),
    ("s" = String, Path)), request_body = Rename, responses((status = 200, body = wire::Skill)))]
async fn rename(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
    Json(rename): Json<Rename>,
) -> Result<Json<wire::Skill>, Failure> {
    let asked = names::skill(&publisher, &slug)?;
    let skill = hub.app.registry.rename(&caller, &asked, &rename.slug).await?;
    Ok(Json(whole(&hub, &caller, &skill).await?))
}
