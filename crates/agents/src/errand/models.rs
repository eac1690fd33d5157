//! Calls of models: what they answer is kept with what it took.

use kontor_access::Caller;
use kontor_gateway::{ChatAnswer, ChatRequest, Purpose};
use kontor_workflow::StepError;
use serde_json::{Value, json};

use crate::agents::Means;
use crate::offers;
use crate::order::{Begun, Chose, Order, Tokens, Understood};
use crate::wish::{self, Unusable, Wish};

/// How often a model may write again what it did not write in the form.
const TRIES: usize = 3;
/// Tokens of an answer.
const LONGEST: u32 = 600;

impl Means {
    /// Has a model read the request.
    pub async fn understand(
        &self,
        caller: &Caller,
        order: &Order,
        begun: &Begun,
        errand: &str,
    ) -> Result<Understood, StepError> {
        let mut messages = wish::messages(&order.request, &begun.day, &fence(errand));
        let mut tokens = Vec::new();
        let mut problem = String::new();
        for _ in 0..TRIES {
            let (answer, used) = self.call(caller, order, errand, messages.clone(), wish::tool(), wish::TOOL).await?;
            tokens.push(used);
            match Wish::read(&answer, &order.request, order.currency) {
                Ok(wish) => return Ok(Understood { wish, tokens }),
                Err(Unusable::Other(reason)) => return Err(StepError::refused("not_a_purchase", reason)),
                Err(Unusable::Form(reason)) => {
                    let complaint =
                        format!("This cannot be used: {reason}. Call {} again in the right form.", wish::TOOL);
                    messages.push(json!({"role": "assistant", "content": wish::clip(&answer)}));
                    messages.push(json!({"role": "user", "content": complaint}));
                    problem = reason;
                }
            }
        }
        Err(StepError::refused("not_understood", problem))
    }

    /// Has a model pick among the offers that fit; with one there is nothing to pick.
    pub async fn pick(
        &self,
        caller: &Caller,
        order: &Order,
        comparison: &Value,
        errand: &str,
    ) -> Result<Chose, StepError> {
        let rows = offers::rows(comparison);
        let Some(advised) = offers::advised(comparison) else {
            let why = comparison.pointer("/advice/lines/0/text").and_then(Value::as_str).unwrap_or_default();
            return Err(StepError::refused("nothing_fits", wish::clip(why)));
        };
        if rows.len() < 2 {
            return Ok(Chose { offer: advised, reason: String::new(), refused: None, tokens: None });
        }
        let messages = offers::messages(&order.request, &rows, &fence(errand));
        let (answer, used) = self.call(caller, order, errand, messages, offers::pick_tool(&rows), offers::PICK).await?;
        let picked = offers::picked(&answer, &rows, &advised);
        if let Some(refusal) = &picked.refused {
            tracing::warn!(
                errand.id = errand,
                refusal.code,
                "a model's answer was refused, and the comparison's advice stands"
            );
        }
        Ok(Chose { offer: picked.offer, reason: picked.reason, refused: picked.refused, tokens: Some(used) })
    }

    async fn call(
        &self,
        caller: &Caller,
        order: &Order,
        errand: &str,
        messages: Vec<Value>,
        tools: Value,
        tool: &str,
    ) -> Result<(String, Tokens), StepError> {
        let request = ChatRequest::new(&order.model)
            .messages(messages)
            .set("tools", tools)
            .set("tool_choice", json!({"type": "function", "function": {"name": tool}}))
            .set("temperature", json!(0))
            .set("max_tokens", json!(LONGEST));
        let purpose = Purpose { errand: Some(errand.to_owned()), ..Purpose::default() };
        let answer = self.gateway.chat(caller, &purpose, &request).await.map_err(|error| failed(&error))?;
        let used = Tokens {
            model: answer.upstream.clone(),
            input: answer.usage.prompt,
            output: answer.usage.completion,
            cost_micros: answer.cost.as_ref().map(|cost| cost.micros),
            currency: answer.cost.as_ref().map(|cost| cost.currency),
        };
        Ok((said(&answer, tool), used))
    }
}

/// What a model wrote into the tool's call, or without one.
fn said(answer: &ChatAnswer, tool: &str) -> String {
    let call = answer.tool_calls().into_iter().find(|call| call.name == tool);
    call.map_or_else(|| answer.text().to_owned(), |call| call.arguments)
}

/// The line that stands around foreign text; nobody who writes a product's text knows it.
fn fence(errand: &str) -> String {
    format!("=== {errand} ===")
}

fn failed(error: &kontor_gateway::Error) -> StepError {
    let problem = error.problem();
    let text = match &problem.hint {
        Some(hint) => format!("{}; {hint}", problem.detail),
        None => problem.detail.clone(),
    };
    if error.is_transient() { StepError::retry(text) } else { StepError::refused(error.code(), text) }
}
