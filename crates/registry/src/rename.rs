//! New names and new owners: renames, merges and transfers, each leaving redirects.

use kontor_access::{Caller, audit};
use kontor_db::publishers::{self, Publisher};
use kontor_db::skill_names::{self, Name, NameKind};
use kontor_db::skills::{self, Deprecation, Skill};
use kontor_db::transfers::{self, NewTransfer, Side, Transfer, TransferState};
use kontor_db::{Tx, import_paths, stars};
use kontor_translog::Notary;
use kontor_types::{Handle, PublisherId, Role, Scope, SkillId, SkillRef, Slug, Timestamp, TransferId, Viewer};
use serde_json::json;

use crate::registry::{announce, event, name_of};
use crate::statements::{self, Deed};
use crate::versions::checked;
use crate::{Error, Registry};

/// Most offers that a list tells.
const LISTED: u32 = 200;

impl Registry {
    /// Gives a skill another name within its publisher; the old one leads to it for ever.
    pub async fn rename(&self, caller: &Caller, reference: &SkillRef, slug: &Slug) -> Result<Skill, Error> {
        let skill = self.own_skill(caller, reference, Role::Maintainer).await?;
        if skill.slug == *slug {
            return Ok(skill);
        }
        let (caller, notary, slug, now) = (caller.clone(), self.log().clone(), slug.clone(), self.now());
        self.write(move |tx| {
            let (caller, notary, slug, skill) = (caller.clone(), notary.clone(), slug.clone(), skill.clone());
            Box::pin(async move {
                skills::lock(tx, skill.id).await?;
                let place = Place { publisher: (skill.publisher_id, &skill.publisher), slug: &slug };
                move_to(tx, &skill, &place, now).await?;
                let detail = json!({"to": SkillRef::new(skill.publisher.clone(), slug.clone())});
                let event = event("skill.rename", skill.publisher_id, &name_of(&skill), detail.clone());
                audit::record(tx, &caller, event, now).await?;
                let deed = Deed { action: "skill.rename", detail, caller: &caller };
                statements::of_skill(tx, &notary, &skill, &deed, now).await?;
                announce(tx, skill.id, now).await?;
                reread(tx, skill.id).await
            })
        })
        .await
    }

    /// Merges a skill into another that the caller also maintains: its names lead there, its stars move, it is gone.
    pub async fn merge(&self, caller: &Caller, from: &SkillRef, into: &SkillRef) -> Result<Skill, Error> {
        let source = self.own_skill(caller, from, Role::Maintainer).await?;
        let target = self.own_skill(caller, into, Role::Maintainer).await?;
        if source.id == target.id {
            return Err(Error::invalid("a skill cannot be merged with itself: name another"));
        }
        let (caller, notary, now) = (caller.clone(), self.log().clone(), self.now());
        self.write(move |tx| {
            let (caller, notary, source, target) = (caller.clone(), notary.clone(), source.clone(), target.clone());
            Box::pin(async move {
                skills::lock(tx, source.id.min(target.id)).await?;
                skills::lock(tx, source.id.max(target.id)).await?;
                skill_names::redirect_all(tx, source.id, target.id).await?;
                stars::hand_over(tx, source.id, target.id).await?;
                import_paths::forget(tx, source.id).await?;
                transfers::cancel_all(tx, source.id, caller.person_id(), now).await?;
                let message = "merged".to_owned();
                let notice = Deprecation { at: now, message, successor: Some(name_of(&target).to_string()) };
                skills::set_deprecation(tx, source.id, Some(&notice)).await?;
                skills::set_deleted(tx, source.id, Some(now)).await?;
                let detail = json!({"into": name_of(&target)});
                let event = event("skill.merge", source.publisher_id, &name_of(&source), detail.clone());
                audit::record(tx, &caller, event, now).await?;
                let deed = Deed { action: "skill.merge", detail, caller: &caller };
                statements::of_skill(tx, &notary, &source, &deed, now).await?;
                announce(tx, source.id, now).await?;
                announce(tx, target.id, now).await?;
                reread(tx, target.id).await
            })
        })
        .await
    }

