//! Consent: a person says what a version may have. A tool's arguments can never say it, since a model writes them.

use kontor_access::Caller;
use kontor_dispatch::Named;
use kontor_package::{Manifest, NetworkGrant, Permissions};
use kontor_registry::{Found, Keep};
use kontor_types::{Code, Digest, SkillRef};
use rmcp::model::{ElicitResult, ElicitationAction, InputRequests, InputRequiredResult, ProtocolVersion};
use serde_json::{Value, json};

use super::{Call, Order};
use crate::mcp::cut::one_line;
use crate::mcp::untrusted::visible;
use crate::{Failure, Hub};

/// The name of our only question.
const QUESTION: &str = "consent";
/// Units of the arguments that a question shows.
const SHOWN: usize = 300;

/// What a version would get.
pub(crate) struct Asked {
    pub network: Vec<NetworkGrant>,
    pub secrets: Vec<String>,
}

impl Asked {
    /// In one spelling: another list is another consent.
    pub fn text(&self) -> String {
        json!({ "network": self.network, "secrets": self.secrets }).to_string()
    }

    /// Whether it asks for nothing.
    pub fn is_nothing(&self) -> bool {
        self.network.is_empty() && self.secrets.is_empty()
    }

    /// As the native API has it.
    pub fn allowed(&self) -> kontor_wire::Allowed {
        let network = self.network.iter().map(ToString::to_string).collect();
        kontor_wire::Allowed { network, secrets: self.secrets.clone() }
    }

    fn words(&self) -> String {
        if self.is_nothing() {
            return "It gets no network and no secrets".to_owned();
        }
        let network = self.network.iter().map(|grant| format!("connections to {grant}"));
        let secrets = self.secrets.iter().map(|name| format!("the secret {name}"));
        format!("It gets {}", network.chain(secrets).collect::<Vec<_>>().join(", "))
    }
}

/// What the caller's overlay, or else the author's manifest, asks for.
pub(crate) async fn asked(hub: &Hub, caller: &Caller, found: &Found) -> Result<Asked, Failure> {
    let registry = &hub.app.registry;
    let name = SkillRef::new(found.skill.publisher.clone(), found.skill.slug.clone());
    let laid = match &caller.person {
        Some((_, own)) => registry.overlays(caller, own, &name).await?.into_iter().next(),
        None => None,
    };
    let manifest = if let Some(overlay) = laid {
        Manifest::read(&overlay.manifest).0
    } else {
        let reading = registry.reading(caller.viewer(), found.version.id).await?;
        reading.manifest.and_then(|manifest| serde_json::from_value(manifest).ok())
    };
    let Permissions { mut network, mut secrets, .. } = manifest.unwrap_or_default().permissions;
    // A wildcard is a bound and no grant.
    network.retain(|grant| !grant.host().starts_with("*."));
    network.sort();
    network.dedup();
    secrets.sort();
    secrets.dedup();
    Ok(Asked { network, secrets })
}

