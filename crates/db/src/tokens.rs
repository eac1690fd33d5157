//! Access tokens: only the hash of the secret is here.

use kontor_types::{Digest, Handle, PersonId, PublisherId, Scope, Timestamp, TokenId};
use sqlx::types::Json;

use crate::columns::{BoundPublishers, NullableTime, ScopeWords, changed, scope_words};
use crate::{Conn, Error, Tx};

/// One token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Token {
    /// Its id.
    #[sqlx(try_from = "uuid::Uuid")]
    pub id: TokenId,
    /// Whose it is.
    #[sqlx(try_from = "uuid::Uuid")]
    pub person_id: PersonId,
    /// What its owner calls it.
    pub label: String,
    /// What it may be used for.
    #[sqlx(try_from = "ScopeWords")]
    pub scopes: Vec<Scope>,
    /// The publishers it is bound to; `None` means any.
    #[sqlx(try_from = "BoundPublishers")]
    pub publishers: Option<Vec<PublisherId>>,
    /// When it was made.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// From when on it no longer works.
    #[sqlx(try_from = "NullableTime")]
    pub expires_at: Option<Timestamp>,
    /// When it was used last, roughly.
    #[sqlx(try_from = "NullableTime")]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[sqlx(try_from = "NullableTime")]
    pub revoked_at: Option<Timestamp>,
}

/// A token with the person it speaks for.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Bearer {
    /// The token.
    #[sqlx(flatten)]
    pub token: Token,
    /// The person's handle.
    #[sqlx(try_from = "String")]
    pub handle: Handle,
    /// Whether the person administers the hub.
    pub administrator: bool,
    /// Since when the person may no longer sign in.
    #[sqlx(try_from = "NullableTime")]
    pub disabled_at: Option<Timestamp>,
}

/// Adds a token by the hash of its secret.
pub async fn insert(tx: &mut Tx, token: &Token, hash: &Digest) -> Result<(), Error> {
    const SQL: &str = "insert into token (id, person_id, hash, label, scopes, publishers, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    let bound = token.publishers.as_ref().map(|ids| Json(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>()));
    execute!(
        tx,
        sqlx::query(SQL)
            .bind(token.id.uuid())
            .bind(token.person_id.uuid())
            .bind(hash.as_bytes().as_slice())
            .bind(&token.label)
            .bind(scope_words(&token.scopes))
            .bind(bound)
            .bind(token.created_at.micros())
            .bind(token.expires_at.map(Timestamp::micros))
    )?;
    Ok(())
}

/// The token whose secret has this hash, whatever its state.
pub async fn by_hash(conn: &mut Conn, hash: &Digest) -> Result<Option<Bearer>, Error> {
    const SQL: &str = "select t.id, t.person_id, t.label, t.scopes, t.publishers, t.created_at, t.expires_at,
            t.last_used_at, t.revoked_at, p.handle, p.administrator, p.disabled_at
        from token t join person p on p.id = t.person_id where t.hash = $1";
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(hash.as_bytes().as_slice()).fetch_optional(c))?)
}

/// The token with this id.
pub async fn by_id(conn: &mut Conn, id: TokenId) -> Result<Option<Token>, Error> {
    const SQL: &str =
        "select id, person_id, label, scopes, publishers, created_at, expires_at, last_used_at, revoked_at
        from token where id = $1";
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(id.uuid()).fetch_optional(c))?)
}

/// A person's tokens, newest first; revoked ones too, at most `limit`.
pub async fn of_person(conn: &mut Conn, person: PersonId, limit: u32) -> Result<Vec<Token>, Error> {
    const SQL: &str =
        "select id, person_id, label, scopes, publishers, created_at, expires_at, last_used_at, revoked_at
        from token where person_id = $1 order by created_at desc, id desc limit $2";
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(person.uuid()).bind(i64::from(limit)).fetch_all(c))?)
}

/// How many of a person's tokens work now.
pub async fn active(conn: &mut Conn, person: PersonId, now: Timestamp) -> Result<i64, Error> {
    const SQL: &str = "select count(*) from token
        where person_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)";
    Ok(on!(conn, |c| sqlx::query_scalar(SQL).bind(person.uuid()).bind(now.micros()).fetch_one(c))?)
}

/// Ends a token; `false` when it had already ended.
pub async fn revoke(tx: &mut Tx, id: TokenId, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update token set revoked_at = $2 where id = $1 and revoked_at is null";
    changed(execute!(tx, sqlx::query(SQL).bind(id.uuid()).bind(now.micros())))
}

/// Ends every token of a person and says how many.
pub async fn revoke_all(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "update token set revoked_at = $2 where person_id = $1 and revoked_at is null";
    execute!(tx, sqlx::query(SQL).bind(person.uuid()).bind(now.micros()))
}

/// Notes that a token was used.
pub async fn touch(tx: &mut Tx, id: TokenId, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "update token set last_used_at = $2 where id = $1";
    execute!(tx, sqlx::query(SQL).bind(id.uuid()).bind(now.micros()))?;
    Ok(())
}
