//! What a console shows first.

use axum::extract::State;
use kontor_app::Figure as Counted;
use kontor_wire::{BASE, FailedJob, Figure, JobKind, Jobs, Overview, OverviewNumber};
use utoipa_axum::routes;

use crate::extract::Json;
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Read, routes!(overview)).add(Class::Read, routes!(jobs))
}

/// How much there is of what the caller may list: each number with the list that has so many items.
#[utoipa::path(get, path = "/overview", tag = "hub", responses((status = 200, body = Overview)))]
async fn overview(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<Overview>, Failure> {
    let figures = hub.app.overview(&caller).await?;
    let number = |(figure, count)| {
        let (name, list) = named(figure);
        OverviewNumber { name, count, link: format!("{BASE}{list}") }
    };
    Ok(Json(Overview { items: figures.into_iter().map(number).collect() }))
}

/// How the hub's own work stands: jobs that wait, run and failed, and what waits for a decision. For administrators.
#[utoipa::path(get, path = "/jobs", tag = "hub", responses((status = 200, body = Jobs)))]
async fn jobs(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<Jobs>, Failure> {
    let work = hub.app.background(&caller).await?;
    let count = |number: i64| number.max(0).unsigned_abs();
    let kinds = work.kinds.into_iter().map(|kind| JobKind {
        kind: kind.kind,
        waiting: count(kind.ready),
        running: count(kind.running),
        failed: count(kind.dead),
        oldest_due_at: kind.oldest,
    });
    let failed = work.failed.into_iter().map(|job| FailedJob {
        id: job.id,
        kind: job.kind,
        error: job.error,
        failed_at: job.finished_at,
    });
    Ok(Json(Jobs {
        kinds: kinds.collect(),
        failed: failed.collect(),
        undecided_versions: work.undecided,
        log_stopped: work.log_stopped,
    }))
}

const fn named(figure: Counted) -> (Figure, &'static str) {
    match figure {
        Counted::People => (Figure::People, "/people"),
        Counted::Publishers => (Figure::Publishers, "/publishers"),
        Counted::Skills => (Figure::Skills, "/skills"),
        Counted::OpenReviews => (Figure::OpenReviews, "/reviews?state=open"),
        Counted::OpenReports => (Figure::OpenReports, "/reports?state=open"),
        Counted::RunningRuns => (Figure::RunningRuns, "/runs?state=running"),
        Counted::StalledWorkflows => (Figure::StalledWorkflows, "/workflows?state=stalled"),
        Counted::FailedJobs => (Figure::FailedJobs, "/jobs"),
    }
}
