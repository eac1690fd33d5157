//! A policy that was checked, and its answers.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use cedar_policy::{
    Authorizer, Context, Decision, Effect, Entities, Entity, EntityUid, PolicyId, PolicySet, Request, Response, Schema,
    ValidationMode, Validator,
};
use kontor_db::decisions::Outcome;
use kontor_types::Digest;
use serde::{Deserialize, Serialize};

use super::depends::{Depends, depends};
use super::{Actor, ModelFacts, PolicyFault, PurchaseFacts, SecretFacts, VersionFacts};

/// Most bytes of a policy.
const LIMIT: usize = 256 * 1024;

/// The facts there are; `None` when the program itself is broken, which a test holds.
static SCHEMA: LazyLock<Option<Schema>> =
    LazyLock::new(|| Schema::from_cedarschema_str(super::FACTS).ok().map(|(schema, _)| schema));

/// What a policy is asked about, besides admitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Installing a version.
    Install,
    /// Running a version.
    Run,
    /// Giving a secret to a run of a version.
    UseSecret,
    /// Calling a model.
    UseModel,
    /// Going on with an errand without asking its person.
    ActAlone,
    /// Deciding about a version in a review.
    Approve,
    /// Changing the policy.
    Administer,
}

impl Action {
    /// The word in policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Run => "run",
            Self::UseSecret => "use_secret",
            Self::UseModel => "use_model",
            Self::ActAlone => "act_alone",
            Self::Approve => "approve",
            Self::Administer => "administer",
        }
    }
}

/// One policy that led to an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Its id.
    pub policy: String,
    /// What it says to people.
    pub text: String,
}

/// An answer about admitting a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What becomes of it.
    pub outcome: Outcome,
    /// The policies that led to it.
    pub reasons: Vec<Reason>,
}

/// Whether somebody may do something; otherwise the policies that forbid it, none when no policy permits it.
pub type Permission = Result<(), Vec<Reason>>;

struct Rule {
    reason: Reason,
    outcome: Outcome,
}

/// What is known of an action before anybody asks.
struct Known {
    depends: Depends,
    always: Option<Permission>,
}

/// A policy that was checked and can decide.
pub struct Policy {
    name: String,
    text: String,
    digest: Digest,
    set: PolicySet,
    rules: HashMap<PolicyId, Rule>,
    install: Known,
    run: Known,
    use_model: Known,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Policy").field("name", &self.name).field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Policy {
    /// Reads and checks a policy.
    ///
    /// # Errors
    /// Everything that is wrong with it: syntax, facts that do not exist, comparisons that can never hold, missing or
    /// repeated ids, outcomes that are none, and a policy that nobody could change again.
    pub fn load(name: &str, text: &str) -> Result<Self, Vec<PolicyFault>> {
        if text.len() > LIMIT {
            return Err(vec![PolicyFault::whole(format!("the policy is longer than {LIMIT} bytes: shorten it"))]);
        }
        let schema = SCHEMA.as_ref().ok_or_else(|| vec![PolicyFault::whole("the facts of this program are broken")])?;
        let set: PolicySet = match text.parse() {
            Ok(set) => set,
            Err(errors) => {
                let errors: cedar_policy::ParseErrors = errors;
                return Err(errors.iter().map(|error| PolicyFault::of(error, text)).collect());
            }
        };
        let checked = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        let mut faults: Vec<_> = checked.validation_errors().map(|error| PolicyFault::of(error, text)).collect();
        if set.templates().next().is_some() {
            faults.push(PolicyFault::whole("templates with ?principal or ?resource are not filled in here"));
        }
        let rules = rules(&set, &mut faults);
        let unknown = || Known { depends: Depends::Caller, always: None };
        let mut policy = Self {
            name: name.to_owned(),
            text: text.to_owned(),
            digest: Digest::of(text.as_bytes()),
            set,
            rules,
            install: unknown(),
            run: unknown(),
            use_model: unknown(),
        };
        policy.install = policy.look_ahead(Action::Install);
        policy.run = policy.look_ahead(Action::Run);
        policy.use_model = policy.look_ahead(Action::UseModel);
        if faults.is_empty() {
            let administrator = Actor { handle: "admin".to_owned(), administrator: true, ..Actor::default() };
            if policy.may(Action::Administer, &administrator, None).is_err() {
                let message = "no administrator could change this policy again: permit Action::\"administer\" to them";
                faults.push(PolicyFault::whole(message));
            }
        }
        if faults.is_empty() { Ok(policy) } else { Err(faults) }
    }

