//! Activations: which skills the caller's agents have as tools of their own.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_access::Caller;
use kontor_registry::{Activation, Keep};
use kontor_types::{Code, VersionSelector};
use kontor_wire as wire;
use utoipa_axum::routes;

use super::names;
use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes, mcp};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Read, routes!(list)).add(Class::Write, routes!(activate, deactivate))
}

/// What is active for the caller, the first first.
#[utoipa::path(get, path = "/activations", tag = "activations",
    responses((status = 200, body = wire::ActivationList)))]
async fn list(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<wire::ActivationList>, Failure> {
    caller.require_person()?;
    let mut items = Vec::new();
    for activation in hub.app.registry.activations(&caller).await? {
        items.push(told(&hub, &caller, activation).await?);
    }
    Ok(Json(wire::ActivationList { items }))
}

/// Makes a version active: its typed tools appear as tools of the caller's agents, until another is made active.
#[utoipa::path(put, path = "/skills/{p}/{s}/activation", tag = "activations",
    params(("p" = String, Path), ("s" = String, Path)), request_body = wire::ActivationTarget,
    responses((status = 200, body = wire::Activation)))]
async fn activate(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
    Json(target): Json<wire::ActivationTarget>,
) -> Result<Json<wire::Activation>, Failure> {
    let mut reference = names::skill(&publisher, &slug)?;
    reference.version = target.version.map(VersionSelector::Exact);
    let registry = &hub.app.registry;
    let found = registry.version(caller.viewer(), &reference).await?;
    let asked = mcp::asked(&hub, &caller, &found).await?;
    if let Some(allow) = &target.allow
        && *allow != asked.allowed()
    {
        let text = format!("{} asks for something else than what is allowed here: {}", found.reference(), asked.text());
        return Err(Failure::new(Code::ConsentRequired, text).hint("allow exactly what it asks for, or leave it out"));
    }
    let activation = registry.activate(&caller, &found.reference()).await?;
    if target.allow.is_some() {
        registry.consent(&caller, &found, &asked.text(), Keep::Always).await?;
    }
    Ok(Json(told(&hub, &caller, activation).await?))
}

/// Takes a skill's tools away from the caller's agents.
#[utoipa::path(delete, path = "/skills/{p}/{s}/activation", tag = "activations",
    params(("p" = String, Path), ("s" = String, Path)), responses((status = 204)))]
async fn deactivate(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    hub.app.registry.deactivate(&caller, &names::skill(&publisher, &slug)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn told(hub: &Hub, caller: &Caller, activation: Activation) -> Result<wire::Activation, Failure> {
    let tools = if activation.may_run { mcp::tool_names(hub, &activation.found).await? } else { Vec::new() };
    let mut skill = activation.found.reference();
    skill.version = None;
    let version = activation.found.version.number.clone();
    let asked = mcp::asked(hub, caller, &activation.found).await?;
    let consented = hub.app.registry.has_consent(caller, &activation.found, &asked.text()).await?;
    let (asks, allowed) = (asked.allowed(), consented || asked.is_nothing());
    let (since, may_run) = (activation.since, activation.may_run);
    Ok(wire::Activation { skill, version, since, may_run, tools, asks, allowed })
}