    /// Offers a skill to another publisher. When the caller may publish for both, or administers the hub, it changes hands
    /// at once.
    pub async fn transfer(
        &self,
        caller: &Caller,
        reference: &SkillRef,
        to: &Handle,
        message: &str,
    ) -> Result<Transfer, Error> {
        let skill = self.own_skill(caller, reference, Role::Admin).await?;
        let receiver = publishers::by_handle(&mut self.read().await?, to).await?;
        let receiver = receiver.ok_or_else(|| Error::PublisherNotFound { handle: to.clone() })?;
        if receiver.id == skill.publisher_id {
            return Err(Error::invalid(format!("{} is @{to}'s already", name_of(&skill))));
        }
        let person = caller.require_person()?;
        let direct = caller.require_role(receiver.id, Role::Admin, Scope::Publish).is_ok();
        let new = NewTransfer {
            id: TransferId::new(self.now()),
            skill_id: skill.id,
            from_publisher: skill.publisher_id,
            to_publisher: receiver.id,
            message: checked(message)?,
            state: if direct { TransferState::Accepted } else { TransferState::Pending },
            created_by: person,
            now: self.now(),
        };
        let (caller, notary) = (caller.clone(), self.log().clone());
        self.write(move |tx| {
            let (caller, new, skill, receiver) = (caller.clone(), new.clone(), skill.clone(), receiver.clone());
            let notary = notary.clone();
            Box::pin(async move { offer(tx, (&caller, &notary), &new, &skill, &receiver).await })
        })
        .await
    }

    /// Takes an offered skill.
    pub async fn accept_transfer(&self, caller: &Caller, id: TransferId) -> Result<Transfer, Error> {
        self.decide(caller, id, TransferState::Accepted).await
    }

    /// Turns an offered skill down.
    pub async fn reject_transfer(&self, caller: &Caller, id: TransferId) -> Result<Transfer, Error> {
        self.decide(caller, id, TransferState::Rejected).await
    }

    /// Takes an offer back.
    pub async fn cancel_transfer(&self, caller: &Caller, id: TransferId) -> Result<Transfer, Error> {
        self.decide(caller, id, TransferState::Cancelled).await
    }

    /// Pending offers to the caller's publishers, or by them.
    pub async fn transfers(&self, caller: &Caller, side: Side) -> Result<Vec<Transfer>, Error> {
        caller.require_person()?;
        Ok(transfers::pending(&mut self.read().await?, caller.viewer(), side, LISTED).await?)
    }

    /// The pending offer of a skill that one of the caller's publishers gives or is to receive; a skill that is not
    /// visible to the receiver is found by its name all the same.
    pub async fn transfer_of(&self, caller: &Caller, reference: &SkillRef) -> Result<Transfer, Error> {
        let mut conn = self.read().await?;
        let incoming =
            transfers::incoming_named(&mut conn, caller.viewer(), reference.publisher.as_ref(), &reference.slug)
                .await?;
        if let Some(transfer) = incoming.into_iter().next() {
            return Ok(transfer);
        }
        let skill = self.skill_on(&mut conn, caller.viewer(), reference).await?;
        let transfer = transfers::of_skill(&mut conn, caller.viewer(), skill.id).await?;
        transfer.ok_or(Error::NotFound { what: "transfer" })
    }

    async fn decide(&self, caller: &Caller, id: TransferId, state: TransferState) -> Result<Transfer, Error> {
        let found = transfers::find(&mut self.read().await?, caller.viewer(), id).await?;
        let transfer = found.ok_or(Error::NotFound { what: "transfer" })?;
        let side = match state {
            TransferState::Cancelled => transfer.from_publisher,
            _ => transfer.to_publisher,
        };
        caller.require_role(side, Role::Admin, Scope::Publish)?;
        let (caller, notary, now) = (caller.clone(), self.log().clone(), self.now());
        self.write(move |tx| {
            let (caller, notary, transfer) = (caller.clone(), notary.clone(), transfer.clone());
            Box::pin(async move {
                skills::lock(tx, transfer.skill_id).await?;
                if !transfers::decide(tx, transfer.id, state, caller.person_id(), now).await? {
                    return Err(Error::conflict("the transfer was decided already", "look at the present offers"));
                }
                let skill = reread(tx, transfer.skill_id).await?;
                if state == TransferState::Accepted {
                    let place = Place { publisher: (transfer.to_publisher, &transfer.to_handle), slug: &transfer.slug };
                    move_to(tx, &skill, &place, now).await?;
                    import_paths::hand_over(tx, skill.id, transfer.to_publisher).await?;
                }
                let (action, concerned) = match state {
                    TransferState::Accepted => ("transfer.accept", transfer.to_publisher),
                    TransferState::Rejected => ("transfer.reject", transfer.to_publisher),
                    TransferState::Cancelled | TransferState::Pending => ("transfer.cancel", transfer.from_publisher),
                };
                let detail = json!({"from": transfer.from_handle, "to": transfer.to_handle});
                audit::record(tx, &caller, event(action, concerned, &name_of(&skill), detail.clone()), now).await?;
                if state == TransferState::Accepted {
                    let deed = Deed { action: "skill.transfer", detail, caller: &caller };
                    statements::of_skill(tx, &notary, &skill, &deed, now).await?;
                }
                announce(tx, skill.id, now).await?;
                let decided = transfers::find(tx, &Viewer::hub(), transfer.id).await?;
                Ok(decided.unwrap_or(transfer))
            })
        })
        .await
    }
}

