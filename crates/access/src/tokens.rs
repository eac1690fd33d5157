use std::time::Duration;

use kontor_db::{Conn, Tx, publishers, tokens};
use kontor_types::{Digest, Handle, PersonId, PublisherId, Scope, Timestamp, TokenId};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::access::line;
use crate::audit::{self, Event};
use crate::publishers::visible;
use crate::{Access, Caller, Error, Token, secret};

/// The most working tokens that one person may have.
const MOST_TOKENS: i64 = 200;
const LONGEST_DAYS: u32 = 3650;
/// The most tokens that a list shows, ended ones included.
const LISTED: u32 = 500;
const DAY: Duration = Duration::from_hours(24);

/// How long a token shall last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the hub's settings say.
    #[default]
    Usual,
    /// This many days.
    Days(u32),
    /// Until it is revoked.
    Endless,
}

/// A token about to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewToken {
    /// What its owner calls it.
    pub label: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// The publishers it is bound to; none means any.
    pub publishers: Vec<Handle>,
    /// How long it lasts.
    pub lifetime: Lifetime,
}

/// A token with the names of the publishers it is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnToken {
    /// The token.
    pub token: Token,
    /// The publishers it is bound to; none means any.
    pub publishers: Vec<Handle>,
}

/// A new token with its secret, which is shown this once.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// The secret.
    pub secret: SecretString,
    /// The token.
    pub own: OwnToken,
}

impl Access {
    /// Makes a token for the caller that may do no more than what the caller shows.
    ///
    /// # Errors
    /// [`Error::Scope`] and [`Error::Bound`] when it would do more, [`Error::Outlives`] when it would last longer,
    /// [`Error::PublisherNotFound`], [`Error::TooManyTokens`], [`Error::Invalid`].
    pub async fn create_token(&self, caller: &Caller, new: NewToken) -> Result<IssuedToken, Error> {
        let person = caller.require_person()?;
        let scopes = sorted(new.scopes.clone());
        scopes.iter().try_for_each(|scope| caller.require(*scope))?;
        let limit = longest(&mut self.db.read().await?, caller).await?;
        self.issue(caller, person, new, limit).await
    }

    /// Makes a token for another person, for example for a service that publishes. For administrators.
    ///
    /// # Errors
    /// [`Error::PersonNotFound`], and as [`Access::create_token`].
    pub async fn create_token_for(
        &self,
        caller: &Caller,
        person: &Handle,
        new: NewToken,
    ) -> Result<IssuedToken, Error> {
        caller.require_administrator()?;
        let person = self.person_id(person).await?;
        self.issue(caller, person, new, None).await
    }

    async fn issue(
        &self,
        caller: &Caller,
        person: PersonId,
        new: NewToken,
        limit: Option<Timestamp>,
    ) -> Result<IssuedToken, Error> {
        let now = self.now();
        let (publishers, ids) = bound(&mut self.db.read().await?, caller, &new.publishers).await?;
        let token = Token {
            id: TokenId::new(now),
            person_id: person,
            label: line(&new.label, "a token's label")?,
            scopes: sorted(new.scopes),
            publishers: ids,
            created_at: now,
            expires_at: end(new.lifetime, self.settings.token_days, now, limit)?,
            last_used_at: None,
            revoked_at: None,
        };
        let secret = secret::token();
        let (row, hash, caller) = (token.clone(), secret::hash(secret.expose_secret()), caller.clone());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    insert_token(tx, &row, &hash).await?;
                    audit::record(tx, &caller, created(&row), now).await?;
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(IssuedToken { secret, own: OwnToken { token, publishers } })
    }

    /// The caller's tokens, newest first, ended ones included.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn tokens(&self, caller: &Caller) -> Result<Vec<OwnToken>, Error> {
        let person = caller.require_person()?;
        let mut conn = self.db.read().await?;
        let rows = tokens::of_person(&mut conn, person, LISTED).await?;
        let mut listed = Vec::with_capacity(rows.len());
        for token in rows {
            let publishers = handles(&mut conn, token.publishers.as_deref().unwrap_or_default()).await?;
            listed.push(OwnToken { token, publishers });
        }
        Ok(listed)
    }

    /// When the token that the caller shows ends.
    pub async fn token_end(&self, caller: &Caller) -> Result<Option<Timestamp>, Error> {
        let Some(id) = caller.token else { return Ok(None) };
        Ok(tokens::by_id(&mut self.db.read().await?, id).await?.and_then(|token| token.expires_at))
    }

    /// Ends a token at once: itself, another of the same person that may do no more, or for an administrator any.
    ///
    /// # Errors
    /// [`Error::TokenNotFound`]; [`Error::Scope`] or [`Error::Bound`] when the other may do more.
    pub async fn revoke_token(&self, caller: &Caller, id: TokenId) -> Result<(), Error> {
        let person = caller.require_person()?;
        let found = tokens::by_id(&mut self.db.read().await?, id).await?;
        let administrator = caller.require_administrator().is_ok();
        let own = |token: &Token| token.person_id == person || administrator;
        let token = found.filter(own).ok_or(Error::TokenNotFound)?;
        if caller.token != Some(id) && !administrator {
            token.scopes.iter().try_for_each(|scope| caller.require(*scope))?;
            reaches(caller, token.publishers.as_deref())?;
        }
        let (caller, now) = (caller.clone(), self.now());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    if tokens::revoke(tx, id, now).await? {
                        let event = Event::new("token.revoke", &token.label).detail(json!({"id": id}));
                        audit::record(tx, &caller, event, now).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await?;
        self.forget_known();
        Ok(())
    }
}

