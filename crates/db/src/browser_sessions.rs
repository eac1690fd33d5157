//! Sessions of browsers: only the hash of the cookie is here.

use kontor_types::{Digest, Handle, PersonId, Scope, SessionId, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

words! {
    /// How a session began.
    pub enum OpenedBy ("way into a session") {
        /// With a one-time link.
        Link = "link",
        /// With a password.
        Password = "password",
    }
}

record! {
    /// One session with the person it speaks for.
    pub struct BrowserSession {
        /// Its id.
        pub id: SessionId,
        /// Whose it is.
        pub person_id: PersonId,
        /// Which browser, as far as it said.
        pub label: String,
        /// What it may be used for.
        pub scopes: Vec<Scope>,
        /// When it began.
        pub created_at: Timestamp,
        /// When it ends.
        pub expires_at: Timestamp,
        /// When it was used last, roughly.
        pub last_seen_at: Timestamp,
        /// When it was ended.
        pub revoked_at: Option<Timestamp>,
        /// How it began.
        pub opened_by: OpenedBy,
        /// The person's handle.
        pub handle: Handle,
        /// Whether the person administers the hub.
        pub administrator: bool,
        /// Since when the person may no longer sign in.
        pub disabled_at: Option<Timestamp>,
    }
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
    /// How it begins.
    pub opened_by: OpenedBy,
}

/// Begins a session.
pub async fn insert(tx: &mut Tx, session: &NewSession) -> Result<(), Error> {
    const SQL: &str = "insert into browser_session
            (id, hash, person_id, label, scopes, created_at, expires_at, last_seen_at, opened_by)
        values ($1, $2, $3, $4, $5, $6, $7, $6, $8)";
    Sql::new(SQL)
        .bind(session.id)
        .bind(session.hash)
        .bind(session.person_id)
        .bind(&session.label)
        .bind(session.scopes.as_slice())
        .bind(session.created_at)
        .bind(session.expires_at)
        .bind(session.opened_by.as_str())
        .run(tx)
        .await
}

/// What a session is, without an end.
const SELECT: &str = "select s.id, s.person_id, s.label, s.scopes, s.created_at, s.expires_at, s.last_seen_at,
        s.revoked_at, s.opened_by, p.handle, p.administrator, p.disabled_at
    from browser_session s join person p on p.id = s.person_id where ";

/// The session whose cookie has this hash, whatever its state.
pub async fn by_hash(conn: &mut Conn, hash: &Digest) -> Result<Option<BrowserSession>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("s.hash = ").value(hash);
    sql.optional(conn).await
}

/// The session of this id, whatever its state.
pub async fn by_id(conn: &mut Conn, id: SessionId) -> Result<Option<BrowserSession>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("s.id = ").value(id);
    sql.optional(conn).await
}

/// The sessions of a person that work at `now`, those used last first.
pub async fn of_person(
    conn: &mut Conn,
    person: PersonId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<BrowserSession>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("s.person_id = ").value(person).push(" and s.revoked_at is null and s.expires_at > ").value(now);
    sql.push(" order by s.last_seen_at desc, s.id desc limit ").value(limit);
    sql.all(conn).await
}

/// Notes that a session was used.
pub async fn touch(tx: &mut Tx, id: SessionId, now: Timestamp) -> Result<(), Error> {
    Sql::new("update browser_session set last_seen_at = $2 where id = $1").bind(id).bind(now).run(tx).await
}

/// Ends a session; `false` when it had already ended.
pub async fn revoke(tx: &mut Tx, id: SessionId, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update browser_session set revoked_at = $2 where id = $1 and revoked_at is null";
    Sql::new(SQL).bind(id).bind(now).changed(tx).await
}

/// Ends every working session of a person, but not `except`, and says how many.
pub async fn revoke_all(
    tx: &mut Tx,
    person: PersonId,
    except: Option<SessionId>,
    now: Timestamp,
) -> Result<u64, Error> {
    let mut sql = Sql::new("update browser_session set revoked_at = ");
    sql.value(now).push(" where person_id = ").value(person);
    sql.push(" and revoked_at is null and expires_at > ").value(now);
    if let Some(kept) = except {
        sql.push(" and id <> ").value(kept);
    }
    sql.execute(tx).await
}

/// Forgets sessions that ended before `before`.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    Sql::new("delete from browser_session where expires_at < $1 or revoked_at < $1").bind(before).execute(tx).await
}