async fn offer(
    tx: &mut Tx,
    (caller, notary): (&Caller, &Notary),
    new: &NewTransfer,
    skill: &Skill,
    receiver: &Publisher,
) -> Result<Transfer, Error> {
    skills::lock(tx, skill.id).await?;
    transfers::cancel_all(tx, skill.id, caller.person_id(), new.now).await?;
    transfers::insert(tx, new).await?;
    let direct = new.state == TransferState::Accepted;
    if direct {
        let place = Place { publisher: (receiver.id, &receiver.handle), slug: &skill.slug };
        move_to(tx, skill, &place, new.now).await?;
        import_paths::hand_over(tx, skill.id, receiver.id).await?;
    }
    let action = if direct { "skill.transfer" } else { "transfer.offer" };
    let detail = json!({"to": receiver.handle});
    audit::record(tx, caller, event(action, new.from_publisher, &name_of(skill), detail), new.now).await?;
    if direct {
        let detail = json!({"from": skill.publisher, "to": receiver.handle});
        let deed = Deed { action, detail, caller };
        statements::of_skill(tx, notary, skill, &deed, new.now).await?;
    }
    announce(tx, skill.id, new.now).await?;
    transfers::find(tx, &Viewer::hub(), new.id).await?.ok_or(Error::NotFound { what: "transfer" })
}

/// Where a skill is to stand.
struct Place<'a> {
    publisher: (PublisherId, &'a Handle),
    slug: &'a Slug,
}

/// Moves a skill to a name that is free or was its own; the name it leaves leads to it.
async fn move_to(tx: &mut Tx, skill: &Skill, place: &Place<'_>, now: Timestamp) -> Result<(), Error> {
    let (publisher, handle) = place.publisher;
    if let Some(name) = skill_names::get(tx, publisher, place.slug).await? {
        let free = name.skill_id == skill.id
            || (name.kind == NameKind::Reserved && name.until.is_none_or(|until| until <= now));
        if !free {
            return Err(taken(&name, handle));
        }
    }
    let current = |publisher, slug: &Slug, kind| Name {
        publisher_id: publisher,
        slug: slug.clone(),
        skill_id: skill.id,
        kind,
        until: None,
    };
    skill_names::put(tx, &current(skill.publisher_id, &skill.slug, NameKind::Redirect), now).await?;
    skill_names::put(tx, &current(publisher, place.slug, NameKind::Current), now).await?;
    let look = kontor_package::skeleton(place.slug.as_str());
    skills::set_name(tx, skill.id, publisher, place.slug, &look).await?;
    skills::touch(tx, skill.id, now).await?;
    Ok(())
}

fn taken(name: &Name, handle: &Handle) -> Error {
    let reference = Box::new(SkillRef::new(handle.clone(), name.slug.clone()));
    match name.until {
        Some(until) if name.kind == NameKind::Reserved => Error::NameReserved { name: reference, until },
        _ => Error::NameTaken { name: reference, target: None },
    }
}

async fn reread(tx: &mut Tx, id: SkillId) -> Result<Skill, Error> {
    skills::find(tx, &Viewer::hub(), id).await?.ok_or(Error::NotFound { what: "skill" })
}
