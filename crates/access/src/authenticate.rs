use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kontor_db::browser_sessions::{self, BrowserSession};
use kontor_db::tokens::{self, Bearer};
use kontor_db::{Conn, members, persons};
use kontor_types::{Digest, Handle, PersonId, PublisherId, Role, Scope, SessionId, Timestamp, TokenId};
use moka::sync::Cache;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Access, Caller, Error, secret};

/// How long a revocation on another node may go unseen here.
const MEMORY: Duration = Duration::from_secs(10);
const MEMORY_SIZE: u64 = 10_000;
/// How often it is noted that a token or session is in use.
const NOTED_EVERY: Duration = Duration::from_mins(5);
/// Longer secrets are none of ours.
const LONGEST_SECRET: usize = 512;

/// Who recently showed which secret. Any write about people makes all of it stale at once.
pub(crate) struct Known {
    by_hash: Cache<Digest, Arc<Entry>>,
    generation: AtomicU64,
}

struct Entry {
    generation: u64,
    speaker: Speaker,
    memberships: Vec<(PublisherId, Role)>,
    /// Whether its use was noted since it was read.
    noted: AtomicBool,
}

#[derive(Clone, Copy)]
enum Kind {
    Token,
    Session,
}

#[derive(Clone, Copy)]
enum Used {
    Token(TokenId),
    Session(SessionId),
}

enum Speaker {
    Token(Bearer),
    Session(BrowserSession),
}

/// Somebody signed in with a browser.
#[derive(Debug, Clone)]
pub struct Session {
    /// Which session.
    pub id: SessionId,
    /// Who, with what rights.
    pub caller: Caller,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            by_hash: Cache::builder().max_capacity(MEMORY_SIZE).time_to_live(MEMORY).build(),
            generation: AtomicU64::new(0),
        }
    }
}

impl Known {
    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn get(&self, hash: &Digest) -> Option<Arc<Entry>> {
        self.by_hash.get(hash).filter(|entry| entry.generation == self.generation())
    }
}

impl Speaker {
    fn person(&self) -> PersonId {
        match self {
            Self::Token(bearer) => bearer.token.person_id,
            Self::Session(session) => session.person_id,
        }
    }

    /// Whether the secret still works at `now`.
    fn works(&self, now: Timestamp) -> bool {
        let (disabled, revoked, expires) = match self {
            Self::Token(bearer) => (bearer.disabled_at, bearer.token.revoked_at, bearer.token.expires_at),
            Self::Session(session) => (session.disabled_at, session.revoked_at, Some(session.expires_at)),
        };
        disabled.is_none() && revoked.is_none() && expires.is_none_or(|end| now < end)
    }
}

impl Access {
    /// Who shows this token, with what rights; the address and the request's id are for the server to add.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it is unknown, expired or revoked, or the person is shut out.
    pub async fn authenticate(&self, bearer: &SecretString) -> Result<Caller, Error> {
        let text = bearer.expose_secret();
        if secret::is_misspelt_token(text) {
            return Err(Error::Unauthenticated);
        }
        let entry = self.look_up(text, Kind::Token).await?;
        let Speaker::Token(found) = &entry.speaker else { return Err(Error::Unauthenticated) };
        let token = &found.token;
        self.note_use(&entry, token.last_used_at, Used::Token(token.id));
        let mut caller = Caller::person(
            (token.person_id, found.handle.clone()),
            found.administrator,
            entry.memberships.clone(),
            token.scopes.clone(),
            token.publishers.clone(),
        );
        caller.token = Some(token.id);
        Ok(caller)
    }

    /// Who shows this cookie, with what rights.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] as for tokens.
    pub async fn session(&self, cookie: &SecretString) -> Result<Session, Error> {
        let entry = self.look_up(cookie.expose_secret(), Kind::Session).await?;
        let Speaker::Session(session) = &entry.speaker else { return Err(Error::Unauthenticated) };
        self.note_use(&entry, Some(session.last_seen_at), Used::Session(session.id));
        let person = (session.person_id, session.handle.clone());
        let mut caller =
            Caller::person(person, session.administrator, entry.memberships.clone(), session.scopes.clone(), None);
        caller.session = Some(session.id);
        Ok(Session { id: session.id, caller })
    }

