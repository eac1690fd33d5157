//! Where somebody is signed in with a browser, and ending that.

use kontor_db::browser_sessions::{self, BrowserSession};
use kontor_types::{Scope, SessionId, Timestamp};
use serde_json::json;

use crate::audit::{self, Event};
use crate::{Access, Caller, Error};

/// The most sessions that a list shows.
const LISTED: u32 = 500;

/// One of the caller's browser sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// Its id.
    pub id: SessionId,
    /// The browser and its system, as far as it said.
    pub client: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used last, to a few minutes.
    pub last_used_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl Access {
    /// Where the caller is signed in with a browser, what was used last first.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Bound`] for a bound token.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<OwnSession>, Error> {
        let person = caller.require_person()?;
        reaches(caller)?;
        let rows = browser_sessions::of_person(&mut self.db.read().await?, person, self.now(), LISTED).await?;
        Ok(rows.into_iter().map(|row| own(row, caller)).collect())
    }

    /// Ends a session at once: the one that asks, another of the same person that may do no more, or for an administrator
    /// any.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`]; [`Error::Scope`] or [`Error::Bound`] when the other may do more.
    pub async fn end_session(&self, caller: &Caller, id: SessionId) -> Result<(), Error> {
        let person = caller.require_person()?;
        let administrator = caller.require_administrator().is_ok();
        let found = browser_sessions::by_id(&mut self.db.read().await?, id).await?;
        let session = found.filter(|session| session.person_id == person || administrator);
        let session = session.ok_or(Error::SessionNotFound)?;
        if !administrator {
            may_end(caller, &session)?;
        }
        self.close(caller, id).await
    }

    /// Ends every session of the caller, or every other than the one that asks; says how many.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Scope`] or [`Error::Bound`] when one of them may do more: then none ends.
    pub async fn end_sessions(&self, caller: &Caller, others_only: bool) -> Result<u64, Error> {
        let person = caller.require_person()?;
        let except = caller.session.filter(|_| others_only);
        let (caller, now) = (caller.clone(), self.now());
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                let working = browser_sessions::of_person(tx, person, now, LISTED).await?;
                working
                    .iter()
                    .filter(|session| Some(session.id) != except)
                    .try_for_each(|session| may_end(&caller, session))?;
                let ended = browser_sessions::revoke_all(tx, person, except, now).await?;
                if ended > 0 {
                    let subject = caller.person.as_ref().map(|(_, handle)| handle.to_string()).unwrap_or_default();
                    let event =
                        Event::new("session.close_all", subject).detail(json!({"ended": ended, "kept": except}));
                    audit::record(tx, &caller, event, now).await?;
                }
                Ok::<_, Error>(ended)
            })
        });
        let ended = unit.await?;
        self.forget_known();
        Ok(ended)
    }
}

fn own(row: BrowserSession, caller: &Caller) -> OwnSession {
    OwnSession {
        id: row.id,
        client: row.label,
        scopes: row.scopes,
        created_at: row.created_at,
        last_used_at: row.last_seen_at,
        expires_at: row.expires_at,
        current: caller.session == Some(row.id),
    }
}

/// Passes for the session that asks, and for one that may do no more than the caller.
fn may_end(caller: &Caller, session: &BrowserSession) -> Result<(), Error> {
    if caller.session == Some(session.id) {
        return Ok(());
    }
    reaches(caller)?;
    session.scopes.iter().try_for_each(|scope| caller.require(*scope))
}

/// A session is bound to no publisher, so it is beyond whoever is.
fn reaches(caller: &Caller) -> Result<(), Error> {
    if caller.publishers.is_some() { Err(Error::Bound) } else { Ok(()) }
}
