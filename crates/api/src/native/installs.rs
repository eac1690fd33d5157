//! What an installer asks: what to fetch, what is newer, and that something was installed.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_registry::{Comparison, DecisionOutcome, Fate, Installed, InstalledCopy, PlanItem, Standing};
use kontor_types::{SkillRef, VersionSelector};
use kontor_wire as wire;
use kontor_wire::{CopiesRequest, CopyList, InstallReport, OutdatedList, OutdatedRequest, Plan, ResolveRequest};
use utoipa_axum::routes;

use super::{skill_shapes as shapes, trust_shapes};
use crate::extract::Json;
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

/// Most installs that one report names.
const REPORTED: usize = 200;

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(resolve))
        .add(Class::Read, routes!(outdated))
        .add(Class::Read, routes!(check))
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

/// What became of installed copies: whether they are still served, were withdrawn, held or refused since. Of a version that
/// nobody finds any more only those are told who name its digest and could see it when it was admitted.
#[utoipa::path(post, path = "/installs/check", tag = "installs", request_body = CopiesRequest,
    responses((status = 200, body = CopyList)))]
async fn check(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(request): Json<CopiesRequest>,
) -> Result<Json<CopyList>, Failure> {
    let mut copies = Vec::with_capacity(request.copies.len());
    for copy in request.copies {
        let name = match (copy.reference, copy.version) {
            (Some(reference), Some(version)) => Some((reference, version)),
            (None, None) => None,
            _ => return Err(Failure::invalid("name a copy by `ref` and `version` together, or by its digest alone")),
        };
        copies.push(InstalledCopy { name, digest: copy.digest, range: copy.range });
    }
    let fates = hub.app.registry.fates(caller.viewer(), copies).await?;
    Ok(Json(CopyList { items: fates.into_iter().map(copy_item).collect() }))
}

fn copy_item(fate: Fate) -> wire::CopyItem {
    let decision = fate.assessment.as_ref().and_then(|assessment| assessment.decision.as_ref());
    let scan = fate.assessment.as_ref().and_then(|assessment| assessment.scan.as_ref());
    let version = fate.version.as_ref();
    let yanked = fate.standing == Standing::Yanked;
    let withheld = matches!(fate.standing, Standing::Held | Standing::Rejected);
    let (reference, number) = match (fate.name, fate.copy.name) {
        (Some((publisher, slug, number)), _) => (Some(SkillRef::new(publisher, slug)), Some(number)),
        (None, Some((reference, number))) => (Some(reference), Some(number)),
        (None, None) => (None, None),
    };
    wire::CopyItem {
        reference,
        version: number,
        digest: fate.copy.digest,
        standing: standing(fate.standing, decision.map(|decision| decision.outcome)),
        verdict: scan.map(|scan| trust_shapes::verdict(scan.verdict)),
        outcome: decision.map(|decision| trust_shapes::outcome(decision.outcome)),
        reasons: decision.map(|decision| trust_shapes::reasons(&decision.reasons)).unwrap_or_default(),
        signer: version.and_then(kontor_registry::Version::signature).map(shapes::signer),
        yank_reason: version.filter(|_| yanked).and_then(|version| version.yank_reason.clone()),
        since: match decision {
            _ if yanked => version.and_then(|version| version.yanked_at),
            decision => decision.filter(|_| withheld).map(|decision| decision.created_at),
        },
        wanted: fate.wanted,
        latest: fate.latest,
        deprecation: fate.skill.as_ref().and_then(shapes::deprecation),
    }
}

const fn standing(standing: Standing, decided: Option<DecisionOutcome>) -> wire::Standing {
    match (standing, decided) {
        (Standing::Admitted, _) => wire::Standing::Admitted,
        (Standing::Yanked, _) => wire::Standing::Yanked,
        (Standing::Held, Some(DecisionOutcome::Quarantine)) => wire::Standing::Quarantined,
        (Standing::Held, _) => wire::Standing::Held,
        (Standing::Rejected, _) => wire::Standing::Rejected,
        (Standing::Deleted, _) => wire::Standing::Deleted,
        (Standing::Replaced, _) => wire::Standing::Replaced,
        (Standing::Unknown, _) => wire::Standing::Unknown,
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
