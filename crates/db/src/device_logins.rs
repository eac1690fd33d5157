//! Sign-ins of devices under way (RFC 8628): the device holds one code, its owner types the other.

use kontor_types::{DeviceLoginId, Digest, PersonId, Scope, Timestamp};

use crate::columns::{NullableId, NullableTime, ScopeWords, changed, scope_words};
use crate::{Conn, Error, Tx};

/// One sign-in under way.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DeviceLogin {
    /// Its id.
    #[sqlx(try_from = "uuid::Uuid")]
    pub id: DeviceLoginId,
    /// The code that a person types, without separators.
    pub user_code: String,
    /// What the device calls itself.
    pub label: String,
    /// What it asks for.
    #[sqlx(try_from = "ScopeWords")]
    pub scopes: Vec<Scope>,
    /// `approved` or `denied`, once somebody decided.
    pub decision: Option<String>,
    /// Who decided.
    #[sqlx(try_from = "NullableId")]
    pub person_id: Option<PersonId>,
    /// When it began.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// From when on it no longer works.
    #[sqlx(try_from = "i64")]
    pub expires_at: Timestamp,
    /// How long the device waits between polls.
    pub poll_seconds: i64,
    /// When the device asked last.
    #[sqlx(try_from = "NullableTime")]
    pub last_polled_at: Option<Timestamp>,
    /// When the device took its token.
    #[sqlx(try_from = "NullableTime")]
    pub collected_at: Option<Timestamp>,
}

/// Begins a sign-in; a user code that is in use is [`Error::Duplicate`].
pub async fn insert(tx: &mut Tx, login: &DeviceLogin, device_hash: &Digest) -> Result<(), Error> {
    const SQL: &str = "insert into device_login
            (id, device_hash, user_code, label, scopes, created_at, expires_at, poll_seconds)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    execute!(
        tx,
        sqlx::query(SQL)
            .bind(login.id.uuid())
            .bind(device_hash.as_bytes().as_slice())
            .bind(&login.user_code)
            .bind(&login.label)
            .bind(scope_words(&login.scopes))
            .bind(login.created_at.micros())
            .bind(login.expires_at.micros())
            .bind(login.poll_seconds)
    )?;
    Ok(())
}

/// The sign-in whose device code has this hash.
pub async fn by_device_hash(conn: &mut Conn, hash: &Digest) -> Result<Option<DeviceLogin>, Error> {
    const SQL: &str = "select id, user_code, label, scopes, decision, person_id, created_at, expires_at, poll_seconds,
            last_polled_at, collected_at
        from device_login where device_hash = $1";
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(hash.as_bytes().as_slice()).fetch_optional(c))?)
}

/// The undecided sign-in with this user code.
pub async fn waiting(conn: &mut Conn, user_code: &str, now: Timestamp) -> Result<Option<DeviceLogin>, Error> {
    const SQL: &str = "select id, user_code, label, scopes, decision, person_id, created_at, expires_at, poll_seconds,
            last_polled_at, collected_at
        from device_login where user_code = $1 and decision is null and expires_at > $2";
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(user_code).bind(now.micros()).fetch_optional(c))?)
}

/// How many sign-ins wait for a decision.
pub async fn waiting_count(conn: &mut Conn, now: Timestamp) -> Result<i64, Error> {
    const SQL: &str = "select count(*) from device_login where decision is null and expires_at > $1";
    Ok(on!(conn, |c| sqlx::query_scalar(SQL).bind(now.micros()).fetch_one(c))?)
}

/// Notes a poll and the wait before the next.
pub async fn polled(tx: &mut Tx, id: DeviceLoginId, poll_seconds: i64, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "update device_login set last_polled_at = $2, poll_seconds = $3 where id = $1";
    execute!(tx, sqlx::query(SQL).bind(id.uuid()).bind(now.micros()).bind(poll_seconds))?;
    Ok(())
}

/// Approves or denies; `false` when somebody had already decided.
pub async fn decide(tx: &mut Tx, id: DeviceLoginId, person: PersonId, approved: bool) -> Result<bool, Error> {
    const SQL: &str = "update device_login set decision = $2, person_id = $3 where id = $1 and decision is null";
    let decision = if approved { "approved" } else { "denied" };
    changed(execute!(tx, sqlx::query(SQL).bind(id.uuid()).bind(decision).bind(person.uuid())))
}

/// Marks the token as taken; `false` when it was taken before.
pub async fn collect(tx: &mut Tx, id: DeviceLoginId, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update device_login set collected_at = $2
        where id = $1 and decision = 'approved' and collected_at is null and expires_at > $2";
    changed(execute!(tx, sqlx::query(SQL).bind(id.uuid()).bind(now.micros())))
}

/// Notes that a person typed a wrong code.
pub async fn record_attempt(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "insert into device_attempt (person_id, at) values ($1, $2)";
    execute!(tx, sqlx::query(SQL).bind(person.uuid()).bind(now.micros()))?;
    Ok(())
}

/// How many wrong codes a person typed since `since`.
pub async fn attempts(conn: &mut Conn, person: PersonId, since: Timestamp) -> Result<i64, Error> {
    const SQL: &str = "select count(*) from device_attempt where person_id = $1 and at > $2";
    Ok(on!(conn, |c| sqlx::query_scalar(SQL).bind(person.uuid()).bind(since.micros()).fetch_one(c))?)
}

/// Forgets sign-ins and attempts from before `before`.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    let attempts = execute!(tx, sqlx::query("delete from device_attempt where at < $1").bind(before.micros()))?;
    let logins = execute!(tx, sqlx::query("delete from device_login where expires_at < $1").bind(before.micros()))?;
    Ok(attempts.saturating_add(logins))
}
