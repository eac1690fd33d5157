//! All of it: from a skill's files to a report that says what was run and what came of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt as _, stream};
use kontor_package::Content;
use kontor_runs::Need;
use kontor_sandbox::Sandbox;
use kontor_scan::{Detonated, Detonation, Finding, Report, Unexamined};

use crate::home::{Room, skill_folder};
use crate::judge::{Texts, judge};
use crate::net::Authority;
use crate::plan::{Plan, Script};
use crate::rules::clean;
use crate::trial::{self, Trial};
use crate::{Budget, Error};

/// Runs skills to see what they do.
#[derive(Debug, Clone)]
pub struct Detonator {
    sandbox: Sandbox,
    budget: Budget,
    authority: Arc<Authority>,
}

/// What came of one script.
#[derive(Default)]
struct Outcome {
    runs: Vec<Detonated>,
    not_run: Vec<Unexamined>,
    findings: Vec<Finding>,
}

impl Detonator {
    /// Runs in this sandbox, within the usual budget.
    pub fn new(sandbox: Sandbox) -> Result<Self, Error> {
        Ok(Self { sandbox, budget: Budget::default(), authority: Arc::new(Authority::new()?) })
    }

    /// The same within another budget.
    #[must_use]
    pub fn within(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Runs what a skill brings.
    ///
    /// # Errors
    /// When nothing can be run here. What a script does is no error.
    pub async fn detonate(&self, content: &Content) -> Result<(Detonation, Vec<Finding>), Error> {
        let Plan { scripts, not_run } = Plan::of(content, &skill_folder(content), &self.budget);
        let texts = Texts::of(content);
        let begun = Instant::now();
        let outcomes = stream::iter(scripts.iter().map(|script| self.script(content, &texts, script, begun)));
        let mut outcomes = outcomes.buffered(self.budget.at_once.max(1));
        let mut whole = Detonation { not_run, ..Detonation::default() };
        let mut findings = Vec::new();
        while let Some(outcome) = outcomes.next().await {
            let outcome = outcome?;
            whole.runs.extend(outcome.runs);
            whole.not_run.extend(outcome.not_run);
            findings.extend(outcome.findings);
        }
        whole.not_run.sort();
        whole.not_run.dedup();
        Ok((whole, findings))
    }

    /// Runs what a skill brings and adds what came of it to the report of reading it.
    ///
    /// # Errors
    /// When nothing can be run here; the report then says so, and is not complete.
    pub async fn add_to(&self, report: &mut Report, content: &Content) -> Result<(), Error> {
        match self.detonate(content).await {
            Ok((detonation, findings)) => {
                report.add_detonation(detonation, findings);
                Ok(())
            }
            Err(error) => {
                let failed = Detonation { failed: Some(error.to_string()), ..Detonation::default() };
                report.add_detonation(failed, Vec::new());
                Err(error)
            }
        }
    }

    async fn script(
        &self,
        content: &Content,
        texts: &Texts,
        script: &Script,
        begun: Instant,
    ) -> Result<Outcome, Error> {
        let mut outcome = Outcome::default();
        let mut room = Room::new(content, self.authority.text()).map_err(Error::Home)?;
        let mut trials: Vec<Trial> = Vec::new();
        for start in &script.starts {
            // What comes on top must not cost another script its only start.
            if start.late && begun.elapsed() >= self.budget.whole / 2 {
                continue;
            }
            if begun.elapsed() >= self.budget.whole {
                let reason = format!("not run: the {} seconds for a skill were over", self.budget.whole.as_secs());
                outcome.not_run.push(Unexamined { file: script.file.clone(), reason });
                break;
            }
            let trial = trial::run(&self.sandbox, &mut room, script, start, &self.budget, &self.authority).await?;
            let Some(trial) = trial else {
                let reason =
                    "run, but not to its end: it put more than 256 MiB or 50,000 files into its home".to_owned();
                outcome.not_run.push(Unexamined { file: script.file.clone(), reason });
                break;
            };
            outcome.runs.push(record(&script.file, &trial));
            trials.push(trial);
            // What does not come to its end twice does not the third time either.
            if trials.iter().filter(|trial| trial.outcome.stopped.is_some()).count() >= 2 {
                break;
            }
        }
        outcome.findings = judge(texts, &room, &script.file, &trials);
        outcome.not_run.extend(shortfall(&script.file, &trials));
        Ok(outcome)
    }
}

fn record(file: &str, trial: &Trial) -> Detonated {
    let reached: BTreeSet<String> =
        trial.reached.iter().map(|(host, port)| clean(&format!("{host}:{port}"), 120)).collect();
    Detonated {
        file: file.to_owned(),
        command: clean(&trial.shown, 160),
        ended: trial.ending(),
        wall_ms: u64::try_from(trial.outcome.usage.wall.as_millis()).unwrap_or(u64::MAX),
        deeds: trial.log.calls,
        reached: reached.into_iter().take(20).collect(),
    }
}

/// Why a script was not seen to do its work, where that is known.
fn shortfall(file: &str, trials: &[Trial]) -> Vec<Unexamined> {
    let mut reasons = BTreeSet::new();
    for trial in trials {
        if trial.outcome.stopped.is_some() {
            reasons.insert(format!("run, but not to its end: {}", trial.ending()));
        }
    }
    if !trials.iter().any(Trial::is_done) {
        for need in trials.iter().flat_map(|trial| &trial.lacks.needs) {
            let lacking = match need {
                Need::Module(name) => format!("the package `{name}`"),
                Need::Program(name) => format!("the program `{name}`"),
                Need::Network(_) | Need::Variable(_) => continue,
            };
            reasons.insert(format!("run, but not far: it needs {}, which is not here", clean(&lacking, 80)));
        }
    }
    reasons.into_iter().map(|reason| Unexamined { file: file.to_owned(), reason }).collect()
}
