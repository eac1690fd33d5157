//! Stars: people keeping track of skills they like.

use kontor_access::{Caller, audit};
use kontor_db::stars;
use kontor_types::{Scope, SkillId, SkillRef};
use serde_json::json;

use crate::registry::{announce, event, name_of};
use crate::{Error, Registry};

/// A skill's star of one person after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Star {
    /// Whether the person stars the skill now.
    pub starred: bool,
    /// Whether that is new.
    pub changed: bool,
    /// How many people star it.
    pub stars: u64,
}

impl Registry {
    /// Stars a skill; starring it again changes nothing.
    pub async fn star(&self, caller: &Caller, reference: &SkillRef) -> Result<Star, Error> {
        self.set_star(caller, reference, true).await
    }

    /// Takes a star back.
    pub async fn unstar(&self, caller: &Caller, reference: &SkillRef) -> Result<Star, Error> {
        self.set_star(caller, reference, false).await
    }

    /// Whether the caller has starred a skill.
    pub async fn has_starred(&self, caller: &Caller, skill: SkillId) -> Result<bool, Error> {
        let Some(person) = caller.person_id() else { return Ok(false) };
        Ok(!stars::starred(&mut self.read().await?, person, &[skill]).await?.is_empty())
    }

    async fn set_star(&self, caller: &Caller, reference: &SkillRef, starred: bool) -> Result<Star, Error> {
        caller.require(Scope::Read)?;
        let person = caller.require_person()?;
        let skill = self.skill(caller.viewer(), reference).await?;
        let (id, now, writer) = (skill.id, self.now(), caller.clone());
        let changed = self
            .write(move |tx| {
                let (caller, skill) = (writer.clone(), skill.clone());
                Box::pin(async move {
                    let changed = if starred {
                        stars::add(tx, skill.id, person, now).await?
                    } else {
                        stars::remove(tx, skill.id, person).await?
                    };
                    if changed {
                        let action = if starred { "skill.star" } else { "skill.unstar" };
                        let event = event(action, skill.publisher_id, &name_of(&skill), json!({}));
                        audit::record(tx, &caller, event, now).await?;
                        announce(tx, skill.id, now).await?;
                    }
                    Ok(changed)
                })
            })
            .await?;
        let stars = self.skill_by_id(caller.viewer(), id).await?.map_or(0, |skill| skill.stars);
        Ok(Star { starred, changed, stars })
    }
}
