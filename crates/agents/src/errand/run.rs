//! Runs of the chosen skills: what goes in is held to the schema of the very version before anything is started.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kontor_access::Caller;
use kontor_dispatch::{Came, Consent, Named, Run, RunState, StartRun};
use kontor_package::NetworkGrant;
use kontor_runs::Schema;
use kontor_types::{Code, Digest, RunId, SkillRef};
use kontor_workflow::{Attempt, Journal, Step, StepError, Stop};
use serde_json::{Value, json};

use crate::Role;
use crate::agents::Means;
use crate::order::{Chosen, Order, Ran};

/// How long one look at a run lasts.
const LOOK: Duration = Duration::from_secs(20);
/// The largest answer that is handed on.
const LARGEST: usize = 200 << 10;

/// One link of the chain.
#[derive(Clone)]
pub(super) struct Link {
    pub role: Role,
    pub id: RunId,
    pub chosen: Chosen,
    pub input: Value,
    /// What it may reach beside nothing.
    pub hosts: Vec<String>,
}

/// Runs a skill as a step; whoever cancels the errand ends the run.
pub(super) async fn link(means: &Arc<Means>, journal: &Journal, order: &Order, link: Link) -> Result<Ran, Stop> {
    let name = format!("run to {}", link.role.as_str());
    let (doing, who, id) = (Arc::clone(means), order.clone(), link.id);
    journal.undo(&format!("end the {name}"), &id, move |_| {
        let (doing, who) = (Arc::clone(&doing), who.clone());
        async move { doing.end_run(&who, id).await }
    });
    let input = json!({"skill": link.chosen, "run": link.id, "input": link.input, "hosts": link.hosts});
    journal
        .step(Step::named(name).tries(5), &input, |attempt| {
            let link = link.clone();
            async move { means.run(order, &link, &attempt).await }
        })
        .await
}

impl Means {
    async fn run(&self, order: &Order, link: &Link, attempt: &Attempt) -> Result<Ran, StepError> {
        let caller = self.caller(order).await?;
        let run = match self.runs.show(&caller, link.id).await {
            Ok(run) => run,
            Err(kontor_dispatch::Error::NotFound) => self.begin(&caller, link).await?,
            Err(error) => return Err(failed(&error)),
        };
        let run = self.wait(&caller, run, attempt).await?;
        let came = run.result.clone().and_then(|came| serde_json::from_value::<Came>(came).ok());
        let answer = came.and_then(|came| came.answer);
        let (Some(answer), true) = (answer, Ran::finished(run.state)) else {
            let why = run.error.as_deref().unwrap_or("its answer does not fit its schema");
            return Err(StepError::refused("run_failed", format!("{} {}: {why}", link.chosen.skill, run.state)));
        };
        if answer.to_string().len() > LARGEST {
            return Err(StepError::refused(
                "answer_too_large",
                format!("{} answered more than 200 KiB", link.chosen.skill),
            ));
        }
        Ok(Ran {
            run: run.id,
            skill: run.skill.clone(),
            digest: run.digest,
            receipt: run.receipt.as_deref().map(Digest::of),
            state: run.state.to_string(),
            answer,
        })
    }

    /// Starts the run if what goes in fits; the same errand starts it once.
    async fn begin(&self, caller: &Caller, link: &Link) -> Result<Run, StepError> {
        let skill: SkillRef =
            link.chosen.skill.parse().map_err(|_| StepError::refused("skill_gone", "its name cannot be read"))?;
        let found = self.registry.version(caller.viewer(), &skill).await;
        let found = found.map_err(|error| match error.problem().code {
            Code::Internal => StepError::retry(error.to_string()),
            // Held, hidden, deleted: whoever may not see it is not told which.
            _ => StepError::refused("skill_gone", skill.to_string()),
        })?;
        if found.version.yanked_at.is_some() || found.skill.deprecated_at.is_some() {
            // It was chosen for the person, not by them: what its publisher takes back meanwhile is not run.
            return Err(StepError::refused("skill_withdrawn", skill.to_string()));
        }
        match self.registry.may_run(caller, &found).await.map_err(|error| (error.problem().code, error)) {
            Ok(_) => {}
            Err((Code::Internal, error)) => return Err(StepError::retry(error.to_string())),
            Err((Code::PolicyForbids, error)) => {
                return Err(StepError::refused("skill_forbidden", error.to_string()));
            }
            Err(_) => return Err(StepError::refused("skill_gone", skill.to_string())),
        }
        if found.version.digest != link.chosen.digest {
            return Err(StepError::refused("skill_changed", skill.to_string()));
        }
        let (manifest, content) = self.read(&found).await?;
        let tool = manifest.tools.iter().find(|tool| tool.name == link.chosen.tool);
        let schema = match (tool.and_then(|tool| tool.input.as_deref()), &content) {
            (Some(path), Some(content)) => Schema::of(content, path).ok(),
            _ => None,
        };
        let schema = schema.ok_or_else(|| StepError::refused("skill_changed", skill.to_string()))?;
        let problems = schema.problems(&link.input);
        if !problems.is_empty() {
            return Err(StepError::refused("does_not_fit", format!("{skill} does not take {}", problems.join("; "))));
        }
        let network: Vec<NetworkGrant> = link.hosts.iter().filter_map(|host| host.parse().ok()).collect();
        let start = StartRun {
            id: Some(link.id),
            entry: Named::Tool(link.chosen.tool.clone()),
            input: Some(Bytes::from(link.input.to_string())),
            network: network.clone(),
            consent: Consent { network, ..Consent::default() },
            ..StartRun::default()
        };
        self.runs.start(caller, &skill, &start).await.map_err(|error| failed(&error))
    }

    async fn wait(&self, caller: &Caller, mut run: Run, attempt: &Attempt) -> Result<Run, StepError> {
        while !run.state.is_over() {
            tokio::select! {
                looked = self.runs.result(caller, run.id, LOOK) => run = looked.map_err(|error| failed(&error))?,
                () = attempt.cancelled().cancelled() => {
                    self.runs.cancel(caller, run.id).await.map_err(|error| failed(&error))?;
                    return Err(StepError::cancelled());
                }
            }
        }
        match run.state {
            RunState::Lost => Err(StepError::refused("run_failed", format!("{} was started too often", run.skill))),
            _ => Ok(run),
        }
    }

    async fn end_run(&self, order: &Order, id: RunId) -> Result<(), StepError> {
        let caller = self.caller(order).await?;
        match self.runs.cancel(&caller, id).await {
            Ok(_) | Err(kontor_dispatch::Error::NotFound) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// What the hub itself could not do may work later; what it refuses stays refused.
fn failed(error: &kontor_dispatch::Error) -> StepError {
    let problem = error.problem();
    if error.may_pass() || problem.code == Code::Internal {
        return StepError::retry(problem.detail);
    }
    StepError::refused(problem.code.as_str(), problem.detail)
}
