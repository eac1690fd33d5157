//! The facts that a question to a policy carries, in the words of `facts.cedarschema`.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{Context, Entity, EntityUid, RestrictedExpression};
use serde::{Deserialize, Serialize};

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Actor {
    /// The name; empty for the hub itself and for nobody.
    pub handle: String,
    /// The hub itself.
    pub hub: bool,
    /// An administrator of the hub.
    pub administrator: bool,
    /// The role in the version's publisher, or `none`.
    pub role: String,
    /// The organisations and publishers they belong to.
    pub organisations: BTreeSet<String>,
    /// Whether this person published the version.
    pub author: bool,
}

impl Default for Actor {
    fn default() -> Self {
        Self {
            handle: String::new(),
            hub: false,
            administrator: false,
            role: "none".to_owned(),
            organisations: BTreeSet::new(),
            author: false,
        }
    }
}

/// What is known of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VersionFacts {
    /// Whose skill.
    pub publisher: String,
    /// `person` or `organisation`.
    pub publisher_kind: String,
    /// For how many days the hub knows the publisher.
    pub publisher_age_days: i64,
    /// The skill's name.
    pub skill: String,
    /// The version's number.
    pub number: String,
    /// Who may see the skill.
    pub visibility: String,
    /// What the scanner said.
    pub verdict: String,
    /// The worst finding, 0 none to 5 critical.
    pub severity: i64,
    /// Whether every file was examined.
    pub complete: bool,
    /// The rules that found something of medium or worse.
    pub rules: BTreeSet<String>,
    /// Whether its scripts were run to see what they do: `no`, `complete`, `partly`, `failed`.
    pub detonated: String,
    /// The rules of running them that found something of medium or worse.
    pub run_findings: BTreeSet<String>,
    /// Hosts that are named in commands and scripts.
    pub network: BTreeSet<String>,
    /// Programs that are started.
    pub exec: BTreeSet<String>,
    /// Places that are written.
    pub writes: BTreeSet<String>,
    /// Secrets that are read.
    pub secrets: BTreeSet<String>,
    /// Agents' files that are touched.
    pub agent_configuration: BTreeSet<String>,
    /// Addresses that something is downloaded from.
    pub downloads: BTreeSet<String>,
    /// The licence, or nothing.
    pub license: String,
    /// Whether there is a manifest.
    pub manifest: bool,
    /// Whose key signed it, or nothing.
    pub signer: String,
    /// `none`, `valid`, or `revoked` when the key was revoked before it signed this.
    pub signature: String,
    /// `publish`, or the kind of the import's source.
    pub origin: String,
    /// The address of that source, or nothing.
    pub source: String,
    /// Days since it was published.
    pub age_days: i64,
    /// What people said of it.
    pub review: String,
    /// How many people approved.
    pub approvals: i64,
    /// The version of another publisher whose text it repeats, or nothing.
    pub copy_of: String,
    /// The share of text in common with it, in percent.
    pub likeness: i64,
    /// What it can do that the original cannot.
    pub payload_changed: BTreeSet<String>,
    /// The skill of another publisher that its new name is easily taken for, or nothing.
    pub looks_like: String,
}

impl Default for VersionFacts {
    fn default() -> Self {
        let none = BTreeSet::new;
        Self {
            publisher: String::new(),
            publisher_kind: "person".to_owned(),
            publisher_age_days: 0,
            skill: String::new(),
            number: "0.1.0".to_owned(),
            visibility: "public".to_owned(),
            verdict: "clean".to_owned(),
            severity: 0,
            complete: true,
            rules: none(),
            detonated: "no".to_owned(),
            run_findings: none(),
            network: none(),
            exec: none(),
            writes: none(),
            secrets: none(),
            agent_configuration: none(),
            downloads: none(),
            license: String::new(),
            manifest: false,
            signer: String::new(),
            signature: "none".to_owned(),
            origin: "publish".to_owned(),
            source: String::new(),
            age_days: 0,
            review: "none".to_owned(),
            approvals: 0,
            copy_of: String::new(),
            likeness: 0,
            payload_changed: none(),
            looks_like: String::new(),
        }
    }
}

impl VersionFacts {
    /// A text with the facts that it names in braces: `{copy_of}` becomes the original's name.
    pub(super) fn told(&self, text: &str) -> String {
        if !text.contains('{') {
            return text.to_owned();
        }
        let Ok(serde_json::Value::Object(facts)) = serde_json::to_value(self) else { return text.to_owned() };
        facts.iter().fold(text.to_owned(), |text, (name, value)| {
            let place = format!("{{{name}}}");
            if text.contains(&place) { text.replace(&place, &plain(value)) } else { text }
        })
    }
}

/// A fact as people read it.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A secret that a run asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretFacts {
    /// Its name.
    pub secret: String,
    /// The publisher whose it is.
    pub owner: String,
    /// The digest of the version's bytes.
    pub digest: String,
}

impl SecretFacts {
    pub(super) fn context(&self) -> Option<Context> {
        let facts = [("secret", &self.secret), ("owner", &self.owner), ("digest", &self.digest)];
        Context::from_pairs(facts.map(|(name, value)| (name.to_owned(), text(value)))).ok()
    }
}

/// A model that somebody calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelFacts {
    /// Its name on this hub.
    pub name: String,
    /// The providers that may answer.
    pub providers: BTreeSet<String>,
    /// Whether it has a price.
    pub priced: bool,
}