    /// The preset's name, or `own`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The SHA-256 of the text.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// What becomes of a version. Whatever cannot be answered goes to a person.
    pub fn admit(&self, actor: &Actor, version: &VersionFacts) -> Decided {
        let Some(response) = self.ask("admit", actor, Some(version)) else {
            return to_review("policy-error", "the policy could not be asked about these facts");
        };
        if response.diagnostics().errors().next().is_some() {
            return to_review("policy-error", "a policy could not be evaluated with these facts");
        }
        let met: Vec<&Rule> = response.diagnostics().reason().filter_map(|id| self.rules.get(id)).collect();
        let told = |rule: &&Rule| Reason { text: version.told(&rule.reason.text), ..rule.reason.clone() };
        let mut reasons: Vec<Reason> = met.iter().map(told).collect();
        reasons.sort_by(|left, right| left.policy.cmp(&right.policy));
        if response.decision() == Decision::Allow {
            return Decided { outcome: Outcome::Admit, reasons };
        }
        match met.iter().map(|rule| rule.outcome).max() {
            Some(outcome) => Decided { outcome, reasons },
            None => to_review("no-permit", "no policy admits it; a person looks at it first"),
        }
    }

    /// What the answer about installing, running or calling a model depends on; everything, for other actions.
    pub const fn depends(&self, action: Action) -> Depends {
        match action {
            Action::Install => self.install.depends,
            Action::Run => self.run.depends,
            Action::UseModel => self.use_model.depends,
            Action::UseSecret | Action::ActAlone | Action::Approve | Action::Administer => Depends::Caller,
        }
    }

    /// The answer about installing, running or calling a model, when it is the same for every version or model and everybody.
    pub const fn always(&self, action: Action) -> Option<&Permission> {
        match action {
            Action::Install => self.install.always.as_ref(),
            Action::Run => self.run.always.as_ref(),
            Action::UseModel => self.use_model.always.as_ref(),
            Action::UseSecret | Action::ActAlone | Action::Approve | Action::Administer => None,
        }
    }

    fn look_ahead(&self, action: Action) -> Known {
        let depends = depends(&self.set, action);
        let any = || match action {
            Action::UseModel => self.may_use_model(&Actor::default(), &ModelFacts::default()),
            _ => self.may(action, &Actor::default(), Some(&VersionFacts::default())),
        };
        Known { depends, always: (depends == Depends::Nothing).then(any) }
    }

    /// Whether an actor may do something with a version, or with the hub.
    ///
    /// # Errors
    /// The policies that forbid it; none when no policy permits it.
    pub fn may(&self, action: Action, actor: &Actor, version: Option<&VersionFacts>) -> Permission {
        self.permission(self.ask(action.as_str(), actor, version))
    }

    /// Whether a secret may be given to a run of a version by an actor.
    ///
    /// # Errors
    /// As [`Policy::may`].
    pub fn may_use(&self, actor: &Actor, version: &VersionFacts, secret: &SecretFacts) -> Permission {
        let context = secret.context();
        self.permission(context.and_then(|context| self.ask_with("use_secret", actor, Some(version), context)))
    }

    /// Whether an actor may call a model.
    ///
    /// # Errors
    /// As [`Policy::may`].
    pub fn may_use_model(&self, actor: &Actor, model: &ModelFacts) -> Permission {
        let what = uid("Model", &model.name).and_then(|what| Some((what.clone(), model.entity(what)?)));
        self.permission(what.and_then(|what| self.ask_about("use_model", actor, what, Context::empty())))
    }

    /// Whether an errand of an actor may pay for this within their mandate without asking them. Whether it may run a version so is
    /// asked of [`Policy::may`] with [`Action::ActAlone`].
    ///
    /// # Errors
    /// As [`Policy::may`].
    pub fn may_pay_alone(&self, actor: &Actor, purchase: &PurchaseFacts) -> Permission {
        let what = uid("Purchase", &purchase.merchant).and_then(|what| Some((what.clone(), purchase.entity(what)?)));
        self.permission(what.and_then(|what| self.ask_about("act_alone", actor, what, Context::empty())))
    }

