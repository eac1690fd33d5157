use kontor_db::changes::{self, ChangeKind};
use kontor_db::{Tx, members, persons, publishers, settings};
use kontor_types::{Cursor, Handle, PageSize, PersonId, PublisherId, PublisherKind, Role, Scope, Timestamp};
use serde_json::json;

use crate::access::display_name;
use crate::audit::{self, Event};
use crate::{Access, Caller, Error, Page, Person, Publisher};

/// A person about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// Their name on the hub, also that of their personal publisher.
    pub handle: Handle,
    /// The name shown to people.
    pub display_name: String,
    /// Whether they administer the hub.
    pub administrator: bool,
}

/// What to change about a person; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonChange {
    /// The name shown to people.
    pub display_name: Option<String>,
    /// Whether they administer the hub.
    pub administrator: Option<bool>,
    /// Whether they are shut out.
    pub disabled: Option<bool>,
}

impl Access {
    /// Makes a person and a publisher of the same name that they own. For administrators.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::Invalid`], and when the caller is no administrator.
    pub async fn create_person(&self, caller: &Caller, mut new: NewPerson) -> Result<Person, Error> {
        caller.require_administrator()?;
        new.display_name = display_name(&new.display_name)?;
        let (caller, now) = (caller.clone(), self.now());
        self.db.write(move |tx| Box::pin(async move { insert_person(tx, &caller, &new, now).await })).await
    }

    /// People by handle. For administrators.
    pub async fn people(
        &self,
        caller: &Caller,
        cursor: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<Person>, Error> {
        caller.require_administrator()?;
        let after = cursor.map(handle_of).transpose()?;
        let rows = persons::list(&mut self.db.read().await?, after.as_ref(), size).await?;
        Ok(Page::of(rows, size, |person| Cursor::of(&[&person.handle])))
    }

    /// The person who calls.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn me(&self, caller: &Caller) -> Result<Person, Error> {
        let id = caller.require_person()?;
        persons::by_id(&mut self.db.read().await?, id).await?.ok_or(Error::Unauthenticated)
    }

    /// The publishers that the caller belongs to, as far as the token reaches.
    pub async fn memberships(&self, caller: &Caller) -> Result<Vec<crate::Membership>, Error> {
        let id = caller.require_person()?;
        let rows = members::of_person(&mut self.db.read().await?, id).await?;
        Ok(rows.into_iter().filter(|row| caller.viewer().role_in(row.publisher_id).is_some()).collect())
    }

    /// Changes a person: administrators anything about anyone, people their own shown name.
    ///
    /// # Errors
    /// [`Error::PersonNotFound`], [`Error::LastAdministrator`], [`Error::Invalid`].
    pub async fn update_person(&self, caller: &Caller, handle: &Handle, change: PersonChange) -> Result<Person, Error> {
        let own = caller.person.as_ref().is_some_and(|(_, own)| own == handle);
        if own && change.administrator.is_none() && change.disabled.is_none() {
            caller.require(Scope::Admin)?;
        } else {
            caller.require_administrator()?;
        }
        let shown = change.display_name.as_deref().map(display_name).transpose()?;
        let (caller, handle, now) = (caller.clone(), handle.clone(), self.now());
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                let found = persons::by_handle(tx, &handle).await?;
                let mut person = found.ok_or(Error::PersonNotFound { handle })?;
                let facts = json!({"display_name": shown, "administrator": change.administrator,
                    "disabled": change.disabled});
                person.display_name = shown.unwrap_or(person.display_name);
                person.administrator = change.administrator.unwrap_or(person.administrator);
                person.disabled_at = match change.disabled {
                    Some(true) => person.disabled_at.or(Some(now)),
                    Some(false) => None,
                    None => person.disabled_at,
                };
                // One row that every such unit writes first: so two administrators cannot unmake each other.
                settings::set(tx, "people.changed_at", &now.to_string()).await?;
                persons::update(tx, &person).await?;
                if persons::administrators(tx).await? == 0 {
                    return Err(Error::LastAdministrator);
                }
                let event = Event::new("person.update", person.handle.as_str()).detail(facts);
                audit::record(tx, &caller, event, now).await?;
                Ok(person)
            })
        });
        let person = unit.await?;
        self.forget_known();
        Ok(person)
    }
}

/// Writes a person, their publisher and their ownership of it.
pub(crate) async fn insert_person(
    tx: &mut Tx,
    caller: &Caller,
    new: &NewPerson,
    now: Timestamp,
) -> Result<Person, Error> {
    let person = Person {
        id: PersonId::new(now),
        handle: new.handle.clone(),
        display_name: new.display_name.clone(),
        administrator: new.administrator,
        created_at: now,
        disabled_at: None,
    };
    let publisher = Publisher {
        id: PublisherId::new(now),
        handle: new.handle.clone(),
        kind: PublisherKind::Person,
        display_name: new.display_name.clone(),
        created_at: now,
        require_signature: false,
    };
    persons::insert(tx, &person).await.map_err(|error| taken(error, &new.handle))?;
    publishers::insert(tx, &publisher).await.map_err(|error| taken(error, &new.handle))?;
    members::put(tx, publisher.id, person.id, Role::Owner, now).await?;
    let event = Event::new("person.create", new.handle.as_str())
        .publisher(publisher.id)
        .detail(json!({"administrator": new.administrator}));
    audit::record(tx, caller, event, now).await?;
    changes::record(tx, ChangeKind::Publisher, publisher.id.uuid(), now).await?;
    Ok(person)
}

/// A uniqueness rule that refused a handle.
pub(crate) fn taken(error: kontor_db::Error, handle: &Handle) -> Error {
    if error.is_duplicate() { Error::NameTaken { handle: handle.clone() } } else { Error::Database(error) }
}

/// The handle that a cursor of a list by handle holds.
pub(crate) fn handle_of(cursor: &Cursor) -> Result<Handle, Error> {
    let [handle] = cursor.keys::<1>().ok_or(Error::Cursor)?;
    handle.parse().map_err(|_| Error::Cursor)
}
