//! Running skills for agents: who may, what the run gets, and what comes back.

mod consent;
mod told;

use std::time::Duration;

use axum::body::Bytes;
use futures::StreamExt as _;
use kontor_access::Caller;
use kontor_dispatch::{Named, Run, StartRun};
use kontor_registry::Found;
use kontor_types::{RunId, Scope, SkillRef};
use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, JsonObject, ProgressNotificationParam, ProgressToken, Tool,
    ToolAnnotations,
};
use rmcp::service::RequestContext;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use consent::asked;

use super::tools::{arguments, object};
use super::{ask, typed};
use crate::{Failure, Hub};

/// The tool that runs anything of any skill.
pub(super) const RUN: &str = "run_skill";
/// The tool that asks for a run again.
pub(super) const GET: &str = "get_run";
/// How long a call without a stream waits for its run; the front lets an answer begin somewhat later.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a call that is told how far it is waits.
const LONGEST: Duration = Duration::from_mins(15);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    skill: String,
    #[serde(default)]
    tool: Option<String>,
    #[serde(default)]
    script: Option<String>,
    #[serde(default, rename = "arguments")]
    told: Vec<String>,
    #[serde(default)]
    input: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    run: String,
}

/// What is to be run.
struct Order {
    found: Found,
    named: Named,
    arguments: Vec<String>,
    input: Option<Bytes>,
    /// Whether a schema says what comes back.
    has_schema: bool,
}

/// Who calls what, and how they can be told something meanwhile.
pub(super) struct Call<'c> {
    pub hub: &'c Hub,
    pub caller: &'c Caller,
    pub request: &'c CallToolRequestParams,
    pub context: &'c RequestContext<RoleServer>,
}

/// The two tools of the hub that are about runs.
pub(super) fn tools() -> Vec<Tool> {
    let about = "Run a tool or a script of a skill in this hub's sandbox. The user is asked before anything runs that they \
        have not allowed yet. What takes long gives back a run to ask for with get_run.";
    let input = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "skill": {"type": "string", "description": "@publisher/skill, or @publisher/skill@1.2.0 for one version"},
            "tool": {"type": "string", "description": "A tool that the skill declares; its only one when neither is named"},
            "script": {"type": "string", "description": "Or a script, for example scripts/extract.py"},
            "arguments": {"type": "array", "items": {"type": "string"}, "description": "What the program is told"},
            "input": {"description": "What it reads on standard input: JSON for a tool, else a text"},
        },
        "required": ["skill"],
        "additionalProperties": false,
    });
    let hints = ToolAnnotations::with_title("Run a skill").read_only(false).destructive(true).idempotent(false);
    let run = Tool::new(RUN, about, object(input))
        .with_title("Run a skill")
        .with_raw_output_schema(object(told::schema()))
        .with_annotations(hints.open_world(true));
    let input = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"run": {"type": "string", "description": "The id that run_skill or a skill's tool gave back"}},
        "required": ["run"],
        "additionalProperties": false,
    });
    let get = super::tools::reading(GET, "Get a run", "How a run stands, and what came of it.", input, told::schema());
    vec![run, get]
}

