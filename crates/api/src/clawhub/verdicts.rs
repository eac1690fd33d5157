//! What `openclaw` asks before it installs: a verdict on exact versions, many at once.

use std::collections::HashSet;

use axum::extract::State;
use kontor_access::Caller;
use kontor_registry::{Found, Skill};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::judged::{Advice, Judged};
use super::refusal::Refusal;
use super::{lookup, names, shapes};
use crate::extract::Json;
use crate::{Asker, Hub};

const MOST: usize = 100;

/// Which versions.
#[derive(Debug, Deserialize)]
pub struct Asked {
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    slug: String,
    owner_handle: Option<String>,
    version: String,
}

/// `POST /api/v1/skills/-/security-verdicts` with `{items: [{slug, ownerHandle?, version}]}`
pub async fn verdicts(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(asked): Json<Asked>,
) -> Result<Json<Value>, Refusal> {
    if asked.items.is_empty() || asked.items.len() > MOST {
        return Err(Refusal::invalid(format!("items must hold 1 to {MOST} versions")));
    }
    let mut seen = HashSet::new();
    let mut items = Vec::with_capacity(asked.items.len());
    for item in &asked.items {
        let item = item.normal()?;
        if !seen.insert((item.owner_handle.clone(), item.slug.clone(), item.version.clone())) {
            return Err(Refusal::invalid(format!("{} {} is asked for twice", item.slug, item.version)));
        }
        items.push(verdict(&hub, &caller, &item).await?);
    }
    Ok(Json(json!({ "schema": "clawhub.skill.security-verdicts.v1", "items": items })))
}

impl Item {
    fn normal(&self) -> Result<Self, Refusal> {
        let owner_handle = names::handle(self.owner_handle.as_deref())
            .map_err(|_| Refusal::invalid("ownerHandle is no handle"))?
            .map(|owner| owner.to_string());
        Ok(Self { slug: self.slug.trim().to_owned(), owner_handle, version: self.version.trim().to_owned() })
    }

    /// What every answer repeats of the question; the owner only when one was asked for.
    fn echo(&self) -> Map<String, Value> {
        let mut echo = Map::from_iter([
            ("requestedSlug".to_owned(), json!(self.slug)),
            ("requestedVersion".to_owned(), json!(self.version)),
        ]);
        if let Some(owner) = &self.owner_handle {
            echo.insert("requestedOwnerHandle".to_owned(), json!(owner));
        }
        echo
    }
}

async fn verdict(hub: &Hub, caller: &Caller, item: &Item) -> Result<Value, Refusal> {
    let viewer = caller.viewer();
    let Ok(name) = names::skill(&item.slug, item.owner_handle.as_deref()) else {
        return Ok(unknown(item, None, "skill", "Skill not found"));
    };
    let found = match names::version(Some(&item.version), None) {
        Ok(which) => lookup::found_or_recalled(hub, viewer, name.clone(), which).await,
        Err(refusal) => Err(refusal),
    };
    match found {
        Ok(found) => return known(hub, caller, item, &found).await,
        Err(refusal) if refusal.is_fault() => return Err(refusal),
        Err(_) => {}
    }
    match lookup::skill(hub, viewer, &name).await {
        Ok(skill) => Ok(unknown(item, Some(&skill), "version", "Version not found")),
        Err(refusal) if refusal.is_fault() => Err(refusal),
        Err(_) => Ok(unknown(item, None, "skill", "Skill not found")),
    }
}

/// The names in the answer are those of the question, also when the skill has moved to another since.
async fn known(hub: &Hub, caller: &Caller, item: &Item, found: &Found) -> Result<Value, Refusal> {
    let (skill, version) = (&found.skill, &found.version);
    let page = shapes::page(hub, skill);
    let judged = Judged::read_for(hub, caller, found).await?;
    let facts = json!({
        "ok": judged.advice() == Advice::Pass,
        "decision": judged.advice().as_str(),
        "reasons": judged.reasons(),
        "slug": item.slug,
        "version": version.number,
        "displayName": skill.display_name,
        "publisherHandle": publisher(item, skill),
        "publisherDisplayName": skill.publisher,
        "createdAt": version.created_at.millis(),
        "checkedAt": judged.checked_at(),
        "skillUrl": page,
        "securityAuditUrl": format!("{page}#security"),
        "overview": judged.overview(),
        "security": judged.security(),
    });
    Ok(with_echo(item, facts))
}

fn publisher(item: &Item, skill: &Skill) -> String {
    item.owner_handle.clone().unwrap_or_else(|| skill.publisher.to_string())
}

fn unknown(item: &Item, skill: Option<&Skill>, what: &str, message: &str) -> Value {
    let facts = json!({
        "ok": false,
        "decision": "fail",
        "reasons": [format!("{what}.not_found")],
        "slug": skill.map(|_| &item.slug),
        "version": null,
        "publisherHandle": skill.map(|skill| publisher(item, skill)),
        "error": { "code": format!("{what}_not_found"), "message": message },
        "security": null,
    });
    with_echo(item, facts)
}

fn with_echo(item: &Item, facts: Value) -> Value {
    let mut answer = item.echo();
    if let Value::Object(facts) = facts {
        answer.extend(facts);
    }
    Value::Object(answer)
}
