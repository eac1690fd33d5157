//! Passwords: setting one's own, and signing in with it.

mod check;
mod rule;

use std::time::Duration;

use kontor_crypto::PasswordHash;
use kontor_db::browser_sessions::{self, OpenedBy};
use kontor_db::{Tx, passwords, persons, sign_in_links};
use kontor_types::{Digest, Handle, PersonId, Scope, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

pub(crate) use self::check::{AT_ONCE, PLACES_KEPT, TRIES_KEPT};

use self::check::Place;
use crate::audit::{self, Event};
use crate::sessions::Opening;
use crate::{Access, Caller, Error, OpenSession, Person, browser, secret};

/// How long after a one-time link its session may still set a password.
const FRESH: Duration = Duration::from_mins(15);

/// What shows that somebody may set their password.
#[derive(Debug, Clone)]
pub enum Proof {
    /// The password that they have.
    Current(SecretString),
    /// The code of a one-time link for them, which this uses up.
    Link(SecretString),
    /// The session that asks, which began with a one-time link just now.
    Session,
}

impl Proof {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Current(_) => "password",
            Self::Link(_) => "link",
            Self::Session => "session",
        }
    }
}

impl Access {
    /// When the caller's password was set, if they have one.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn password_set_at(&self, caller: &Caller) -> Result<Option<Timestamp>, Error> {
        let person = caller.require_person()?;
        let found = passwords::of_person(&mut self.db.read().await?, person).await?;
        Ok(found.map(|password| password.changed_at))
    }

    /// Sets or changes the caller's own password, ends their other sessions and their unused links; says how many
    /// sessions ended. A link is proof enough for whoever is not signed in.
    ///
    /// A password lets in for everything that its owner may do, so a link or a session that may do less does not set one.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a password against the rules; [`Error::WrongPassword`], [`Error::TooManyPasswords`],
    /// [`Error::Link`], [`Error::NoProof`] or [`Error::Scope`] for a proof that is none; [`Error::Bound`] for a bound
    /// token.
    pub async fn set_password(&self, caller: &Caller, new: &SecretString, proof: Proof) -> Result<u64, Error> {
        if caller.publishers.is_some() {
            return Err(Error::Bound);
        }
        let person = self.whose(caller, &proof).await?;
        let new = rule::accepted(new, &person)?;
        match &proof {
            Proof::Current(current) => self.show_password(&person, current, caller).await?,
            Proof::Session => self.show_session(caller).await?,
            Proof::Link(_) => {}
        }
        let hash = self.hashing(move || PasswordHash::of(new.expose_secret())).await?.to_string();
        let (now, owner) = (self.now(), named(caller, &person));
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                if let Proof::Link(code) = &proof
                    && !sign_in_links::redeem(tx, &secret::hash(code.expose_secret()), now).await?
                {
                    return Err(Error::Link);
                }
                passwords::put(tx, person.id, &hash, now).await?;
                let ended = browser_sessions::revoke_all(tx, person.id, owner.session, now).await?;
                sign_in_links::void(tx, person.id, now).await?;
                let facts = json!({"proof": proof.as_str(), "ended": ended});
                let event = Event::new("password.set", person.handle.as_str()).detail(facts);
                audit::record(tx, &owner, event, now).await?;
                Ok::<_, Error>(ended)
            })
        });
        let ended = unit.await?;
        self.forget_known();
        Ok(ended)
    }

    /// Opens a session for a browser that sends this `User-Agent`, with the name and the password of a person. It may do
    /// all that they may.
    ///
    /// An unknown name, a person without a password, one who is shut out and a wrong password are told alike and take the
    /// same time.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::TooManyPasswords`], [`Error::Busy`].
    pub async fn sign_in(
        &self,
        name: &str,
        password: &SecretString,
        user_agent: &str,
        from: &Caller,
    ) -> Result<OpenSession, Error> {
        let place = Place::of(from);
        let handle = Handle::parse(name.trim().trim_start_matches('@').to_ascii_lowercase().as_str()).ok();
        let person = match &handle {
            Some(handle) => persons::by_handle(&mut self.db.read().await?, handle).await?,
            None => None,
        };
        let account = person.as_ref().map_or_else(|| check::nobodys(name), |person| check::account(person.id));
        self.count_try(account, person.as_ref().map(|person| person.id), &place).await?;
        let right = self.is_right(person.as_ref(), password).await?;
        let Some(person) = person.as_ref().filter(|person| right && person.disabled_at.is_none()).cloned() else {
            self.note_refused(from, person.as_ref(), "session.refuse").await?;
            return Err(Error::WrongPassword);
        };
        let (cookie, now) = (secret::opaque(), self.now());
        let opening = Opening {
            hash: secret::hash(cookie.expose_secret()),
            label: browser::described(user_agent),
            scopes: Scope::ALL.to_vec(),
            opened_by: OpenedBy::Password,
            expires_at: now.after(self.settings.session),
        };
        let (expires_at, owner) = (opening.expires_at, named(from, &person));
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                welcome(tx, person.id, account, &place, now).await?;
                opening.begin(tx, &person, &owner, now).await?;
                Ok::<_, Error>(person.handle)
            })
        });
        Ok(OpenSession { cookie, person: unit.await?, expires_at })
    }

    /// Writes down that a password was wrong. A name that nobody has is left out: it may be a password in the wrong field.
    /// How many there can be is bounded by [`check`], which nothing passes that is not counted.
    async fn note_refused(&self, from: &Caller, person: Option<&Person>, action: &'static str) -> Result<(), Error> {
        let subject = person.map_or("somebody unknown", |person| person.handle.as_str());
        let (event, from, now) = (Event::new(action, subject), from.clone(), self.now());
        let unit = self
            .db
            .write(move |tx| Box::pin(async move { Ok::<_, Error>(audit::record(tx, &from, event, now).await?) }));
        unit.await
    }

    /// Whose password shall be set: the caller's, or that of whoever a link is for.
    async fn whose(&self, caller: &Caller, proof: &Proof) -> Result<Person, Error> {
        let mut conn = self.db.read().await?;
        let id = match proof {
            Proof::Link(code) => {
                let hash = secret::hash(code.expose_secret());
                let link = sign_in_links::by_hash(&mut conn, &hash).await?;
                let works = link.filter(|link| link.used_at.is_none() && self.now() < link.expires_at);
                let own = works.filter(|link| caller.person_id().is_none_or(|person| person == link.person_id));
                let link = own.ok_or(Error::Link)?;
                everything(&link.scopes)?;
                link.person_id
            }
            Proof::Current(_) | Proof::Session => caller.require_person()?,
        };
        let person = persons::by_id(&mut conn, id).await?.filter(|person| person.disabled_at.is_none());
        person.ok_or(Error::Unauthenticated)
    }

    /// Passes for the password that the person has; a wrong one counts as a try.
    async fn show_password(&self, person: &Person, password: &SecretString, caller: &Caller) -> Result<(), Error> {
        let (place, account, id) = (Place::of(caller), check::account(person.id), person.id);
        self.count_try(account, Some(id), &place).await?;
        if !self.is_right(Some(person), password).await? {
            self.note_refused(caller, Some(person), "password.refuse").await?;
            return Err(Error::WrongPassword);
        }
        let now = self.now();
        let unit = self.db.write(move |tx| Box::pin(async move { welcome(tx, id, account, &place, now).await }));
        unit.await
    }

    /// Passes for a session that began with a one-time link just now and may do everything.
    async fn show_session(&self, caller: &Caller) -> Result<(), Error> {
        let id = caller.session.ok_or(Error::NoProof)?;
        let session = browser_sessions::by_id(&mut self.db.read().await?, id).await?.ok_or(Error::NoProof)?;
        if session.opened_by != OpenedBy::Link || self.now().since(session.created_at) >= FRESH {
            return Err(Error::NoProof);
        }
        everything(&session.scopes)
    }
}

/// Whoever showed the right password is not counted among those who guess there.
async fn welcome(tx: &mut Tx, person: PersonId, account: Digest, place: &Place, now: Timestamp) -> Result<(), Error> {
    passwords::forgive(tx, &account, place.as_str()).await?;
    Ok(passwords::came_from(tx, person, place.as_str(), now).await?)
}

/// Who did it, for the audit trail: the person, from where the caller is.
fn named(caller: &Caller, person: &Person) -> Caller {
    let mut owner = Caller::anonymous();
    owner.person = Some((person.id, person.handle.clone()));
    (owner.token, owner.session) = (caller.token, caller.session);
    owner.via(caller.address, caller.request_id.clone())
}

fn everything(scopes: &[Scope]) -> Result<(), Error> {
    let missing = Scope::ALL.iter().find(|scope| !scopes.contains(scope));
    missing.map_or(Ok(()), |scope| Err(Error::Scope { scope: *scope }))
}