    /// A caller with these rights of a person and no others, for work that goes on after the request that began it.
    ///
    /// # Errors
    /// [`Error::PersonNotFound`].
    pub async fn in_the_name_with(
        &self,
        handle: &Handle,
        scopes: Vec<Scope>,
        publishers: Option<Vec<PublisherId>>,
    ) -> Result<Caller, Error> {
        let mut conn = self.db.read().await?;
        let person = persons::by_handle(&mut conn, handle).await?;
        let person = person.filter(|person| person.disabled_at.is_none());
        let person = person.ok_or_else(|| Error::PersonNotFound { handle: handle.clone() })?;
        let memberships = memberships(&mut conn, person.id).await?;
        Ok(Caller::person((person.id, person.handle), person.administrator, memberships, scopes, publishers))
    }

    /// A caller with all the rights of a person, for the hub's own work in their name; never for a request.
    ///
    /// # Errors
    /// [`Error::PersonNotFound`].
    pub async fn in_the_name_of(&self, handle: &Handle) -> Result<Caller, Error> {
        let mut conn = self.db.read().await?;
        let person = persons::by_handle(&mut conn, handle).await?;
        let person = person.ok_or_else(|| Error::PersonNotFound { handle: handle.clone() })?;
        let memberships = memberships(&mut conn, person.id).await?;
        Ok(Caller::person((person.id, person.handle), person.administrator, memberships, Scope::ALL.to_vec(), None))
    }

    /// To be called after every commit that changes what a secret may do.
    pub(crate) fn forget_known(&self) {
        self.known.generation.fetch_add(1, Ordering::SeqCst);
    }

    async fn look_up(&self, text: &str, kind: Kind) -> Result<Arc<Entry>, Error> {
        if text.is_empty() || text.len() > LONGEST_SECRET {
            return Err(Error::Unauthenticated);
        }
        let hash = secret::hash(text);
        let entry = match self.known.get(&hash) {
            Some(entry) => entry,
            None => self.read(hash, kind).await?,
        };
        if entry.speaker.works(self.now()) { Ok(entry) } else { Err(Error::Unauthenticated) }
    }

    async fn read(&self, hash: Digest, kind: Kind) -> Result<Arc<Entry>, Error> {
        // Taken before the read: what a write changes meanwhile makes this entry stale at once.
        let generation = self.known.generation();
        let mut conn = self.db.read().await?;
        let speaker = match kind {
            Kind::Token => tokens::by_hash(&mut conn, &hash).await?.map(Speaker::Token),
            Kind::Session => browser_sessions::by_hash(&mut conn, &hash).await?.map(Speaker::Session),
        };
        let speaker = speaker.ok_or(Error::Unauthenticated)?;
        let memberships = memberships(&mut conn, speaker.person()).await?;
        let entry = Arc::new(Entry { generation, speaker, memberships, noted: AtomicBool::new(false) });
        self.known.by_hash.insert(hash, Arc::clone(&entry));
        Ok(entry)
    }

    /// Notes now and then that a secret is in use, without making the request wait.
    fn note_use(&self, entry: &Entry, last: Option<Timestamp>, used: Used) {
        let now = self.now();
        let recent = last.is_some_and(|last| now.since(last) < NOTED_EVERY);
        if recent || entry.noted.swap(true, Ordering::Relaxed) {
            return;
        }
        let db = self.db.clone();
        tokio::spawn(async move {
            let noted = db.write(move |tx| {
                Box::pin(async move {
                    match used {
                        Used::Token(id) => tokens::touch(tx, id, now).await,
                        Used::Session(id) => browser_sessions::touch(tx, id, now).await,
                    }
                })
            });
            if let Err(error) = noted.await {
                tracing::debug!(%error, "the use of a token was not noted");
            }
        });
    }
}

async fn memberships(conn: &mut Conn, person: PersonId) -> Result<Vec<(PublisherId, Role)>, Error> {
    let rows = members::of_person(conn, person).await?;
    Ok(rows.into_iter().map(|row| (row.publisher_id, row.role)).collect())
}
