//! `ask`: a person's errand for their agent. What it may spend is the person's to say, through elicitation, never the model's.

use std::fmt::Write as _;
use std::time::Duration;

use kontor_agents::{DETAIL, Errand, NewErrand};
use kontor_commerce::{Mandate, MandateState};
use kontor_types::{Code, Digest, MandateId, WorkflowId};
use kontor_workflow::OpenQuestion;
use rmcp::model::{
    CallToolResponse, CallToolResult, ContentBlock, ElicitResult, ElicitationAction, InputRequests,
    InputRequiredResult, JsonObject, Tool, ToolAnnotations,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::run::Call;
use super::tools::{arguments, object};
use super::untrusted::visible;
use crate::native::errands::identified;
use crate::{Failure, Hub};

/// The tool.
pub(super) const ASK: &str = "ask";
/// The name of our only question.
const QUESTION: &str = "errand";
/// How long a call waits for the errand's end or question; the front lets an answer begin somewhat later.
const PATIENCE: Duration = Duration::from_secs(20);
/// The answer that names no mandate.
const NONE: &str = "no";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default)]
    request: Option<String>,
    #[serde(default)]
    deliver_to: Option<String>,
    #[serde(default)]
    errand: Option<String>,
}

pub(super) fn tool() -> Tool {
    let about = "Have something found, compared, ordered and paid for on this hub, in the user's own words. The user is asked \
        before anything is paid. What takes long gives back an errand to ask for again with `errand`.";
    let input = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "request": {"type": "string", "maxLength": 1000, "description": "What the user wants, word for word, with the most it may cost"},
            "deliver_to": {"type": "string", "maxLength": 300, "description": "Where to, if the user has said"},
            "errand": {"type": "string", "description": "Or the id of an errand, to see how it stands"},
        },
        "additionalProperties": false,
    });
    let output = json!({
        "type": "object",
        "properties": {
            "errand": {"type": "string"},
            "state": {"type": "string"},
            "steps": {"type": "array", "items": {"type": "string"}},
            "asks": {"type": "string"},
            "bought": {"type": "object"},
            "error": {"type": "string"},
        },
        "required": ["errand", "state", "steps"],
    });
    let hints = ToolAnnotations::with_title("Ask for an errand").read_only(false).destructive(true).idempotent(false);
    Tool::new(ASK, about, object(input))
        .with_title("Ask for an errand")
        .with_raw_output_schema(object(output))
        .with_annotations(hints.open_world(true))
}

impl Call<'_> {
    /// Asks for an errand or looks at one; puts its question to the user where the client can.
    pub(super) async fn errand(&self, given: JsonObject) -> Result<CallToolResponse, Failure> {
        let agents = &self.hub.app.agents;
        if let Some(state) = &self.request.request_state {
            let id = self.errand_answered(state).await?;
            return self.errand_told(id).await;
        }
        let asked: Arguments = arguments(ASK, given)?;
        let id = match (asked.request, asked.errand) {
            (Some(request), None) => {
                let new = NewErrand { request, deliver_to: asked.deliver_to, ..NewErrand::default() };
                agents.ask(self.caller, &uuid::Uuid::new_v4().to_string(), &new).await?
            }
            (None, Some(errand)) => identified(&errand)?,
            _ => return Err(Failure::invalid("give `request` for a new errand, or `errand` for one that there is")),
        };
        self.errand_told(id).await
    }

    /// The errand when it asks or is over, or as it is after a while.
    async fn errand_told(&self, id: WorkflowId) -> Result<CallToolResponse, Failure> {
        let agents = &self.hub.app.agents;
        let errand = tokio::select! {
            errand = agents.result(self.caller, id, PATIENCE) => errand?,
            () = self.context.ct.cancelled() => {
                agents.cancel(self.caller, id).await?;
                agents.show(self.caller, id, None).await?
            }
        };
        match &errand.question {
            Some(question) if question.may_answer && self.can_ask() => {
                let about = about(id, question);
                let secret = self.hub.app.registry.ask_consent(self.caller, about).await?;
                let form = form(self.hub, self.caller, question).await?;
                Ok(InputRequiredResult::new(Some(form), Some(format!("{id}/{secret}"))).into())
            }
            _ => Ok(result(&errand).into()),
        }
    }

    /// Hands the user's answer on, if it is one to the very question that was put to them.
    async fn errand_answered(&self, state: &str) -> Result<WorkflowId, Failure> {
        let outdated = || {
            Failure::new(Code::ConsentRequired, "this answers no question that is open")
                .hint("call the tool again with the errand's id")
        };
        let (id, secret) = state.split_once('/').ok_or_else(outdated)?;
        let id = identified(id)?;
        let errand = self.hub.app.agents.show(self.caller, id, None).await?;
        let question = errand.question.ok_or_else(outdated)?;
        if !self.hub.app.registry.answers_consent(self.caller, secret, about(id, &question)).await? {
            return Err(outdated());
        }
        let answers = self.request.input_responses.as_ref().and_then(|answers| answers.get(QUESTION));
        let answer = answers.and_then(|answer| serde_json::from_value::<ElicitResult>(answer.clone()).ok());
        let accepted = answer.filter(|answer| answer.action == ElicitationAction::Accept);
        let said = accepted.and_then(|answer| answer.content).unwrap_or_default();
        let value = said_to(&question, &said);
        self.hub.app.agents.answer(self.caller, id, &question.name, value).await?;
        Ok(id)
    }
}

