//! Moving and removing tags.

use kontor_access::{Caller, audit};
use kontor_db::tags::{self, Tag};
use kontor_types::{Role, SkillRef, TagName, Version, VersionSelector, Viewer};
use serde_json::json;

use crate::registry::{announce, event, name_of};
use crate::{Error, Registry};

/// Most tags that a skill has.
const LIMIT: u64 = 100;

impl Registry {
    /// Points a tag to a version; `latest` goes by its rule and cannot be moved.
    pub async fn set_tag(
        &self,
        caller: &Caller,
        reference: &SkillRef,
        name: &TagName,
        number: &Version,
    ) -> Result<Tag, Error> {
        protect(name)?;
        let skill = self.own_skill(caller, reference, Role::Maintainer).await?;
        let mut conn = self.read().await?;
        let wanted = VersionSelector::Exact(number.clone());
        let found = self.version_on(&mut conn, caller.viewer(), skill, Some(&wanted)).await?;
        let (caller, name, now) = (caller.clone(), name.clone(), self.now());
        self.write(move |tx| {
            let (caller, name, found) = (caller.clone(), name.clone(), found.clone());
            Box::pin(async move {
                let skill = &found.skill;
                if tags::find(tx, &Viewer::hub(), skill.id, &name).await?.is_none()
                    && tags::count(tx, skill.id).await? >= LIMIT
                {
                    let detail = format!("{} has {LIMIT} tags", name_of(skill));
                    return Err(Error::conflict(detail, "remove a tag that is no longer used"));
                }
                tags::put(tx, skill.id, &name, found.version.id, now).await?;
                let detail = json!({"tag": name, "version": found.version.number});
                audit::record(tx, &caller, event("tag.set", skill.publisher_id, &name_of(skill), detail), now).await?;
                announce(tx, skill.id, now).await?;
                let tag = tags::find(tx, &Viewer::hub(), skill.id, &name).await?;
                tag.ok_or(Error::NotFound { what: "tag" })
            })
        })
        .await
    }

    /// Removes a tag; `latest` stays.
    pub async fn remove_tag(&self, caller: &Caller, reference: &SkillRef, name: &TagName) -> Result<(), Error> {
        protect(name)?;
        let skill = self.own_skill(caller, reference, Role::Maintainer).await?;
        let (caller, name, now) = (caller.clone(), name.clone(), self.now());
        self.write(move |tx| {
            let (caller, name, skill) = (caller.clone(), name.clone(), skill.clone());
            Box::pin(async move {
                if !tags::remove(tx, skill.id, &name).await? {
                    return Err(Error::NotFound { what: "tag" });
                }
                let event = event("tag.remove", skill.publisher_id, &name_of(&skill), json!({"tag": name}));
                audit::record(tx, &caller, event, now).await?;
                announce(tx, skill.id, now).await
            })
        })
        .await
    }
}

fn protect(name: &TagName) -> Result<(), Error> {
    if *name == TagName::latest() {
        let detail = "the tag latest follows the highest release by itself";
        return Err(Error::conflict(detail, "yank or hide the versions it should pass over"));
    }
    Ok(())
}
