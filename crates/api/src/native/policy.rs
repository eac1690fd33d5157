//! The policy in force, and what another one would change.

use axum::extract::State;
use kontor_access::policy::{self, Action, Policy as Loaded};
use kontor_wire::{Explanation, NewPolicy, PastDecision, Permission, Policy, PolicyChange, PolicyPreview, PolicyShift};
use utoipa_axum::routes;

use super::{names, skill_shapes, trust_shapes as shapes};
use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(show))
        .add(Class::Write, routes!(set))
        .add(Class::Write, routes!(preview))
        .add(Class::Read, routes!(explain))
}

fn shape(policy: &Loaded) -> Policy {
    Policy {
        name: policy.name().to_owned(),
        digest: policy.digest(),
        text: policy.text().to_owned(),
        facts: policy::FACTS.to_owned(),
    }
}

/// The policy in force, for everybody who is signed in.
#[utoipa::path(get, path = "/policy", tag = "policy", responses((status = 200, body = Policy)))]
async fn show(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<Policy>, Failure> {
    caller.require_person()?;
    Ok(Json(shape(&*hub.app.registry.policy().await?)))
}

/// Sets another policy, by which the catalogue is judged again; a broken one changes nothing. For administrators.
#[utoipa::path(put, path = "/policy", tag = "policy", request_body = NewPolicy,
    responses((status = 200, body = Policy)))]
async fn set(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(new): Json<NewPolicy>,
) -> Result<Json<Policy>, Failure> {
    let name = name(&new);
    Ok(Json(shape(&*hub.app.registry.set_policy(&caller, name, &new.text).await?)))
}

/// Says what another policy would change over the whole catalogue, and changes nothing. For administrators.
#[utoipa::path(post, path = "/policy/preview", tag = "policy", request_body = NewPolicy,
    responses((status = 200, body = PolicyPreview)))]
async fn preview(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(new): Json<NewPolicy>,
) -> Result<Json<PolicyPreview>, Failure> {
    caller.require_administrator()?;
    let loaded = Loaded::load(name(&new), &new.text).map_err(|faults| kontor_access::Error::Policy { faults })?;
    let preview = hub.app.registry.preview_policy(&caller, &loaded).await?;
    let kinds = preview.kinds.into_iter().map(|(from, to, versions)| PolicyShift {
        from: shapes::outcome(from),
        to: shapes::outcome(to),
        versions,
    });
    let changes = preview.changes.into_iter().map(|change| PolicyChange {
        reference: change.reference,
        from: shapes::outcome(change.from),
        to: shapes::outcome(change.to),
        reasons: shapes::reasons_now(change.reasons),
    });
    Ok(Json(PolicyPreview {
        versions: preview.versions,
        changed: preview.changed,
        kinds: kinds.collect(),
        changes: changes.collect(),
        installs_lost: preview.installs_lost,
        installs_won: preview.installs_won,
    }))
}

/// A preset keeps its name only with its own text.
fn name(new: &NewPolicy) -> &str {
    let named = new.name.as_deref().and_then(|name| Some((name, policy::preset(name)?)));
    named.filter(|(_, text)| *text == new.text).map_or("own", |(name, _)| name)
}

/// Why a version is decided as it is: the policies and the facts.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}/explanation", tag = "policy", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), responses((status = 200, body = Explanation)))]
async fn explain(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug, version)): Path<(String, String, String)>,
) -> Result<Json<Explanation>, Failure> {
    let asked = names::version(&publisher, &slug, &version)?;
    let found = hub.app.registry.version(caller.viewer(), &asked).await?;
    let told = hub.app.registry.explain(&caller, &found).await?;
    let mut permissions = Vec::new();
    for action in [Action::Install, Action::Run, Action::ActAlone] {
        let said = hub.app.registry.permission(&caller, action, &found).await?;
        let permitted = said.is_ok();
        let reasons = shapes::reasons_now(said.err().unwrap_or_default());
        permissions.push(Permission { action: action.as_str().to_owned(), permitted, reasons });
    }
    let mut reference = skill_shapes::reference(&found.skill);
    reference.version = Some(kontor_types::VersionSelector::Exact(found.version.number.clone()));
    let past = told.decisions.into_iter().map(|decision| PastDecision {
        outcome: shapes::outcome(decision.outcome),
        reasons: shapes::reasons(&decision.reasons),
        cause: decision.cause,
        policy: decision.policy,
        rules: decision.rules,
        at: decision.created_at,
    });
    Ok(Json(Explanation {
        reference,
        policy: told.policy,
        outcome: shapes::outcome(told.decided.outcome),
        reasons: shapes::reasons_now(told.decided.reasons),
        actor: serde_json::to_value(&told.actor).unwrap_or_default(),
        facts: serde_json::to_value(&told.facts).unwrap_or_default(),
        permissions,
        decisions: past.collect(),
    }))
}
