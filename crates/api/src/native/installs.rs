//! What an installer asks: what to fetch, what is newer, and that something was installed.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_registry::{Comparison, Installed, PlanItem};
use kontor_types::{SkillRef, VersionSelector};
use kontor_wire as wire;
use kontor_wire::{InstallReport, OutdatedList, OutdatedRequest, Plan, ResolveRequest};
use utoipa_axum::routes;

use super::skill_shapes as shapes;
use crate::extract::Json;
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

/// Most installs that one report names.
const REPORTED: usize = 200;

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(resolve))
        .add(Class::Read, routes!(outdated))
        .add(Class::Read, routes!(report))
}

/// One version of each skill that is needed for these to work together.
#[utoipa::path(post, path = "/resolve", tag = "installs", request_body = ResolveRequest,
    responses((status = 200, body = Plan)))]
async fn resolve(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(request): Json<ResolveRequest>,
) -> Result<Json<Plan>, Failure> {
    let plan = hub.app.registry.plan(&caller, &request.requires, &request.prefer).await?;
    Ok(Json(Plan { items: plan.items.into_iter().map(planned).collect() }))
}

fn planned(item: PlanItem) -> wire::PlanItem {
    let reference = shapes::reference(&item.skill);
    let (publisher, slug, number) = (&item.skill.publisher, &item.skill.slug, &item.version.number);
    let archive = format!("{}/skills/{publisher}/{slug}/versions/{number}/archive", wire::BASE);
    wire::PlanItem {
        reference,
        version: number.clone(),
        digest: item.version.digest,
        size: item.version.size,
        direct: item.direct,
        yanked: item.version.yanked_at.is_some(),
        deprecation: shapes::deprecation(&item.skill),
        signer: item.version.signature().map(shapes::signer),
        archive,
        requires: item.requires.into_iter().map(shapes::requirement).collect(),
    }
}

/// Which of these installed skills have newer versions, were withdrawn or are gone.
#[utoipa::path(post, path = "/outdated", tag = "installs", request_body = OutdatedRequest,
    responses((status = 200, body = OutdatedList)))]
async fn outdated(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(request): Json<OutdatedRequest>,
) -> Result<Json<OutdatedList>, Failure> {
    let installed = |one: wire::Installed| Installed {
        reference: one.reference,
        number: one.version,
        digest: one.digest,
        range: one.range,
    };
    let asked = request.installed.into_iter().map(installed).collect();
    let compared = hub.app.registry.compare(caller.viewer(), asked).await?;
    Ok(Json(OutdatedList { items: compared.into_iter().map(outdated_item).collect() }))
}

fn outdated_item(one: Comparison) -> wire::OutdatedItem {
    wire::OutdatedItem {
        deprecation: one.skill.as_ref().and_then(shapes::deprecation),
        missing: one.skill.is_none(),
        reference: one.skill.as_ref().map_or(one.installed.reference, shapes::reference),
        installed: one.installed.number,
        wanted: one.wanted,
        latest: one.latest,
        yanked: one.yanked,
    }
}

/// Counts installs; what the caller cannot see is passed over.
#[utoipa::path(post, path = "/installs", tag = "installs", request_body = InstallReport,
    responses((status = 204)))]
async fn report(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(report): Json<InstallReport>,
) -> Result<StatusCode, Failure> {
    if report.items.len() > REPORTED {
        return Err(Failure::invalid(format!("report at most {REPORTED} installs at once")));
    }
    for item in report.items {
        let exact = SkillRef { version: Some(VersionSelector::Exact(item.version)), ..item.reference };
        match hub.app.registry.version(caller.viewer(), &exact).await {
            Ok(found) => hub.app.registry.count_install(found.skill.id, found.version.id),
            Err(error) if error.problem().code.status() < 500 => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
