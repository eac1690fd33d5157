//! Running a scan where it can neither take the hub with it nor hold it up.

mod frames;
mod processes;
mod threads;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kontor_package::{Content, Limits};
use kontor_scan::{Detonation, Finding, Report, RulePack, Signature};
use kontor_types::Digest;
use serde::{Deserialize, Serialize};

use crate::Error;

use processes::Processes;
use threads::Threads;

pub use worker::{detonation_worker, scan_worker};

/// How long one scan may take; the largest skills take some seconds on a slow machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// How long running one content may take, beyond the budget that it has itself.
const RUN_DEADLINE: Duration = Duration::from_mins(4);
/// The way of running and judging; another one has everything judged again.
const DETONATION: &str = "detonation 2";

/// Scans contents by one set of rules, each within a deadline.
#[derive(Clone)]
pub struct Examiner {
    place: Place,
    detonation: Option<Arc<Processes>>,
    rules: Digest,
    deadline: Duration,
}

/// What an examination says of a content.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Examination {
    pub report: Report,
    /// The places and buckets of the signature of its instructions; none when they are too short to compare.
    pub places: Vec<u8>,
    pub bands: Vec<u64>,
}

/// What running a content says of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ran {
    pub detonation: Detonation,
    pub findings: Vec<Finding>,
}

impl Examination {
    fn of(report: Report, content: &Content) -> Self {
        let text = content.skill_file().and_then(|path| content.get(path)).unwrap_or_default();
        let signature = Signature::of(text);
        Self { report, places: signature.kept(), bands: signature.bands() }
    }
}

/// Where scans run.
#[derive(Clone)]
enum Place {
    /// On threads of this process.
    Threads(Arc<Threads>),
    /// In processes of their own.
    Processes(Arc<Processes>),
}

impl Examiner {
    /// The rules that came with the program, in this process. They are made ready for the first scan, not before.
    pub fn embedded(limits: Limits) -> Result<Self, Error> {
        Ok(Self::at(Place::Threads(Arc::new(Threads::embedded(limits))), embedded_rules()?))
    }

    /// Any way of scanning in this process, with the digest that stands for its rules.
    pub fn new(
        rules: Digest,
        limits: Limits,
        examine: impl Fn(&str, &Content) -> Report + Send + Sync + 'static,
    ) -> Self {
        let examine = move |name: &str, content: &Content| -> Result<Report, String> { Ok(examine(name, content)) };
        Self::at(Place::Threads(Arc::new(Threads::new(limits, examine))), rules)
    }

    /// The rules that came with the program, in processes of their own that run `program` with `arguments`: it must do what
    /// [`scan_worker`] does. They begin when there is something to scan and end when there was nothing for a while.
    pub fn in_processes(program: PathBuf, arguments: Vec<String>, limits: Limits) -> Result<Self, Error> {
        let rules = embedded_rules()?;
        Ok(Self::at(Place::Processes(Arc::new(Processes::new(program, arguments, limits, rules))), rules))
    }

    fn at(place: Place, rules: Digest) -> Self {
        Self { place, detonation: None, rules, deadline: DEADLINE }
    }

    /// The same, which also has every content run, in processes of their own that run `program` with `arguments`: it must do
    /// what [`detonation_worker`] does. What was judged without running is judged again.
    #[must_use]
    pub fn that_detonates(mut self, program: PathBuf, arguments: Vec<String>, limits: Limits) -> Self {
        self.detonation = Some(Arc::new(Processes::new(program, arguments, limits, self.rules).that_finds_programs()));
        self.rules = Digest::of(format!("{}\0{DETONATION}", self.rules.hex()).as_bytes());
        self
    }

    /// Whether contents are run too, which takes long.
    pub(super) const fn detonates(&self) -> bool {
        self.detonation.is_some()
    }

    /// The same with another deadline.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long one scan may take.
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The digest of the rules.
    pub const fn rules(&self) -> Digest {
        self.rules
    }

    /// How many scans are worth running side by side.
    pub(super) fn side_by_side() -> usize {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4)
    }

    /// Gives back what is kept for the next scan when there was none for a while.
    pub(super) fn rest(&self) {
        if let Place::Processes(processes) = &self.place {
            processes.rest();
        }
        if let Some(detonation) = &self.detonation {
            detonation.rest();
        }
    }

    /// Scans an archive; an error says in words why there is no report.
    pub(super) async fn examine(&self, name: String, archive: Bytes) -> Result<Examination, String> {
        let mut seen = match &self.place {
            Place::Threads(threads) => threads.examine(name.clone(), archive.clone(), self.deadline).await,
            Place::Processes(processes) => processes.examine(name.clone(), archive.clone(), self.deadline).await,
        }?;
        if let Some(detonation) = &self.detonation {
            let ran = detonation.detonate(name, &archive, RUN_DEADLINE).await;
            // Nothing is skipped in silence: the report says that it could not be run, and the policy decides about that.
            let ran = ran.unwrap_or_else(|reason| Ran {
                detonation: Detonation { failed: Some(reason), ..Detonation::default() },
                findings: Vec::new(),
            });
            seen.report.add_detonation(ran.detonation, ran.findings);
            seen.report.rules = self.rules.hex();
        }
        Ok(seen)
    }
}

impl std::fmt::Debug for Examiner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Examiner").field("rules", &self.rules).finish_non_exhaustive()
    }
}

fn embedded_rules() -> Result<Digest, Error> {
    Ok(RulePack::embedded().map_err(|error| Error::Scanner { reason: error.to_string() })?.digest)
}

/// What is said of a scan that is not done in time.
fn not_done(deadline: Duration) -> String {
    format!("the scan was not done within {} seconds", deadline.as_secs_f32())
}
