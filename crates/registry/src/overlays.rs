//! Overlays: an operator's manifest over somebody else's skill.

use kontor_access::{Caller, audit};
use kontor_db::overlays::{self, NewOverlay, Overlay};
use kontor_types::{Digest, Handle, OverlayId, Role, SkillRef, Version};
use serde_json::json;

use crate::registry::{event, name_of};
use crate::{Error, Registry};

/// Most bytes of a manifest.
const MANIFEST_LIMIT: usize = 256 * 1024;

impl Registry {
    /// Lays a manifest over a skill for a publisher; the same text again makes nothing, another gets the next patch.
    pub async fn set_overlay(
        &self,
        caller: &Caller,
        publisher: &Handle,
        reference: &SkillRef,
        manifest: &str,
        number: Option<&Version>,
    ) -> Result<Overlay, Error> {
        let publisher = self.publisher(caller, publisher, Role::Maintainer).await?;
        let skill = self.skill(caller.viewer(), reference).await?;
        if manifest.len() > MANIFEST_LIMIT {
            return Err(Error::invalid(format!("the manifest is longer than {MANIFEST_LIMIT} bytes: shorten it")));
        }
        let (digest, manifest) = (Digest::of(manifest.as_bytes()), manifest.to_owned());
        let (caller, asked, now) = (caller.clone(), number.cloned(), self.now());
        self.write(move |tx| {
            let (caller, asked, manifest) = (caller.clone(), asked.clone(), manifest.clone());
            let (publisher, skill) = (publisher.clone(), skill.clone());
            Box::pin(async move {
                let chain = overlays::list(tx, &kontor_types::Viewer::hub(), publisher.id, skill.id).await?;
                if let Some(same) = chain.first().filter(|overlay| overlay.digest == digest) {
                    return Ok(same.clone());
                }
                let next = chain.first().map_or_else(Version::first, |overlay| overlay.number.next_patch());
                let number = asked.unwrap_or_else(|| next.clone());
                if chain.iter().any(|overlay| overlay.number == number) {
                    return Err(Error::VersionTaken { skill: name_of(&skill).into(), number, next });
                }
                let new = NewOverlay {
                    id: OverlayId::new(now),
                    publisher_id: publisher.id,
                    skill_id: skill.id,
                    number,
                    manifest,
                    digest,
                    created_by: caller.person_id(),
                    now,
                };
                overlays::insert(tx, &new).await?;
                let detail = json!({"number": new.number, "digest": digest});
                audit::record(tx, &caller, event("overlay.set", publisher.id, &name_of(&skill), detail), now).await?;
                let chain = overlays::list(tx, &kontor_types::Viewer::hub(), publisher.id, skill.id).await?;
                let made = chain.into_iter().find(|overlay| overlay.id == new.id);
                made.ok_or(Error::NotFound { what: "overlay" })
            })
        })
        .await
    }

    /// A publisher's overlays over a skill, the highest number first; its members see them.
    pub async fn overlays(
        &self,
        caller: &Caller,
        publisher: &Handle,
        reference: &SkillRef,
    ) -> Result<Vec<Overlay>, Error> {
        let mut conn = self.read().await?;
        let skill = self.skill_on(&mut conn, caller.viewer(), reference).await?;
        let found = kontor_db::publishers::find(&mut conn, caller.viewer(), publisher).await?;
        let publisher = found.ok_or_else(|| Error::PublisherNotFound { handle: publisher.clone() })?;
        Ok(overlays::list(&mut conn, caller.viewer(), publisher.id, skill.id).await?)
    }

    /// Takes a publisher's overlays off a skill; returns how many there were.
    pub async fn remove_overlays(
        &self,
        caller: &Caller,
        publisher: &Handle,
        reference: &SkillRef,
    ) -> Result<u64, Error> {
        let publisher = self.publisher(caller, publisher, Role::Maintainer).await?;
        let skill = self.skill(caller.viewer(), reference).await?;
        let (caller, now) = (caller.clone(), self.now());
        self.write(move |tx| {
            let (caller, publisher, skill) = (caller.clone(), publisher.clone(), skill.clone());
            Box::pin(async move {
                let removed = overlays::remove(tx, publisher.id, skill.id).await?;
                if removed > 0 {
                    let event = event("overlay.remove", publisher.id, &name_of(&skill), json!({"removed": removed}));
                    audit::record(tx, &caller, event, now).await?;
                }
                Ok(removed)
            })
        })
        .await
    }
}
