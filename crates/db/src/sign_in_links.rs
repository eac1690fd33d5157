//! One-time links that open a browser session: only the hash of the code is here.

use kontor_types::{Digest, Handle, PersonId, Scope, Timestamp};

use crate::columns::{NullableTime, ScopeWords, changed, scope_words};
use crate::{Conn, Error, Tx};

/// A link with the person it signs in.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SignInLink {
    /// Whom it signs in.
    #[sqlx(try_from = "uuid::Uuid")]
    pub person_id: PersonId,
    /// Their handle.
    #[sqlx(try_from = "String")]
    pub handle: Handle,
    /// What the session may be used for.
    #[sqlx(try_from = "ScopeWords")]
    pub scopes: Vec<Scope>,
    /// From when on it no longer works.
    #[sqlx(try_from = "i64")]
    pub expires_at: Timestamp,
    /// When it was used.
    #[sqlx(try_from = "NullableTime")]
    pub used_at: Option<Timestamp>,
}

/// Adds a link that works from `created_at` to `expires_at`.
pub async fn insert(
    tx: &mut Tx,
    hash: &Digest,
    person: PersonId,
    scopes: &[Scope],
    (created_at, expires_at): (Timestamp, Timestamp),
) -> Result<(), Error> {
    const SQL: &str = "insert into sign_in_link (hash, person_id, scopes, created_at, expires_at)
        values ($1, $2, $3, $4, $5)";
    execute!(
        tx,
        sqlx::query(SQL)
            .bind(hash.as_bytes().as_slice())
            .bind(person.uuid())
            .bind(scope_words(scopes))
            .bind(created_at.micros())
            .bind(expires_at.micros())
    )?;
    Ok(())
}

/// The link whose code has this hash, whatever its state.
pub async fn by_hash(conn: &mut Conn, hash: &Digest) -> Result<Option<SignInLink>, Error> {
    const SQL: &str = "select l.person_id, p.handle, l.scopes, l.expires_at, l.used_at
        from sign_in_link l join person p on p.id = l.person_id where l.hash = $1";
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(hash.as_bytes().as_slice()).fetch_optional(c))?)
}

/// Uses the link up; `false` when it is unknown, used or expired.
pub async fn redeem(tx: &mut Tx, hash: &Digest, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update sign_in_link set used_at = $2
        where hash = $1 and used_at is null and expires_at > $2";
    changed(execute!(tx, sqlx::query(SQL).bind(hash.as_bytes().as_slice()).bind(now.micros())))
}

/// Forgets links that ended before `before`.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "delete from sign_in_link where expires_at < $1";
    execute!(tx, sqlx::query(SQL).bind(before.micros()))
}