/// The digest of exactly this question.
fn about(id: WorkflowId, question: &OpenQuestion) -> Digest {
    Digest::of(json!([id, question.name, question.text, question.asked_at]).to_string().as_bytes())
}

fn said_to(question: &OpenQuestion, said: &Value) -> Value {
    let text = |key: &str| said.get(key).and_then(Value::as_str).unwrap_or_default();
    match question.detail.get("kind").and_then(Value::as_str) {
        Some("address") => json!(text("address")),
        Some("purchase") => match text("pay") {
            "yes" => json!({"confirm": true}),
            mandate if mandate.parse::<MandateId>().is_ok() => json!({"confirm": true, "mandate": mandate}),
            _ => json!({"confirm": false}),
        },
        _ => json!(text("allow") == "yes"),
    }
}

/// The question as the user's client shows it.
async fn form(hub: &Hub, caller: &kontor_access::Caller, question: &OpenQuestion) -> Result<InputRequests, Failure> {
    let yes_no = json!([{"const": "yes", "title": "Yes"}, {"const": NONE, "title": "No"}]);
    let field = |name: &str, rule: Value| json!({"type": "object", "properties": {name: rule}, "required": [name]});
    let needs = question.detail.get("needs_mandate") != Some(&json!(false));
    let (schema, more) = match question.detail.get("kind").and_then(Value::as_str) {
        Some("address") => (field("address", json!({"type": "string", "title": "Address", "maxLength": 300})), ""),
        Some("purchase") if needs => {
            let person = caller.require_person()?;
            let mandates = hub.app.commerce.mandates(person).await;
            let mandates = mandates.map_err(|error| Failure::from(error.problem()).cause(&error))?;
            let choices = mandates.iter().filter(|one| one.state == MandateState::Active).map(choice);
            let choices: Vec<Value> = choices.chain([json!({"const": NONE, "title": "No, do not buy it"})]).collect();
            let more = if choices.len() == 1 {
                " A purchase needs a mandate that your own key signs: `kontor errand resume` in a terminal confirms just this one, \
                 `kontor mandate new` makes one for later."
            } else {
                ""
            };
            (field("pay", json!({"type": "string", "title": "Pay within", "oneOf": choices})), more)
        }
        Some("purchase") => (field("pay", json!({"type": "string", "title": "Buy it", "oneOf": yes_no})), ""),
        _ => (field("allow", json!({"type": "string", "title": "Allow it", "oneOf": yes_no})), ""),
    };
    let message = format!("{}{more}", visible(&question.text));
    let params = json!({"mode": "form", "message": message, "requestedSchema": schema});
    let requests = json!({QUESTION: {"method": "elicitation/create", "params": params}});
    let failed = |error: serde_json::Error| Failure::new(Code::Internal, "the question cannot be put").cause(&error);
    serde_json::from_value(requests).map_err(failed)
}

fn choice(mandate: &Mandate) -> Value {
    let (id, left, until) = (mandate.terms.id, mandate.left, mandate.terms.until);
    json!({"const": id, "title": format!("Yes, within the mandate with {left} left, until {until}")})
}

/// How an errand stands, for programs and for readers.
fn result(errand: &Errand) -> CallToolResult {
    let id = errand.workflow.id;
    let steps: Vec<String> = errand
        .steps
        .iter()
        .flat_map(|step| &step.lines)
        .filter(|line| !line.starts_with(DETAIL))
        .map(|line| visible(line))
        .collect();
    let mut text = format!("errand {id}: {}\n", errand.workflow.state);
    for line in &steps {
        let _ = writeln!(text, "- {line}");
    }
    let mut told = json!({"errand": id, "state": errand.workflow.state.to_string(), "steps": steps});
    if let Some(question) = &errand.question {
        let asks = visible(&question.text);
        let _ = writeln!(
            text,
            "It asks the user: {asks}\nThey answer with `kontor errand resume {id}` or on the page /errands/{id}."
        );
        told["asks"] = json!(asks);
    } else if !errand.workflow.state.is_over() {
        let _ = writeln!(text, "It goes on. Ask for it with `{ASK}` and errand {id}.");
    }
    if let Some(bought) = &errand.bought {
        told["bought"] = json!(bought);
    }
    if let Some(error) = &errand.error {
        let _ = writeln!(text, "error: {}", visible(error));
        told["error"] = json!(visible(error));
    }
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(told);
    result
}
