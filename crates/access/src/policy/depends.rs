//! What an answer of a policy can depend on, read from its text once, so that most answers need no question.

use cedar_policy::{
    ActionConstraint, EntityUid, Policy as CedarPolicy, PolicySet, PrincipalConstraint, ResourceConstraint,
};
use serde_json::Value;

use super::Action;
use super::engine::uid;

/// What an answer depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depends {
    /// It is the same for every version and everybody.
    Nothing,
    /// On the version alone.
    Version,
    /// On who asks, too.
    Caller,
}

/// What the answer about an action depends on: the most that any of the policies about it looks at.
pub(super) fn depends(set: &PolicySet, action: Action) -> Depends {
    let Some(action) = uid("Action", action.as_str()) else { return Depends::Caller };
    let about = set.policies().filter(|policy| is_about(policy, &action));
    about.map(looks_at).max().unwrap_or(Depends::Nothing)
}

fn is_about(policy: &CedarPolicy, action: &EntityUid) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::In(actions) => actions.contains(action),
        ActionConstraint::Eq(only) => only == *action,
    }
}

fn looks_at(policy: &CedarPolicy) -> Depends {
    // Only the form of the whole is known to name what is looked at; without it everything may be.
    let Ok(form) = policy.to_json() else { return Depends::Caller };
    let named = form.get("conditions").map_or(Depends::Caller, looks_at_within);
    let scope = match (policy.principal_constraint(), policy.resource_constraint()) {
        (
            PrincipalConstraint::Any | PrincipalConstraint::Is(_),
            ResourceConstraint::Any | ResourceConstraint::Is(_),
        ) => Depends::Nothing,
        (PrincipalConstraint::Any | PrincipalConstraint::Is(_), _) => Depends::Version,
        _ => Depends::Caller,
    };
    named.max(scope)
}

fn looks_at_within(form: &Value) -> Depends {
    match form {
        Value::Object(fields) => {
            let own = match fields.get("Var").and_then(Value::as_str) {
                None => Depends::Nothing,
                Some("resource") => Depends::Version,
                Some(_) => Depends::Caller,
            };
            fields.values().map(looks_at_within).max().unwrap_or(Depends::Nothing).max(own)
        }
        Value::Array(items) => items.iter().map(looks_at_within).max().unwrap_or(Depends::Nothing),
        _ => Depends::Nothing,
    }
}
