//! Sessions of browsers: only the hash of the cookie is here.

use kontor_types::{Digest, Handle, PersonId, Scope, SessionId, Timestamp};

use crate::columns::{NullableTime, ScopeWords, changed, scope_words};
use crate::{Conn, Error, Tx};

/// One session with the person it speaks for.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct BrowserSession {
    /// Its id.
    #[sqlx(try_from = "uuid::Uuid")]
    pub id: SessionId,
    /// Whose it is.
    #[sqlx(try_from = "uuid::Uuid")]
    pub person_id: PersonId,
    /// Which browser, as far as it said.
    pub label: String,
    /// What it may be used for.
    #[sqlx(try_from = "ScopeWords")]
    pub scopes: Vec<Scope>,
    /// When it began.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// When it ends.
    #[sqlx(try_from = "i64")]
    pub expires_at: Timestamp,
    /// When it was used last, roughly.
    #[sqlx(try_from = "i64")]
    pub last_seen_at: Timestamp,
    /// When it was ended.
    #[sqlx(try_from = "NullableTime")]
    pub revoked_at: Option<Timestamp>,
    /// The person's handle.
    #[sqlx(try_from = "String")]
    pub handle: Handle,
    /// Whether the person administers the hub.
    pub administrator: bool,
    /// Since when the person may no longer sign in.
    #[sqlx(try_from = "NullableTime")]
    pub disabled_at: Option<Timestamp>,
}

/// A session about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// The hash of the cookie's secret.
    pub hash: Digest,
    /// Whose it is.
    pub person_id: PersonId,
    /// Which browser, as far as it said.
    pub label: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it begins.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Begins a session.
pub async fn insert(tx: &mut Tx, session: &NewSession) -> Result<(), Error> {
    const SQL: &str = "insert into browser_session
            (id, hash, person_id, label, scopes, created_at, expires_at, last_seen_at)
        values ($1, $2, $3, $4, $5, $6, $7, $6)";
    execute!(
        tx,
        sqlx::query(SQL)
            .bind(session.id.uuid())
            .bind(session.hash.as_bytes().as_slice())
            .bind(session.person_id.uuid())
            .bind(&session.label)
            .bind(scope_words(&session.scopes))
            .bind(session.created_at.micros())
            .bind(session.expires_at.micros())
    )?;
    Ok(())
}

/// The session whose cookie has this hash, whatever its state.
pub async fn by_hash(conn: &mut Conn, hash: &Digest) -> Result<Option<BrowserSession>, Error> {
    const SQL: &str =
        "select s.id, s.person_id, s.label, s.scopes, s.created_at, s.expires_at, s.last_seen_at, s.revoked_at,
            p.handle, p.administrator, p.disabled_at
        from browser_session s join person p on p.id = s.person_id where s.hash = $1";
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(hash.as_bytes().as_slice()).fetch_optional(c))?)
}

/// Notes that a session was used.
pub async fn touch(tx: &mut Tx, id: SessionId, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "update browser_session set last_seen_at = $2 where id = $1";
    execute!(tx, sqlx::query(SQL).bind(id.uuid()).bind(now.micros()))?;
    Ok(())
}

/// Ends a session; `false` when it had already ended.
pub async fn revoke(tx: &mut Tx, id: SessionId, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update browser_session set revoked_at = $2 where id = $1 and revoked_at is null";
    changed(execute!(tx, sqlx::query(SQL).bind(id.uuid()).bind(now.micros())))
}

/// Ends every session of a person and says how many.
pub async fn revoke_all(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "update browser_session set revoked_at = $2 where person_id = $1 and revoked_at is null";
    execute!(tx, sqlx::query(SQL).bind(person.uuid()).bind(now.micros()))
}

/// Forgets sessions that ended before `before`.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "delete from browser_session where expires_at < $1 or revoked_at < $1";
    execute!(tx, sqlx::query(SQL).bind(before.micros()))
}
