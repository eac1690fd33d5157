//! Activations: which skills a person's agents have as tools of their own, each in the version that was looked at then.

use std::collections::HashMap;
use std::sync::Arc;

use kontor_access::policy::Action;
use kontor_access::{Caller, audit};
use kontor_db::versions::VersionState;
use kontor_db::{activations, consents, skills, versions};
use kontor_types::{Scope, SkillRef, Timestamp};
use serde_json::json;

use crate::registry::{event, name_of};
use crate::{Error, Found, Registry};

/// Skills that one person may have live at once: all their tools stand in a model's context.
pub const MOST_ACTIVE: u64 = 32;

/// A skill that is live for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The version that was chosen.
    pub found: Found,
    /// Since when.
    pub since: Timestamp,
    /// Whether the person may run it now.
    pub may_run: bool,
}

impl Registry {
    /// Makes a version live for the caller, in place of another of its skill. A later version changes nothing until it is
    /// made live too.
    pub async fn activate(&self, caller: &Caller, reference: &SkillRef) -> Result<Activation, Error> {
        caller.require(Scope::Run)?;
        let person = caller.require_person()?;
        let found = self.version(caller.viewer(), reference).await?;
        self.may_run(caller, &found).await?;
        let (now, writer, chosen) = (self.now(), caller.clone(), found.clone());
        self.write(move |tx| {
            let (caller, found) = (writer.clone(), chosen.clone());
            Box::pin(async move {
                let (skill, version) = (&found.skill, &found.version);
                if activations::others(tx, person, skill.id).await? >= MOST_ACTIVE {
                    let detail = format!("{MOST_ACTIVE} skills are active, and more is too much for an agent");
                    return Err(Error::conflict(detail, "take one away with `kontor deactivate`"));
                }
                activations::put(tx, person, (skill.id, version.id), now).await?;
                let detail = json!({"version": version.number});
                let event = event("skill.activate", skill.publisher_id, &name_of(skill), detail);
                audit::record(tx, &caller, event, now).await?;
                Ok(())
            })
        })
        .await?;
        Ok(Activation { found, since: now, may_run: true })
    }

    /// Ends it, and takes back every consent about the skill; nothing happens when there was neither.
    pub async fn deactivate(&self, caller: &Caller, reference: &SkillRef) -> Result<(), Error> {
        caller.require(Scope::Run)?;
        let person = caller.require_person()?;
        let skill = self.skill(caller.viewer(), reference).await?;
        let (now, writer) = (self.now(), caller.clone());
        self.write(move |tx| {
            let (caller, skill) = (writer.clone(), skill.clone());
            Box::pin(async move {
                let ended = activations::remove(tx, person, skill.id).await?;
                let taken_back = consents::remove_of_skill(tx, person, skill.id).await?;
                if ended || taken_back > 0 {
                    let detail = json!({ "consents": taken_back });
                    let event = event("skill.deactivate", skill.publisher_id, &name_of(&skill), detail);
                    audit::record(tx, &caller, event, now).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// What is live for the caller and may be seen now, the first first; nothing for who is not signed in.
    pub async fn activations(&self, caller: &Caller) -> Result<Vec<Activation>, Error> {
        let Some(person) = caller.person_id() else { return Ok(Vec::new()) };
        let mut conn = self.read().await?;
        let rows = activations::of(&mut conn, person).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let skill_ids: Vec<_> = rows.iter().map(|row| row.skill_id).collect();
        let version_ids: Vec<_> = rows.iter().map(|row| row.version_id).collect();
        let skills = skills::find_many(&mut conn, caller.viewer(), &skill_ids).await?;
        let versions = versions::find_many(&mut conn, caller.viewer(), &version_ids).await?;
        drop(conn);
        let mut skills: HashMap<_, _> = skills.into_iter().map(|skill| (skill.id, Arc::new(skill))).collect();
        let mut versions: HashMap<_, _> = versions.into_iter().map(|one| (one.id, Arc::new(one))).collect();
        let pair = |row: &activations::Activation| {
            let (skill, version) = (skills.remove(&row.skill_id)?, versions.remove(&row.version_id)?);
            Some((Found { skill, version }, row.created_at))
        };
        let seen: Vec<(Found, Timestamp)> = rows.iter().filter_map(pair).collect();
        let found: Vec<Found> = seen.iter().map(|(found, _)| found.clone()).collect();
        let allowed = self.permissions(caller, Action::Run, &found).await?;
        let runnable =
            |found: &Found| found.version.state == VersionState::Visible && found.version.yanked_at.is_none();
        let told = seen.into_iter().zip(allowed).map(|((found, since), may)| {
            let may_run = may.is_ok() && runnable(&found);
            Activation { found, since, may_run }
        });
        Ok(told.collect())
    }
}
