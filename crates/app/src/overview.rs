//! What a console shows first: how much there is of what, and how the hub's own work stands.

use kontor_access::audit::{self, Event};
use kontor_access::{Caller, Error};
use kontor_db::jobs::{self, Buried, KindOfJobs};
use kontor_db::reports::ReportState;
use kontor_db::reviews::ReviewState;
use kontor_db::runs::RunState;
use kontor_db::skills::Filter;
use kontor_db::workflows::WorkflowState;
use kontor_db::{assessments, persons, publishers, reports, reviews, runs, skills, workflows};
use kontor_types::{JobId, Scope};

use crate::App;

/// Failed jobs that are shown.
const FAILED: u32 = 100;

/// What a number of the overview counts. Each is the length of a list that whoever asks may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// People who are known to the hub.
    People,
    /// Publishers.
    Publishers,
    /// Skills.
    Skills,
    /// Versions that wait for a person's decision.
    OpenReviews,
    /// Reports that nobody has decided.
    OpenReports,
    /// Runs whose program runs.
    RunningRuns,
    /// Workflows that wait for a person to retry or cancel them.
    StalledWorkflows,
    /// Background work that was given up.
    FailedJobs,
}

/// How the hub's own work stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Jobs of each kind that are not done.
    pub kinds: Vec<KindOfJobs>,
    /// Those that were given up last, the newest first.
    pub failed: Vec<Buried>,
    /// Versions that wait for being scanned and decided.
    pub undecided: u64,
    /// Whether the transparency log takes nothing in.
    pub log_stopped: bool,
}

impl App {
    /// How much there is of what the caller may list. What only some may list is counted for them alone.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn overview(&self, caller: &Caller) -> Result<Vec<(Figure, u64)>, Error> {
        caller.require_person()?;
        let (viewer, bound) = (caller.viewer(), caller.publishers.clone());
        let mut conn = self.db.read().await?;
        let open = reports::Filter { state: Some(ReportState::Open), ..reports::Filter::default() };
        let running = runs::Filter { state: Some(RunState::Running), bound: bound.clone(), ..runs::Filter::default() };
        let stalled = workflows::Filter { state: Some(WorkflowState::Stalled), bound, kind: None };
        let administrator = caller.require_administrator().is_ok();
        let mut figures = Vec::new();
        if administrator {
            figures.push((Figure::People, persons::count(&mut conn).await?));
        }
        figures.push((Figure::Publishers, publishers::count(&mut conn, viewer).await?));
        figures.push((Figure::Skills, skills::count(&mut conn, viewer, &Filter::default()).await?));
        if caller.require(Scope::Review).is_ok() {
            figures.push((Figure::OpenReviews, reviews::count(&mut conn, viewer, ReviewState::Open).await?));
        }
        figures.push((Figure::OpenReports, reports::count(&mut conn, viewer, &open).await?));
        figures.push((Figure::RunningRuns, runs::count(&mut conn, viewer, &running).await?));
        figures.push((Figure::StalledWorkflows, workflows::count(&mut conn, viewer, &stalled).await?));
        if administrator {
            let failed = jobs::counts(&mut conn).await?.dead;
            figures.push((Figure::FailedJobs, failed.max(0).unsigned_abs()));
        }
        Ok(figures)
    }

    /// Tries work again that was given up; `false` when it no longer is, or the same work waits already. For administrators.
    ///
    /// # Errors
    /// When the caller is no administrator.
    pub async fn retry_job(&self, caller: &Caller, id: JobId) -> Result<bool, Error> {
        caller.require_administrator()?;
        let (caller, now) = (caller.clone(), self.clock.now());
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                let begun = jobs::revive(tx, id, now).await?;
                if begun {
                    audit::record(tx, &caller, Event::new("job.retry", id.to_string()), now).await?;
                }
                Ok::<_, Error>(begun)
            })
        });
        match unit.await {
            Err(Error::Database(error)) if error.is_duplicate() => Ok(false),
            done => done,
        }
    }

    /// How the hub's own work stands. For administrators.
    ///
    /// # Errors
    /// When the caller is no administrator.
    pub async fn background(&self, caller: &Caller) -> Result<Work, Error> {
        caller.require_administrator()?;
        let mut conn = self.db.read().await?;
        Ok(Work {
            kinds: jobs::by_kind(&mut conn, self.clock.now()).await?,
            failed: jobs::buried(&mut conn, FAILED).await?,
            undecided: assessments::count_waiting(&mut conn).await?,
            log_stopped: self.log_fault().is_some(),
        })
    }
}
