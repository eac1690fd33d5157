use std::time::Duration;

use kontor_db::browser_sessions::{self, NewSession, OpenedBy};
use kontor_db::{Tx, persons, sign_in_links};
use kontor_types::{Digest, Handle, Scope, SessionId, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::audit::{self, Event};
use crate::{Access, Caller, Error, Person, Session, browser, secret};

/// How long a one-time link works.
const LINK: Duration = Duration::from_mins(15);

/// A link that signs a browser in, once.
#[derive(Debug, Clone)]
pub struct SignInLink {
    /// The code to put into the link.
    pub code: SecretString,
    /// Whom it signs in.
    pub person: Handle,
    /// From when on it no longer works.
    pub expires_at: Timestamp,
}

/// A session that has just begun.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// The cookie's secret.
    pub cookie: SecretString,
    /// Who is signed in.
    pub person: Handle,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Access {
    /// Makes a one-time link for the caller, or for another person if the caller administers the hub.
    ///
    /// The session it opens may do what the caller's token may; that of another person everything they may.
    ///
    /// # Errors
    /// [`Error::Bound`] for a bound token, [`Error::PersonNotFound`], [`Error::Administrator`].
    pub async fn create_sign_in_link(&self, caller: &Caller, person: Option<&Handle>) -> Result<SignInLink, Error> {
        let own = caller.person.as_ref().filter(|(_, own)| person.is_none_or(|asked| asked == own));
        if caller.publishers.is_some() {
            return Err(Error::Bound);
        }
        let (handle, scopes) = match (own, person) {
            (Some((_, handle)), _) => (handle.clone(), caller.scopes.clone()),
            (None, Some(handle)) => {
                caller.require_administrator()?;
                (handle.clone(), Scope::ALL.to_vec())
            }
            (None, None) => return Err(Error::Unauthenticated),
        };
        let (code, now) = (secret::link_code(), self.now());
        let (hash, expires_at) = (secret::hash(code.expose_secret()), now.after(LINK));
        let (caller, who) = (caller.clone(), handle.clone());
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                let found = persons::by_handle(tx, &who).await?.filter(|person| person.disabled_at.is_none());
                let found = found.ok_or(Error::PersonNotFound { handle: who })?;
                sign_in_links::insert(tx, &hash, found.id, &scopes, (now, expires_at)).await?;
                let event = Event::new("link.create", found.handle.as_str()).detail(json!({"scopes": scopes}));
                Ok::<_, Error>(audit::record(tx, &caller, event, now).await?)
            })
        });
        unit.await?;
        Ok(SignInLink { code, person: handle, expires_at })
    }

    /// Whom a link would sign in, without using it up.
    ///
    /// # Errors
    /// [`Error::Link`] when it is unknown, used or expired.
    pub async fn sign_in_link(&self, code: &SecretString) -> Result<Handle, Error> {
        let hash = secret::hash(code.expose_secret());
        let found = sign_in_links::by_hash(&mut self.db.read().await?, &hash).await?;
        let now = self.now();
        let works = found.filter(|link| link.used_at.is_none() && now < link.expires_at);
        works.map(|link| link.handle).ok_or(Error::Link)
    }

    /// Uses a link up and opens a session for a browser that sends this `User-Agent`.
    ///
    /// # Errors
    /// [`Error::Link`] when it is unknown, used or expired, or the person is shut out.
    pub async fn open_session(
        &self,
        code: &SecretString,
        user_agent: &str,
        from: &Caller,
    ) -> Result<OpenSession, Error> {
        let hash = secret::hash(code.expose_secret());
        let (cookie, now) = (secret::opaque(), self.now());
        let (cookie_hash, expires_at) = (secret::hash(cookie.expose_secret()), now.after(self.settings.session));
        let (label, from) = (browser::described(user_agent), from.clone());
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                let link = sign_in_links::by_hash(tx, &hash).await?.ok_or(Error::Link)?;
                let person = persons::by_id(tx, link.person_id).await?.ok_or(Error::Link)?;
                if person.disabled_at.is_some() || !sign_in_links::redeem(tx, &hash, now).await? {
                    return Err(Error::Link);
                }
                let (scopes, opened_by) = (link.scopes, OpenedBy::Link);
                let owner = Caller::person((person.id, person.handle.clone()), false, Vec::new(), scopes.clone(), None)
                    .via(from.address, from.request_id);
                let opening = Opening { hash: cookie_hash, label, scopes, opened_by, expires_at };
                opening.begin(tx, &person, &owner, now).await?;
                Ok(person.handle)
            })
        });
        let person = unit.await?;
        Ok(OpenSession { cookie, person, expires_at })
    }

    /// Ends the browser session that is shown.
    pub async fn close_session(&self, session: &Session) -> Result<(), Error> {
        self.close(&session.caller, session.id).await
    }

    /// Ends a session whose end is the caller's to decide.
    pub(crate) async fn close(&self, caller: &Caller, id: SessionId) -> Result<(), Error> {
        let (caller, now) = (caller.clone(), self.now());
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                if browser_sessions::revoke(tx, id, now).await? {
                    let event = Event::new("session.close", id.to_string());
                    audit::record(tx, &caller, event, now).await?;
                }
                Ok::<_, Error>(())
            })
        });
        unit.await?;
        self.forget_known();
        Ok(())
    }
}

/// A session about to begin.
pub(crate) struct Opening {
    /// The hash of its cookie.
    pub hash: Digest,
    /// The browser and its system.
    pub label: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// How its owner came in.
    pub opened_by: OpenedBy,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Opening {
    /// Begins it in the transaction of whatever let its owner in.
    pub async fn begin(self, tx: &mut Tx, person: &Person, owner: &Caller, now: Timestamp) -> Result<(), Error> {
        let session = NewSession {
            id: SessionId::new(now),
            hash: self.hash,
            person_id: person.id,
            label: self.label,
            scopes: self.scopes,
            created_at: now,
            expires_at: self.expires_at,
            opened_by: self.opened_by,
        };
        browser_sessions::insert(tx, &session).await?;
        let facts = json!({"id": session.id, "by": session.opened_by.as_str()});
        audit::record(tx, owner, Event::new("session.open", session.label).detail(facts), now).await?;
        Ok(())
    }
}