impl Call<'_> {
    /// Answers a call of one of these tools, or of a skill's own; `None` when there is none of that name for the caller.
    pub async fn answer(&self) -> Option<Result<CallToolResponse, Failure>> {
        if self.caller.require(Scope::Run).is_err() {
            return None;
        }
        let given = self.request.arguments.clone().unwrap_or_default();
        match self.request.name.as_ref() {
            GET => Some(self.again(given).await),
            ask::ASK => Some(self.errand(given).await),
            RUN => Some(match self.order(given).await {
                Ok(order) => self.run(order).await,
                Err(failure) => Err(failure),
            }),
            name => {
                let found = match typed::listed(self.hub, self.caller).await {
                    Ok(mut listed) => listed.remove(name)?,
                    Err(failure) => return Some(Err(failure)),
                };
                let (found, tool) = found;
                let input = Value::Object(given).to_string().into();
                let has_schema = tool.tool.output_schema.is_some();
                let named = Named::Tool(tool.declared);
                Some(self.run(Order { found, named, arguments: Vec::new(), input: Some(input), has_schema }).await)
            }
        }
    }

    async fn order(&self, given: JsonObject) -> Result<Order, Failure> {
        let asked: Arguments = arguments(RUN, given)?;
        let reference: SkillRef = asked.skill.parse().map_err(|error: kontor_types::SkillRefError| {
            Failure::invalid(error.to_string()).hint("write @publisher/skill or @publisher/skill@1.2.0")
        })?;
        let found = self.hub.app.registry.version(self.caller.viewer(), &reference).await?;
        let named = match (asked.tool, asked.script) {
            (Some(_), Some(_)) => return Err(Failure::invalid("name a tool or a script, not both")),
            (Some(tool), None) => Named::Tool(tool),
            (None, Some(script)) => Named::Script(script),
            (None, None) => Named::OnlyTool,
        };
        let is_script = matches!(named, Named::Script(_));
        let input = asked.input.map(|input| match input {
            Value::String(text) if is_script => text.into(),
            other => other.to_string().into(),
        });
        Ok(Order { found, named, arguments: asked.told, input, has_schema: false })
    }

    async fn again(&self, given: JsonObject) -> Result<CallToolResponse, Failure> {
        let asked: Again = arguments(GET, given)?;
        let id: RunId = asked.run.parse().map_err(|_| Failure::invalid("this is no id of a run"))?;
        let run = self.hub.app.runs.result(self.caller, id, PATIENCE).await?;
        Ok(told::result(self.hub, self.caller, run, false).await?.into())
    }

    async fn run(&self, order: Order) -> Result<CallToolResponse, Failure> {
        self.hub.app.registry.may_run(self.caller, &order.found).await?;
        let asked = consent::asked(self.hub, self.caller, &order.found).await?;
        if let Some(question) = self.consented(&order, &asked).await? {
            return Ok(question.into());
        }
        let start = StartRun {
            entry: order.named,
            arguments: order.arguments,
            input: order.input,
            network: asked.network,
            secrets: asked.secrets,
            ..StartRun::default()
        };
        // Exactly the version that was asked about, whatever is the newest by now.
        let run = self.hub.app.runs.start(self.caller, &order.found.reference(), &start).await?;
        let run = self.waited(run).await?;
        Ok(told::result(self.hub, self.caller, run, order.has_schema).await?.into())
    }

    /// The run when it is over or has taken too long. Whoever takes the call back ends the run.
    async fn waited(&self, run: Run) -> Result<Run, Failure> {
        let waiting = async {
            match self.context.meta.get_progress_token() {
                Some(token) => self.told_meanwhile(run.id, token).await,
                None => Ok(self.hub.app.runs.result(self.caller, run.id, PATIENCE).await?),
            }
        };
        tokio::select! {
            run = waiting => run,
            () = self.context.ct.cancelled() => Ok(self.hub.app.runs.cancel(self.caller, run.id).await?),
        }
    }

    /// Says how far the run is whenever something happens in it. What the program says is not told before its end.
    async fn told_meanwhile(&self, id: RunId, token: ProgressToken) -> Result<Run, Failure> {
        let runs = &self.hub.app.runs;
        let mut events = runs.watch(self.caller, id, 0).await?;
        let following = async {
            let mut state = String::from("queued");
            while let Some(event) = events.next().await {
                let event = event?;
                if let Some(now) = event.data.get("state").and_then(Value::as_str) {
                    now.clone_into(&mut state);
                }
                #[expect(clippy::cast_precision_loss, reason = "a count of events")]
                let number = event.number as f64;
                let progress = ProgressNotificationParam::new(token.clone(), number).with_message(state.clone());
                // A client that does not listen any more has taken the call back, which is seen elsewhere.
                let _ = self.context.peer.notify_progress(progress).await;
            }
            Ok::<(), Failure>(())
        };
        // Longer runs are asked for again.
        if let Ok(ended) = tokio::time::timeout(LONGEST, following).await {
            ended?;
        }
        Ok(runs.show(self.caller, id).await?)
    }
}
