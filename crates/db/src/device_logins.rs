//! Sign-ins of devices under way (RFC 8628): the device holds one code, its owner types the other.

use kontor_types::{DeviceLoginId, Digest, PersonId, Scope, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// One sign-in under way.
    pub struct DeviceLogin {
        /// Its id.
        pub id: DeviceLoginId,
        /// The code that a person types, without separators.
        pub user_code: String,
        /// What the device calls itself.
        pub label: String,
        /// What it asks for.
        pub scopes: Vec<Scope>,
        /// `approved` or `denied`, once somebody decided.
        pub decision: Option<String>,
        /// Who decided.
        pub person_id: Option<PersonId>,
        /// When it began.
        pub created_at: Timestamp,
        /// From when on it no longer works.
        pub expires_at: Timestamp,
        /// How long the device waits between polls.
        pub poll_seconds: i64,
        /// When the device asked last.
        pub last_polled_at: Option<Timestamp>,
        /// When the device took its token.
        pub collected_at: Option<Timestamp>,
    }
}

const COLUMNS: &str = "select id, user_code, label, scopes, decision, person_id, created_at, expires_at, poll_seconds,
    last_polled_at, collected_at from device_login where ";

/// Begins a sign-in; a user code that is in use is [`Error::Duplicate`].
pub async fn insert(tx: &mut Tx, login: &DeviceLogin, device_hash: &Digest) -> Result<(), Error> {
    const SQL: &str = "insert into device_login
            (id, device_hash, user_code, label, scopes, created_at, expires_at, poll_seconds)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    Sql::new(SQL)
        .bind(login.id)
        .bind(device_hash)
        .bind(&login.user_code)
        .bind(&login.label)
        .bind(login.scopes.as_slice())
        .bind(login.created_at)
        .bind(login.expires_at)
        .bind(login.poll_seconds)
        .run(tx)
        .await
}

/// The sign-in whose device code has this hash.
pub async fn by_device_hash(conn: &mut Conn, hash: &Digest) -> Result<Option<DeviceLogin>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("device_hash = ").value(hash);
    sql.optional(conn).await
}

/// The undecided sign-in with this user code.
pub async fn waiting(conn: &mut Conn, user_code: &str, now: Timestamp) -> Result<Option<DeviceLogin>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("user_code = ").value(user_code).push(" and decision is null and expires_at > ").value(now);
    sql.optional(conn).await
}

/// How many sign-ins wait for a decision.
pub async fn waiting_count(conn: &mut Conn, now: Timestamp) -> Result<i64, Error> {
    const SQL: &str = "select count(*) from device_login where decision is null and expires_at > $1";
    Sql::new(SQL).bind(now).cell(conn).await
}

/// Notes a poll and the wait before the next.
pub async fn polled(tx: &mut Tx, id: DeviceLoginId, poll_seconds: i64, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "update device_login set last_polled_at = $2, poll_seconds = $3 where id = $1";
    Sql::new(SQL).bind(id).bind(now).bind(poll_seconds).run(tx).await
}

/// Approves or denies; `false` when somebody had already decided.
pub async fn decide(tx: &mut Tx, id: DeviceLoginId, person: PersonId, approved: bool) -> Result<bool, Error> {
    const SQL: &str = "update device_login set decision = $2, person_id = $3 where id = $1 and decision is null";
    let decision = if approved { "approved" } else { "denied" };
    Sql::new(SQL).bind(id).bind(decision).bind(person).changed(tx).await
}

/// Marks the token as taken; `false` when it was taken before.
pub async fn collect(tx: &mut Tx, id: DeviceLoginId, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update device_login set collected_at = $2
        where id = $1 and decision = 'approved' and collected_at is null and expires_at > $2";
    Sql::new(SQL).bind(id).bind(now).changed(tx).await
}

/// Notes that a person typed a wrong code.
pub async fn record_attempt(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<(), Error> {
    Sql::new("insert into device_attempt (person_id, at) values ($1, $2)").bind(person).bind(now).run(tx).await
}

/// How many wrong codes a person typed since `since`.
pub async fn attempts(conn: &mut Conn, person: PersonId, since: Timestamp) -> Result<i64, Error> {
    const SQL: &str = "select count(*) from device_attempt where person_id = $1 and at > $2";
    Sql::new(SQL).bind(person).bind(since).cell(conn).await
}

/// Forgets sign-ins and attempts from before `before`.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    let attempts = Sql::new("delete from device_attempt where at < $1").bind(before).execute(tx).await?;
    let logins = Sql::new("delete from device_login where expires_at < $1").bind(before).execute(tx).await?;
    Ok(attempts.saturating_add(logins))
}
