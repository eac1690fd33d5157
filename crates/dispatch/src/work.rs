//! Doing a run: each step is written down when it is done, and is not done again.

mod execute;
mod prepare;
mod seen;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kontor_db::runs::{self, EventKind, Run, RunState, RunStep};
use kontor_jobs::{Claimed, Failure, Outcome};
use kontor_types::RunId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::asked::Asked;
use crate::runs::again;
use crate::{Error, Runs};

/// What came of a program, beside its receipt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Came {
    /// `done`, `failed`, `killed`, `time_limit`, `memory_limit`, `disk_limit`, `cancelled`, `output_refused`, `lost`.
    pub outcome: String,
    /// Its exit code.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The answer of a tool, when it fits its schema and is not large.
    pub answer: Option<Value>,
    /// Why an answer does not fit.
    pub problems: Vec<String>,
}

/// Steps at which a worker fails as if it had died; only tests arm them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<[AtomicU32; 3]>);

impl Faults {
    /// Fails the next `times` times after this step was written down.
    pub fn after(&self, step: RunStep, times: u32) {
        if let Some(armed) = self.0.get(place(step)) {
            armed.store(times, Ordering::SeqCst);
        }
    }

    fn strike(&self, step: RunStep) -> Result<(), Stop> {
        let armed = self.0.get(place(step));
        let left = |times: u32| times.checked_sub(1);
        match armed.map(|armed| armed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left)) {
            Some(Ok(_)) => Err(Stop::Again(Failure::Retry("a test ended the worker here".to_owned()))),
            _ => Ok(()),
        }
    }
}

const fn place(step: RunStep) -> usize {
    match step {
        RunStep::Prepared => 0,
        RunStep::Executed => 1,
        RunStep::Accepted | RunStep::Recorded => 2,
    }
}

/// Why a worker does not go on with a run.
pub(crate) enum Stop {
    /// It ends so: the state, and what kept it from ending well.
    End(RunState, &'static str, String),
    /// Another worker has it.
    Taken,
    /// It is done again later.
    Again(Failure),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match &error {
            Error::Registry(kontor_registry::Error::Database(_) | kontor_registry::Error::Blobs(_))
            | Error::Database(_)
            | Error::Blobs(_)
            | Error::Folder(_) => Self::Again(again(&error)),
            Error::Run(inner) => Self::End(RunState::Failed, inner.code(), error.to_string()),
            _ => Self::End(RunState::Failed, error.problem().code.as_str(), error.to_string()),
        }
    }
}

