//! `kontor policy test`: a policy is asked about made-up versions.

use std::collections::BTreeSet;
use std::path::Path;

use kontor_access::policy::{Action, Actor, ModelFacts, Policy, PurchaseFacts, SecretFacts, VersionFacts};
use serde::Deserialize;
use serde_json::json;

use crate::exit::{Exit, UsageError};
use crate::session::Session;
use crate::terminal::{Style, plain};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    /// A preset, or a file beside this one.
    policy: Option<String>,
    #[serde(default)]
    case: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// What is asked: admit unless told, or install, run, use_secret, use_model, act_alone, approve.
    #[serde(default)]
    action: Asked,
    /// admit, review, quarantine or reject; of other actions permit or forbid.
    expect: String,
    #[serde(default)]
    version: VersionFacts,
    #[serde(default)]
    actor: Actor,
    /// What `use_secret` is asked about.
    #[serde(default)]
    context: SecretFacts,
    /// What `use_model` is asked about.
    #[serde(default)]
    model: Model,
    /// What `act_alone` is asked about, unless it is the version.
    purchase: Option<PurchaseFacts>,
}

/// A made-up model.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Model {
    name: String,
    providers: BTreeSet<String>,
    priced: bool,
}

impl Model {
    fn facts(&self) -> ModelFacts {
        ModelFacts { name: self.name.clone(), providers: self.providers.clone(), priced: self.priced }
    }
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asked {
    #[default]
    Admit,
    Install,
    Run,
    UseSecret,
    UseModel,
    ActAlone,
    Approve,
}

impl Asked {
    /// The answers there are.
    const fn answers(self) -> &'static [&'static str] {
        match self {
            Self::Admit => &["admit", "review", "quarantine", "reject"],
            Self::Install | Self::Run | Self::UseSecret | Self::UseModel | Self::ActAlone | Self::Approve => {
                &["permit", "forbid"]
            }
        }
    }

    /// The policy's answer, and the policies that lead to it.
    fn ask(self, policy: &Policy, case: &Case) -> (&'static str, Vec<String>) {
        let action = match self {
            Self::Admit => {
                let decided = policy.admit(&case.actor, &case.version);
                return (decided.outcome.as_str(), decided.reasons.into_iter().map(|reason| reason.policy).collect());
            }
            Self::Install => Action::Install,
            Self::Run => Action::Run,
            Self::UseSecret => Action::UseSecret,
            Self::UseModel => Action::UseModel,
            Self::ActAlone => Action::ActAlone,
            Self::Approve => Action::Approve,
        };
        let permission = match action {
            Action::UseSecret => policy.may_use(&case.actor, &case.version, &case.context),
            Action::UseModel => policy.may_use_model(&case.actor, &case.model.facts()),
            Action::ActAlone if case.purchase.is_some() => {
                policy.may_pay_alone(&case.actor, &case.purchase.clone().unwrap_or_default())
            }
            other => policy.may(other, &case.actor, Some(&case.version)),
        };
        match permission {
            Ok(()) => ("permit", Vec::new()),
            Err(reasons) => ("forbid", reasons.into_iter().map(|reason| reason.policy).collect()),
        }
    }
}

/// Asks about each case and tells those that are decided otherwise than expected.
pub fn run(path: &Path, policy: Option<&str>, session: &Session) -> anyhow::Result<Exit> {
    let unreadable = |error: String| UsageError(format!("cannot read {}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let cases: Cases = toml::from_str(&text).map_err(|error| unreadable(error.message().to_owned()))?;
    let (name, text) = match (policy, &cases.policy) {
        (Some(given), _) => super::read(given, None)?,
        (None, Some(named)) => super::read(named, path.parent())?,
        (None, None) => {
            return Err(UsageError("say which policy to test: `policy = \"…\"` or --policy".to_owned()).into());
        }
    };
    let policy = Policy::load(&name, &text).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        UsageError(format!("the policy cannot be used: {}", faults.join("; ")))
    })?;
    let terminal = &session.terminal;
    let mut results = Vec::new();
    for case in &cases.case {
        let answers = case.action.answers();
        if !answers.contains(&case.expect.as_str()) {
            let message = format!("`{}` expects `{}`: write one of {}", case.name, case.expect, answers.join(", "));
            return Err(UsageError(message).into());
        }
        case.version
            .check()
            .and_then(|()| case.actor.check())
            .map_err(|fault| UsageError(format!("`{}`: {fault}", case.name)))?;
        let (answer, by) = case.action.ask(&policy, case);
        let right = answer == case.expect;
        if !terminal.json {
            let mark = if right { terminal.paint(Style::Green, "ok  ") } else { terminal.paint(Style::Red, "bad ") };
            let more = if right { String::new() } else { format!(", not {}", case.expect) };
            terminal.data(&format!("{mark} {}: {}{more} ({})", plain(&case.name), answer, plain(&by.join(", "))));
        }
        results.push(json!({
            "name": case.name, "expected": case.expect, "outcome": answer, "passed": right, "policies": by,
        }));
    }
    let passed = results.iter().all(|result| result["passed"] == true);
    if terminal.json {
        terminal.json(&json!({ "passed": passed, "cases": results }));
    } else if results.is_empty() {
        terminal.warn("there is no case in it; write [[case]] with name and expect");
    }
    Ok(if passed { Exit::Done } else { Exit::Failed })
}