impl Call<'_> {
    /// Passes when the caller lets the version have this; else what to ask them, where their client can.
    pub(super) async fn consented(&self, order: &Order, asked: &Asked) -> Result<Option<InputRequiredResult>, Failure> {
        let (registry, found) = (&self.hub.app.registry, &order.found);
        // Who made exactly this version active wanted it to run, with nothing.
        let is_active = |one: &kontor_registry::Activation| one.found.version.id == found.version.id;
        if asked.is_nothing() && registry.activations(self.caller).await?.iter().any(is_active) {
            return Ok(None);
        }
        if registry.has_consent(self.caller, found, &asked.text()).await? {
            return Ok(None);
        }
        let about = self.about(order, asked);
        if let Some(state) = &self.request.request_state {
            return self.answered(state, about, found, asked).await.map(|()| None);
        }
        if self.can_ask() {
            let state = registry.ask_consent(self.caller, about).await?;
            return Ok(Some(InputRequiredResult::new(Some(question(order, asked)?), Some(state))));
        }
        let text = format!("nobody has allowed to run {} yet. {}", found.reference(), asked.words());
        let hint = format!(
            "this client cannot ask the user; the user can allow it with `kontor activate {} --allow`, then call again",
            found.reference()
        );
        Err(Failure::new(Code::ConsentRequired, text).hint(hint))
    }

    /// Passes when the person said yes to the very question that was put to them.
    async fn answered(&self, state: &str, about: Digest, found: &Found, asked: &Asked) -> Result<(), Failure> {
        let registry = &self.hub.app.registry;
        if !registry.answers_consent(self.caller, state, about).await? {
            let text = "this answers no question that is open about this call";
            return Err(Failure::new(Code::ConsentRequired, text).hint("call the tool again without an answer"));
        }
        let answers = self.request.input_responses.as_ref().and_then(|answers| answers.get(QUESTION));
        let answer = answers.and_then(|answer| serde_json::from_value::<ElicitResult>(answer.clone()).ok());
        let refused = || {
            let text = format!("the user did not allow to run {}", found.reference());
            Failure::new(Code::ConsentRequired, text).hint("go on without it; do not ask again unless the user says so")
        };
        let answer = answer.filter(|answer| answer.action == ElicitationAction::Accept).ok_or_else(refused)?;
        let choice = answer.content.as_ref().and_then(|content| content.get("allow")).and_then(Value::as_str);
        let keep = match choice {
            Some("once") => return Ok(()),
            Some("session") => Keep::Session,
            Some("always") => Keep::Always,
            _ => return Err(refused()),
        };
        registry.consent(self.caller, found, &asked.text(), keep).await?;
        Ok(())
    }

    /// The digest of exactly this call, by this token.
    fn about(&self, order: &Order, asked: &Asked) -> Digest {
        let (entry, is_tool) = entry(&order.named);
        let about = json!([
            self.caller.token,
            order.found.version.id,
            order.found.version.digest,
            entry,
            is_tool,
            order.arguments,
            order.input.as_deref().map(Digest::of),
            asked.text(),
        ]);
        Digest::of(about.to_string().as_bytes())
    }

    /// Whether the client says of itself that it can ask its user; only revisions without sessions can be asked that way.
    pub(in crate::mcp) fn can_ask(&self) -> bool {
        let modern = self.context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        let can = self.context.client_capabilities().and_then(|can| can.elicitation);
        modern && can.is_some_and(|can| can.form.is_some() || can.url.is_none())
    }
}

fn entry(named: &Named) -> (&str, bool) {
    match named {
        Named::OnlyTool => ("its only tool", true),
        Named::Tool(name) => (name, true),
        Named::Script(path) => (path, false),
    }
}

fn question(order: &Order, asked: &Asked) -> Result<InputRequests, Failure> {
    let (entry, _) = entry(&order.named);
    let input = order.input.as_deref().map(String::from_utf8_lossy);
    let said = order.arguments.iter().map(String::as_str).chain(input.as_deref());
    let said = one_line(&visible(&said.collect::<Vec<_>>().join(" ")), SHOWN);
    let with = if said.is_empty() { String::new() } else { format!(", with: {said}") };
    let message = format!(
        "Run `{}` of the skill {} in the sandbox of this hub? {}. Nothing else of the machine is reached{with}",
        one_line(&visible(entry), SHOWN),
        order.found.reference(),
        asked.words(),
    );
    let choices = json!([
        {"const": "once", "title": "Once, this call"},
        {"const": "session", "title": "For this session (eight hours)"},
        {"const": "always", "title": "Always for this version"},
    ]);
    let schema = json!({
        "type": "object",
        "properties": {"allow": {"type": "string", "title": "Allow it", "oneOf": choices}},
        "required": ["allow"],
    });
    let params = json!({"mode": "form", "message": message, "requestedSchema": schema});
    let requests = json!({QUESTION: {"method": "elicitation/create", "params": params}});
    let failed = |error: serde_json::Error| Failure::new(Code::Internal, "the question cannot be put").cause(&error);
    serde_json::from_value(requests).map_err(failed)
}