impl From<kontor_db::Error> for Stop {
    fn from(error: kontor_db::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<kontor_runs::Error> for Stop {
    fn from(error: kontor_runs::Error) -> Self {
        Error::from(error).into()
    }
}

/// A run in the hands of a worker.
pub(crate) struct Attempt {
    pub runs: Runs,
    pub run: Run,
    pub asked: Asked,
    /// Its number, which fences what earlier ones still write.
    pub number: i64,
}

impl Runs {
    /// Does what is left of a run.
    pub(crate) async fn work(&self, job: Claimed) -> Outcome {
        let id = job.payload.get("run").and_then(Value::as_str).and_then(|text| text.parse::<RunId>().ok());
        let id = id.ok_or_else(|| Failure::Permanent("the job names no run".to_owned()))?;
        let worker = self.0.parts.worker.clone();
        let begun = self.write(move |tx| {
            let worker = worker.clone();
            Box::pin(async move { Ok(runs::begin(tx, id, &worker).await?) })
        });
        let Some(run) = begun.await.map_err(|error| again(&error))? else { return Ok(()) };
        let asked = serde_json::from_value::<Asked>(run.asked.clone())
            .map_err(|error| Failure::Permanent(format!("what was asked for cannot be read: {error}")))?;
        let number = run.attempt;
        let attempt = Attempt { runs: self.clone(), run, asked, number };
        match Box::pin(attempt.go()).await {
            Ok(()) | Err(Stop::Taken) => Ok(()),
            Err(Stop::Again(failure)) => Err(failure),
            Err(Stop::End(state, code, text)) => {
                attempt.end(state, Some((code, &text)), json!({})).await.map_err(|error| again(&error))
            }
        }
    }
}

impl Attempt {
    /// From the first step that is not written down.
    async fn go(&self) -> Result<(), Stop> {
        if self.run.step == RunStep::Executed {
            return self.record().await;
        }
        if self.run.cancel_at.is_some() {
            return Err(Stop::End(
                RunState::Cancelled,
                "cancelled",
                "it was cancelled before its program ran".to_owned(),
            ));
        }
        let most = i64::from(self.runs.settings().executions);
        if self.run.executions >= most {
            let text = format!("its program was started {} times, and each time the worker died", self.run.executions);
            return Err(Stop::End(RunState::Lost, "lost", text));
        }
        self.runs.settings().faults.strike(RunStep::Accepted)?;
        let prepared = self.prepare().await?;
        self.runs.settings().faults.strike(RunStep::Prepared)?;
        self.execute(prepared).await?;
        self.runs.settings().faults.strike(RunStep::Executed)?;
        self.record().await
    }

    /// Tells how it ended; what came of it was written down before.
    async fn record(&self) -> Result<(), Stop> {
        let row = runs::by_id(&mut self.runs.read().await?, self.run.id).await?;
        let came = row.and_then(|run| serde_json::from_value::<Came>(run.result?).ok());
        let came = came.ok_or(Stop::Taken)?;
        let ended = json!({ "outcome": came.outcome, "code": came.code, "signal": came.signal });
        let said = match came.outcome.as_str() {
            "done" => (RunState::Finished, None),
            "cancelled" => (RunState::Cancelled, Some("it was cancelled while its program ran".to_owned())),
            "time_limit" => (RunState::Failed, Some("its time was over".to_owned())),
            "memory_limit" => (RunState::Failed, Some("it wanted more memory than it may have".to_owned())),
            "disk_limit" => (RunState::Failed, Some("it wrote more than it may".to_owned())),
            "output_refused" => {
                (RunState::Failed, Some(format!("its answer does not fit: {}", came.problems.join("; "))))
            }
            "lost" => (
                RunState::Lost,
                Some("the process that held its program was lost; how it ended is not known".to_owned()),
            ),
            _ => (RunState::Failed, Some(how(&came))),
        };
        let (state, text) = said;
        let error = text.as_deref().map(|text| (came.outcome.as_str(), text));
        Ok(self.end(state, error, ended).await?)
    }

    async fn end(&self, state: RunState, error: Option<(&str, &str)>, mut told: Value) -> Result<(), Error> {
        let (id, number, now) = (self.run.id, self.number, self.runs.now());
        let kept = self.runs.keep_until(now);
        let error = error.map(|(code, text)| (code.to_owned(), text.to_owned()));
        if let Some(told) = told.as_object_mut() {
            told.insert("state".to_owned(), state.as_str().into());
            if let Some((code, text)) = &error {
                told.insert("error_code".to_owned(), code.as_str().into());
                told.insert("error".to_owned(), text.as_str().into());
            }
        }
        self.runs
            .write(move |tx| {
                let (error, told) = (error.clone(), told.clone());
                Box::pin(async move {
                    let error = error.as_ref().map(|(code, text)| (code.as_str(), text.as_str()));
                    if runs::end(tx, id, Some(number), state, error, (now, kept)).await? {
                        runs::record(tx, id, EventKind::State, &told, now).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Writes down that the run is being prepared, or that its program starts now.
    pub(super) async fn enter(&self, started: bool) -> Result<(), Stop> {
        let (id, number, now) = (self.run.id, self.number, self.runs.now());
        let state = if started { RunState::Running } else { RunState::Preparing };
        let held = self.runs.write(move |tx| {
            Box::pin(async move {
                if !runs::executing(tx, id, number, started, now).await? {
                    return Ok(false);
                }
                let told = json!({ "state": state.as_str(), "attempt": number });
                runs::record(tx, id, EventKind::State, &told, now).await?;
                Ok(true)
            })
        });
        if held.await? { Ok(()) } else { Err(Stop::Taken) }
    }
}

fn how(came: &Came) -> String {
    match (came.code, came.signal) {
        (Some(code), _) => format!("its program ended with code {code}"),
        (None, Some(signal)) => format!("signal {signal} ended its program"),
        (None, None) => "its program failed".to_owned(),
    }
}
