//! What was found in versions and decided about them, and another look at it.

use axum::extract::State;
use kontor_registry::Found;
use kontor_types::{SkillRef, VersionSelector};
use kontor_wire::{Appeal, Assessment, AssessmentList, AssessmentRequest, FailedScan, Notice, NoticeList, WaitingList};
use utoipa_axum::routes;

use super::{names, trust_shapes as shapes};
use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

/// Most versions that are asked about at once.
const MOST: usize = 200;

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(show))
        .add(Class::Read, routes!(list))
        .add(Class::Read, routes!(waiting))
        .add(Class::Read, routes!(notices))
        .add(Class::Write, routes!(appeal))
}

/// What was found in a version, and what was decided about it.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}/assessment", tag = "trust", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), responses((status = 200, body = Assessment)))]
async fn show(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug, version)): Path<(String, String, String)>,
) -> Result<Json<Assessment>, Failure> {
    let asked = names::version(&publisher, &slug, &version)?;
    let found = hub.app.registry.version(caller.viewer(), &asked).await?;
    Ok(Json(whole(&hub, &caller, &found).await?))
}

/// All of it, with what was said in the review for those who maintain the skill.
async fn whole(hub: &Hub, caller: &kontor_access::Caller, found: &Found) -> Result<Assessment, Failure> {
    let registry = &hub.app.registry;
    let mut shape = shapes::assessment(found, registry.assessment(&found.version).await?, usize::MAX);
    shape.notes = registry.review_notes(caller, found).await?.into_iter().map(shapes::note).collect();
    Ok(shape)
}

/// What was found in several versions and decided about them; those that the caller may not see are left out.
#[utoipa::path(post, path = "/assessments", tag = "trust", request_body = AssessmentRequest,
    responses((status = 200, body = AssessmentList)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(asked): Json<AssessmentRequest>,
) -> Result<Json<AssessmentList>, Failure> {
    if asked.versions.len() > MOST {
        return Err(Failure::invalid(format!("ask for at most {MOST} versions at once")));
    }
    let registry = &hub.app.registry;
    let mut seen = Vec::with_capacity(asked.versions.len());
    for name in &asked.versions {
        let (Some(_), Some(VersionSelector::Exact(_))) = (&name.publisher, &name.version) else {
            return Err(Failure::invalid("name each version in full: @publisher/skill@1.2.0"));
        };
        match registry.version(caller.viewer(), name).await {
            Ok(found) => seen.push(found),
            Err(error) if error.problem().code.status() == 404 => {}
            Err(error) => return Err(error.into()),
        }
    }
    let rows: Vec<_> = seen.iter().map(|found| &*found.version).collect();
    let told = registry.assessments(&rows).await?;
    let items = seen.iter().zip(told).map(|(found, told)| shapes::assessment(found, told, 1));
    Ok(Json(AssessmentList { items: items.collect() }))
}

/// What waits to be scanned and decided, and what could not be; for administrators.
#[utoipa::path(get, path = "/assessments/waiting", tag = "trust", responses((status = 200, body = WaitingList)))]
async fn waiting(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<WaitingList>, Failure> {
    let waiting = hub.app.registry.waiting(&caller).await?;
    let failed = waiting.failed.into_iter().map(|failed| {
        let mut reference = SkillRef::new(failed.publisher, failed.slug);
        reference.version = Some(VersionSelector::Exact(failed.number));
        let error = failed.error.unwrap_or_default();
        FailedScan { reference, attempts: failed.attempts, error, at: failed.at }
    });
    Ok(Json(WaitingList {
        pending: waiting.pending,
        failed: failed.collect(),
        dead_jobs: waiting.dead_jobs,
        rules: waiting.rules,
    }))
}

/// Asks for another look at a version that was held or rejected; for its publisher's maintainers.
#[utoipa::path(post, path = "/skills/{p}/{s}/versions/{v}/appeal", tag = "trust", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), request_body = Appeal, responses((status = 200, body = Assessment)))]
async fn appeal(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug, version)): Path<(String, String, String)>,
    Json(asked): Json<Appeal>,
) -> Result<Json<Assessment>, Failure> {
    let name = names::version(&publisher, &slug, &version)?;
    let found = hub.app.registry.appeal(&caller, &name, &asked.comment).await?;
    Ok(Json(whole(&hub, &caller, &found).await?))
}

/// What the caller was told about versions, the newest first; from now on it counts as read.
#[utoipa::path(get, path = "/notices", tag = "trust", responses((status = 200, body = NoticeList)))]
async fn notices(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<NoticeList>, Failure> {
    let told = hub.app.registry.notices(&caller).await?;
    let items = told.into_iter().map(|notice| {
        let mut reference = SkillRef::new(notice.publisher, notice.slug);
        reference.version = Some(VersionSelector::Exact(notice.number));
        Notice { reference, text: notice.text, at: notice.created_at, read_at: notice.read_at }
    });
    Ok(Json(NoticeList { items: items.collect() }))
}
