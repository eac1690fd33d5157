//! Reports of abuse.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_types::{Code, ReportId, SkillRef, VersionSelector};
use kontor_wire::{NewReport, Report, ReportDecision, ReportPage, ReportQuery, ReportState};
use utoipa_axum::routes;

use super::names;
use crate::extract::{Json, Path, Query, page_size};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Write, routes!(report))
        .add(Class::Read, routes!(list))
        .add(Class::Write, routes!(decide))
}

/// Reports a skill or one of its versions.
#[utoipa::path(post, path = "/skills/{p}/{s}/reports", tag = "reports",
    params(("p" = String, Path), ("s" = String, Path)), request_body = NewReport,
    responses((status = 201, body = Report)))]
async fn report(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
    Json(new): Json<NewReport>,
) -> Result<(StatusCode, Json<Report>), Failure> {
    let version = new.version.map(VersionSelector::Exact);
    let asked = SkillRef { version, ..names::skill(&publisher, &slug)? };
    let report = hub.app.registry.report(&caller, &asked, &new.reason).await?;
    Ok((StatusCode::CREATED, Json(shape(report))))
}

/// Reports that the caller may see, newest first.
#[utoipa::path(get, path = "/reports", tag = "reports", params(ReportQuery),
    responses((status = 200, body = ReportPage)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<ReportQuery>,
) -> Result<Json<ReportPage>, Failure> {
    let filter =
        kontor_registry::ReportFilter { state: query.state.map(state), ..kontor_registry::ReportFilter::default() };
    let size = page_size(query.limit);
    let page = hub.app.registry.reports(&caller, &filter, size, query.cursor.as_ref()).await?;
    Ok(Json(ReportPage { items: page.items.into_iter().map(shape).collect(), next_cursor: page.next }))
}

/// Closes a report with an answer; for administrators.
#[utoipa::path(post, path = "/reports/{id}/decision", tag = "reports",
    params(("id" = String, Path)), request_body = ReportDecision, responses((status = 200, body = Report)))]
async fn decide(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(decision): Json<ReportDecision>,
) -> Result<Json<Report>, Failure> {
    let id: ReportId = id.parse().map_err(|_| Failure::new(Code::NotFound, "there is no such report"))?;
    let upheld = match decision.state {
        ReportState::Upheld => true,
        ReportState::Dismissed => false,
        ReportState::Open => return Err(Failure::invalid("a decision is `upheld` or `dismissed`")),
    };
    Ok(Json(shape(hub.app.registry.close_report(&caller, id, upheld, &decision.answer).await?)))
}

const fn state(state: ReportState) -> kontor_registry::ReportState {
    match state {
        ReportState::Open => kontor_registry::ReportState::Open,
        ReportState::Upheld => kontor_registry::ReportState::Upheld,
        ReportState::Dismissed => kontor_registry::ReportState::Dismissed,
    }
}

fn shape(report: kontor_registry::Report) -> Report {
    Report {
        id: report.id,
        reference: SkillRef::new(report.publisher, report.slug),
        reason: report.reason,
        state: match report.state {
            kontor_registry::ReportState::Open => ReportState::Open,
            kontor_registry::ReportState::Upheld => ReportState::Upheld,
            kontor_registry::ReportState::Dismissed => ReportState::Dismissed,
        },
        answer: report.answer,
        created_at: report.created_at,
    }
}