/// Writes a token unless the person has too many.
pub(crate) async fn insert_token(tx: &mut Tx, token: &Token, hash: &Digest) -> Result<(), Error> {
    if tokens::active(tx, token.person_id, token.created_at).await? >= MOST_TOKENS {
        return Err(Error::TooManyTokens { limit: MOST_TOKENS });
    }
    Ok(tokens::insert(tx, token, hash).await?)
}

/// A token for a device that its owner approved.
pub(crate) fn for_device(person: PersonId, label: String, scopes: Vec<Scope>, now: Timestamp, days: u32) -> Token {
    Token {
        id: TokenId::new(now),
        person_id: person,
        label,
        scopes,
        publishers: None,
        created_at: now,
        expires_at: Some(now.after(DAY.saturating_mul(days))),
        last_used_at: None,
        revoked_at: None,
    }
}

/// The audit event of a new token.
pub(crate) fn created(token: &Token) -> Event {
    let facts = json!({"id": token.id, "person": token.person_id, "scopes": token.scopes, "publishers": token.publishers,
        "expires_at": token.expires_at});
    Event::new("token.create", &token.label).detail(facts)
}

/// Each scope once, in the usual order; `read` when none is named.
pub(crate) fn sorted(mut scopes: Vec<Scope>) -> Vec<Scope> {
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() { vec![Scope::Read] } else { scopes }
}

/// The ids of the publishers a new token is bound to, none of them beyond the caller's own bounds.
async fn bound(
    conn: &mut Conn,
    caller: &Caller,
    wanted: &[Handle],
) -> Result<(Vec<Handle>, Option<Vec<PublisherId>>), Error> {
    if wanted.is_empty() {
        let ids = caller.publishers.clone();
        return Ok((handles(conn, ids.as_deref().unwrap_or_default()).await?, ids));
    }
    let mut ids = Vec::with_capacity(wanted.len());
    for handle in wanted {
        ids.push(visible(conn, caller.viewer(), handle).await?.id);
    }
    reaches(caller, Some(&ids))?;
    Ok((wanted.to_vec(), Some(ids)))
}

/// Passes when the caller's bounds hold all of `publishers`.
fn reaches(caller: &Caller, publishers: Option<&[PublisherId]>) -> Result<(), Error> {
    let within = match (&caller.publishers, publishers) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(bounds), Some(ids)) => ids.iter().all(|id| bounds.contains(id)),
    };
    if within { Ok(()) } else { Err(Error::Bound) }
}

/// When a token made by this caller must end: with the token that makes it, unless that one has scope `admin`.
async fn longest(conn: &mut Conn, caller: &Caller) -> Result<Option<Timestamp>, Error> {
    let Some(id) = caller.token else { return Ok(None) };
    if caller.scopes.contains(&Scope::Admin) {
        return Ok(None);
    }
    Ok(tokens::by_id(conn, id).await?.and_then(|token| token.expires_at))
}

fn end(lifetime: Lifetime, usual: u32, now: Timestamp, limit: Option<Timestamp>) -> Result<Option<Timestamp>, Error> {
    let asked = match lifetime {
        Lifetime::Usual => {
            let usual = now.after(DAY.saturating_mul(usual));
            return Ok(Some(limit.map_or(usual, |limit| limit.min(usual))));
        }
        Lifetime::Days(days) if (1..=LONGEST_DAYS).contains(&days) => Some(now.after(DAY.saturating_mul(days))),
        Lifetime::Days(_) => {
            return Err(Error::Invalid { reason: format!("a token lasts 1 to {LONGEST_DAYS} days") });
        }
        Lifetime::Endless => None,
    };
    match (asked, limit) {
        (None, Some(_)) => Err(Error::Outlives),
        (Some(asked), Some(limit)) if asked > limit => Err(Error::Outlives),
        _ => Ok(asked),
    }
}

async fn handles(conn: &mut Conn, ids: &[PublisherId]) -> Result<Vec<Handle>, Error> {
    let mut handles = Vec::with_capacity(ids.len());
    for id in ids {
        handles.extend(publishers::by_id(conn, *id).await?.map(|publisher| publisher.handle));
    }
    Ok(handles)
}