impl ModelFacts {
    pub(super) fn entity(&self, uid: EntityUid) -> Option<Entity> {
        let priced = RestrictedExpression::new_bool(self.priced);
        entity(uid, [("name", text(&self.name)), ("providers", set(&self.providers)), ("priced", priced)])
    }
}

/// What an errand is about to pay for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PurchaseFacts {
    /// The hub's name for the merchant.
    pub merchant: String,
    /// The categories of what is bought, as the merchant signed them.
    pub categories: BTreeSet<String>,
    /// The price, in minor units.
    pub total: i64,
    /// Its currency.
    pub currency: String,
}

impl PurchaseFacts {
    pub(super) fn entity(&self, uid: EntityUid) -> Option<Entity> {
        let total = RestrictedExpression::new_long(self.total);
        entity(
            uid,
            [
                ("merchant", text(&self.merchant)),
                ("categories", set(&self.categories)),
                ("total", total),
                ("currency", text(&self.currency)),
            ],
        )
    }
}

/// Facts that are one of a few words, which a typing error in a made-up version would turn into none of them.
const WORDS: [(&str, &[&str]); 7] = [
    ("publisher_kind", &["person", "organisation"]),
    ("visibility", &["public", "unlisted", "organisation", "private"]),
    ("verdict", &["clean", "incomplete", "suspicious", "malicious"]),
    ("signature", &["none", "valid", "revoked"]),
    ("origin", &["publish", "folder", "archive", "git", "npm", "pip", "clawhub"]),
    ("review", &["none", "open", "approved", "changes", "rejected"]),
    ("detonated", &["no", "complete", "partly", "failed"]),
];
/// The roles of an actor.
const ROLES: &[&str] = &["owner", "admin", "maintainer", "reviewer", "member", "none"];

fn one_of(name: &str, value: &str, words: &[&str]) -> Result<(), String> {
    if words.contains(&value) {
        return Ok(());
    }
    Err(format!("`{name}` is `{value}`, which it never is: write one of {}", words.join(", ")))
}

impl Actor {
    /// Whether somebody like this can be.
    ///
    /// # Errors
    /// The fact that has a word that it never has, for people who made it up.
    pub fn check(&self) -> Result<(), String> {
        one_of("role", &self.role, ROLES)
    }
}

impl VersionFacts {
    /// Whether a version like this can be.
    ///
    /// # Errors
    /// The fact that has a word or a number that it never has, for people who made it up.
    pub fn check(&self) -> Result<(), String> {
        let values = [
            &self.publisher_kind,
            &self.visibility,
            &self.verdict,
            &self.signature,
            &self.origin,
            &self.review,
            &self.detonated,
        ];
        for ((name, words), value) in WORDS.iter().zip(values) {
            one_of(name, value, words)?;
        }
        if !(0..=5).contains(&self.severity) {
            return Err(format!("`severity` is {}: write 0 none to 5 critical", self.severity));
        }
        Ok(())
    }
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn set(values: &BTreeSet<String>) -> RestrictedExpression {
    RestrictedExpression::new_set(values.iter().map(|value| text(value)))
}

fn entity<const N: usize>(uid: EntityUid, facts: [(&str, RestrictedExpression); N]) -> Option<Entity> {
    let facts: HashMap<String, _> = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Entity::new(uid, facts, HashSet::new()).ok()
}

impl Actor {
    pub(super) fn entity(&self, uid: EntityUid) -> Option<Entity> {
        let flag = RestrictedExpression::new_bool;
        let facts = [
            ("handle", text(&self.handle)),
            ("hub", flag(self.hub)),
            ("administrator", flag(self.administrator)),
            ("role", text(&self.role)),
            ("organisations", set(&self.organisations)),
            ("author", flag(self.author)),
        ];
        entity(uid, facts)
    }
}

impl VersionFacts {
    pub(super) fn entity(&self, uid: EntityUid) -> Option<Entity> {
        let (flag, number) = (RestrictedExpression::new_bool, RestrictedExpression::new_long);
        let facts = [
            ("publisher", text(&self.publisher)),
            ("publisher_kind", text(&self.publisher_kind)),
            ("publisher_age_days", number(self.publisher_age_days)),
            ("skill", text(&self.skill)),
            ("number", text(&self.number)),
            ("visibility", text(&self.visibility)),
            ("verdict", text(&self.verdict)),
            ("severity", number(self.severity)),
            ("complete", flag(self.complete)),
            ("rules", set(&self.rules)),
            ("detonated", text(&self.detonated)),
            ("run_findings", set(&self.run_findings)),
            ("network", set(&self.network)),
            ("exec", set(&self.exec)),
            ("writes", set(&self.writes)),
            ("secrets", set(&self.secrets)),
            ("agent_configuration", set(&self.agent_configuration)),
            ("downloads", set(&self.downloads)),
            ("license", text(&self.license)),
            ("manifest", flag(self.manifest)),
            ("signer", text(&self.signer)),
            ("signature", text(&self.signature)),
            ("origin", text(&self.origin)),
            ("source", text(&self.source)),
            ("age_days", number(self.age_days)),
            ("review", text(&self.review)),
            ("approvals", number(self.approvals)),
            ("copy_of", text(&self.copy_of)),
            ("likeness", number(self.likeness)),
            ("payload_changed", set(&self.payload_changed)),
            ("looks_like", text(&self.looks_like)),
        ];
        entity(uid, facts)
    }
}