    fn permission(&self, response: Option<Response>) -> Permission {
        let Some(response) = response else { return Err(Vec::new()) };
        if response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none() {
            return Ok(());
        }
        let met = response.diagnostics().reason().filter_map(|id| self.rules.get(id));
        let met = met.filter(|rule| response.decision() == Decision::Deny || rule.outcome != Outcome::Admit);
        let mut reasons: Vec<Reason> = met.map(|rule| rule.reason.clone()).collect();
        reasons.sort_by(|left, right| left.policy.cmp(&right.policy));
        Err(reasons)
    }

    fn ask(&self, action: &str, actor: &Actor, version: Option<&VersionFacts>) -> Option<Response> {
        self.ask_with(action, actor, version, Context::empty())
    }

    fn ask_with(
        &self,
        action: &str,
        actor: &Actor,
        version: Option<&VersionFacts>,
        context: Context,
    ) -> Option<Response> {
        let resource = if let Some(facts) = version {
            let what = uid("Version", &format!("@{}/{}@{}", facts.publisher, facts.skill, facts.number))?;
            (what.clone(), facts.entity(what)?)
        } else {
            let hub = uid("Hub", "hub")?;
            (hub.clone(), Entity::new_no_attrs(hub, std::collections::HashSet::new()))
        };
        self.ask_about(action, actor, resource, context)
    }

    fn ask_about(
        &self,
        action: &str,
        actor: &Actor,
        (what, resource): (EntityUid, Entity),
        context: Context,
    ) -> Option<Response> {
        let schema = SCHEMA.as_ref()?;
        let who = uid("Actor", &actor.handle)?;
        let entities = Entities::from_entities([actor.entity(who.clone())?, resource], Some(schema)).ok()?;
        let request = Request::new(who, uid("Action", action)?, what, context, Some(schema)).ok()?;
        Some(Authorizer::new().is_authorized(&request, &self.set, &entities))
    }
}

pub(super) fn uid(kind: &str, id: &str) -> Option<EntityUid> {
    Some(EntityUid::from_type_name_and_id(kind.parse().ok()?, cedar_policy::EntityId::new(id)))
}

fn to_review(policy: &str, text: &str) -> Decided {
    let reason = Reason { policy: policy.to_owned(), text: text.to_owned() };
    Decided { outcome: Outcome::Review, reasons: vec![reason] }
}

/// What each policy says to people, and what its refusal means.
fn rules(set: &PolicySet, faults: &mut Vec<PolicyFault>) -> HashMap<PolicyId, Rule> {
    let mut names = BTreeSet::new();
    let mut rules = HashMap::new();
    for policy in set.policies() {
        let Some(name) = policy.annotation("id").filter(|name| !name.trim().is_empty()) else {
            faults.push(PolicyFault::whole("every policy needs a name: write @id(\"…\") above it"));
            continue;
        };
        if !names.insert(name.to_owned()) {
            faults.push(PolicyFault::whole(format!("two policies have the id `{name}`: give each its own")));
        }
        for (annotation, _) in policy.annotations() {
            if !["id", "reason", "outcome"].contains(&annotation) {
                let message =
                    format!("`{name}` has @{annotation}, which means nothing here; use @id, @reason, @outcome");
                faults.push(PolicyFault::whole(message));
            }
        }
        let outcome = match (policy.effect(), policy.annotation("outcome")) {
            (_, Some("review")) | (Effect::Forbid, None) => Outcome::Review,
            (_, Some("quarantine")) => Outcome::Quarantine,
            (_, Some("reject")) => Outcome::Reject,
            (Effect::Permit, None) => Outcome::Admit,
            (_, Some(other)) => {
                let message = format!("`{name}` has the outcome `{other}`: use review, quarantine or reject");
                faults.push(PolicyFault::whole(message));
                Outcome::Review
            }
        };
        if policy.effect() == Effect::Permit && policy.annotation("outcome").is_some() {
            faults.push(PolicyFault::whole(format!("`{name}` permits, so it has no @outcome: take it away")));
        }
        let text = policy.annotation("reason").unwrap_or(name).to_owned();
        rules.insert(policy.id().clone(), Rule { reason: Reason { policy: name.to_owned(), text }, outcome });
    }
    rules
}
