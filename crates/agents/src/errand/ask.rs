//! What people are asked, in their language; what they answer is the only thing that spends or lets something run.

use std::collections::BTreeMap;

use kontor_workflow::{Answer, AnsweredBy, Journal, Question, Stop};
use serde_json::{Value, json};

use crate::Role;
use crate::order::{Begun, Chosen, Order, Quoted};
use crate::words::Say;

/// Bytes of a signed mandate.
const ENVELOPE: usize = 12 << 10;

/// The name of the question for an address.
const ADDRESS: &str = "address";
/// The name of the question whether skills may run.
const ALLOW: &str = "skills";
/// The name of the question whether this is bought.
const CONSENT: &str = "purchase";

async fn put(
    journal: &Journal,
    name: &str,
    text: String,
    form: Value,
    detail: Value,
    begun: &Begun,
) -> Result<Answer, Stop> {
    let question = Question { text, form, who: AnsweredBy::Owner, deadline: Some(begun.patience), detail };
    journal.ask(name, &question).await
}

/// Where to, when the request does not say.
pub(super) async fn address(journal: &Journal, order: &Order, begun: &Begun) -> Result<String, Stop> {
    let say = Say(order.language);
    let form = json!({"type": "string", "minLength": 1, "maxLength": 300});
    let answer = put(journal, ADDRESS, say.ask_address().to_owned(), form, json!({"kind": "address"}), begun).await?;
    let text = answer.value.as_ref().and_then(Value::as_str).map(crate::wish::clip).filter(|text| !text.is_empty());
    text.ok_or_else(|| Stop::refuse("no_address", say.no_address()))
}

/// Whether skills may run that the person has not let run before.
pub(super) async fn allow(
    journal: &Journal,
    order: &Order,
    begun: &Begun,
    asked: &BTreeMap<Role, &Chosen>,
) -> Result<(), Stop> {
    let say = Say(order.language);
    let names: Vec<&str> = asked.values().map(|chosen| chosen.skill.as_str()).collect();
    let detail = json!({"kind": "skills", "skills": names});
    let text =
        format!("{}{}", say.ask_skills(&names), say.wanted(asked.values().filter_map(|one| one.must_ask.as_deref())));
    let answer = put(journal, ALLOW, text, json!({"type": "boolean"}), detail, begun).await?;
    match answer.value {
        Some(Value::Bool(true)) => Ok(()),
        Some(_) => Err(Stop::refuse("skills_refused", say.skills_refused())),
        None => Err(Stop::refuse("not_answered", say.not_answered())),
    }
}

/// How a purchase was confirmed.
pub(super) enum Confirmed {
    /// By a mandate for this very quote, as it was signed.
    Signed(String),
    /// By naming a mandate that there is.
    Mandate(String),
    /// For an errand that has a mandate: by saying yes.
    Yes,
}

/// Whether this is bought, at this price.
pub(super) async fn purchase(
    journal: &Journal,
    order: &Order,
    begun: &Begun,
    quoted: &Quoted,
    what: &Purchase<'_>,
) -> Result<Confirmed, Stop> {
    let say = Say(order.language);
    let text = format!("{}{}", say.ask_purchase(what, quoted), say.wanted(quoted.must_ask.as_deref().into_iter()));
    let form = json!({
        "type": "object", "required": ["confirm"], "additionalProperties": false,
        "properties": {
            "confirm": {"type": "boolean"},
            "envelope": {"type": "string", "maxLength": ENVELOPE},
            "mandate": {"type": "string", "maxLength": 64}
        }
    });
    let detail = json!({
        "kind": "purchase", "hub": what.hub, "checkout": quoted.shown, "expected": what.expected, "total": quoted.total,
        "needs_mandate": order.mandate.is_none(),
    });
    let mut patience = begun.clone();
    patience.patience = quoted.expires_at.min(begun.patience);
    let answer = put(journal, CONSENT, text, form, detail, &patience).await?;
    let Some(value) = answer.value else { return Err(Stop::refuse("not_answered", say.not_answered())) };
    if value.get("confirm") != Some(&Value::Bool(true)) {
        return Err(Stop::refuse("declined", say.declined()));
    }
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    match (text("envelope"), text("mandate"), order.mandate) {
        (Some(envelope), ..) => Ok(Confirmed::Signed(envelope)),
        (None, Some(mandate), _) => Ok(Confirmed::Mandate(mandate)),
        (None, None, Some(_)) => Ok(Confirmed::Yes),
        (None, None, None) => Err(Stop::refuse("no_mandate", say.no_mandate())),
    }
}

/// What is to be bought, for the question.
pub(crate) struct Purchase<'a> {
    pub title: &'a str,
    pub quantity: i64,
    pub merchant: &'a str,
    pub address: &'a str,
    pub expected: String,
    pub hub: &'a str,
}
