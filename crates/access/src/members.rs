use kontor_db::changes::{self, ChangeKind};
use kontor_db::{Tx, members, persons};
use kontor_types::{Handle, PersonId, PublisherKind, Role, Scope, Timestamp};
use serde_json::json;

use crate::audit::{self, Event};
use crate::publishers::visible;
use crate::{Access, Caller, Error, Member, Person, Publisher};

impl Access {
    /// Who belongs to a publisher, by role, then by handle. For its members and administrators.
    ///
    /// # Errors
    /// [`Error::PublisherNotFound`] when the caller may not know of it, [`Error::Role`] when they know but do not belong.
    pub async fn members(&self, caller: &Caller, handle: &Handle) -> Result<Vec<Member>, Error> {
        let mut conn = self.db.read().await?;
        let publisher = visible(&mut conn, caller.viewer(), handle).await?;
        caller.require_role(publisher.id, Role::Member, Scope::Read)?;
        let mut rows = members::of_publisher(&mut conn, publisher.id).await?;
        rows.sort_by(|one, other| (one.role, &one.handle).cmp(&(other.role, &other.handle)));
        Ok(rows)
    }

    /// Makes a person a member or changes their role. For admins; only owners make and unmake owners.
    ///
    /// # Errors
    /// [`Error::PersonNotFound`], [`Error::LastOwner`], [`Error::Personal`], and as [`Access::members`].
    pub async fn put_member(
        &self,
        caller: &Caller,
        publisher: &Handle,
        person: &Handle,
        role: Role,
    ) -> Result<Member, Error> {
        let publisher = visible(&mut self.db.read().await?, caller.viewer(), publisher).await?;
        caller.require_role(publisher.id, Role::Admin, Scope::Admin)?;
        if publisher.kind == PublisherKind::Person {
            return Err(Error::Personal { handle: publisher.handle });
        }
        let (caller, person, now) = (caller.clone(), person.clone(), self.now());
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                let person = existing(tx, &person).await?;
                let before = members::role(tx, publisher.id, person.id).await?;
                if role == Role::Owner || before == Some(Role::Owner) {
                    caller.require_role(publisher.id, Role::Owner, Scope::Admin)?;
                }
                members::put(tx, publisher.id, person.id, role, now).await?;
                let facts = json!({"person": person.handle, "role": role, "before": before});
                told(tx, &caller, &publisher, "member.put", facts, now).await?;
                keep_an_owner(tx, &publisher).await?;
                let rows = members::of_publisher(tx, publisher.id).await?;
                let row = rows.into_iter().find(|row| row.person_id == person.id);
                row.ok_or(Error::MemberNotFound { handle: person.handle })
            })
        });
        let member = unit.await?;
        self.forget_known();
        Ok(member)
    }

    /// Ends a membership. For admins, and for members who leave; only owners remove owners.
    ///
    /// # Errors
    /// [`Error::MemberNotFound`], [`Error::LastOwner`], and as [`Access::members`].
    pub async fn remove_member(&self, caller: &Caller, publisher: &Handle, person: &Handle) -> Result<(), Error> {
        let publisher = visible(&mut self.db.read().await?, caller.viewer(), publisher).await?;
        let leaves = caller.person.as_ref().is_some_and(|(_, own)| own == person);
        let needed = if leaves { Role::Member } else { Role::Admin };
        caller.require_role(publisher.id, needed, Scope::Admin)?;
        let (caller, handle, now) = (caller.clone(), person.clone(), self.now());
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                let person = existing(tx, &handle).await?;
                let before = members::role(tx, publisher.id, person.id).await?;
                if before == Some(Role::Owner) && !leaves {
                    caller.require_role(publisher.id, Role::Owner, Scope::Admin)?;
                }
                if !members::remove(tx, publisher.id, person.id).await? {
                    return Err(Error::MemberNotFound { handle });
                }
                let facts = json!({"person": person.handle, "before": before});
                told(tx, &caller, &publisher, "member.remove", facts, now).await?;
                keep_an_owner(tx, &publisher).await
            })
        });
        unit.await?;
        self.forget_known();
        Ok(())
    }

    /// The person with this handle, for services that name a person in a request.
    ///
    /// # Errors
    /// [`Error::PersonNotFound`].
    pub async fn person_id(&self, handle: &Handle) -> Result<PersonId, Error> {
        let found = persons::by_handle(&mut self.db.read().await?, handle).await?;
        found.map(|person| person.id).ok_or_else(|| Error::PersonNotFound { handle: handle.clone() })
    }
}

async fn existing(tx: &mut Tx, handle: &Handle) -> Result<Person, Error> {
    let found = persons::by_handle(tx, handle).await?;
    found.filter(|person| person.disabled_at.is_none()).ok_or_else(|| Error::PersonNotFound { handle: handle.clone() })
}

/// Comes after [`told`], whose change feed lets one such unit run at a time: so two owners cannot remove each other.
async fn keep_an_owner(tx: &mut Tx, publisher: &Publisher) -> Result<(), Error> {
    if members::owners(tx, publisher.id).await? == 0 { Err(Error::LastOwner) } else { Ok(()) }
}

async fn told(
    tx: &mut Tx,
    caller: &Caller,
    publisher: &Publisher,
    action: &'static str,
    facts: serde_json::Value,
    now: Timestamp,
) -> Result<(), Error> {
    let event = Event::new(action, publisher.handle.as_str()).publisher(publisher.id).detail(facts);
    audit::record(tx, caller, event, now).await?;
    changes::record(tx, ChangeKind::Publisher, publisher.id.uuid(), now).await?;
    Ok(())
}
