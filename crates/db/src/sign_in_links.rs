//! One-time links that open a browser session: only the hash of the code is here.

use kontor_types::{Digest, Handle, PersonId, Scope, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// A link with the person it signs in.
    pub struct SignInLink {
        /// Whom it signs in.
        pub person_id: PersonId,
        /// Their handle.
        pub handle: Handle,
        /// What the session may be used for.
        pub scopes: Vec<Scope>,
        /// From when on it no longer works.
        pub expires_at: Timestamp,
        /// When it was used.
        pub used_at: Option<Timestamp>,
    }
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
    Sql::new(SQL).bind(hash).bind(person).bind(scopes).bind(created_at).bind(expires_at).run(tx).await
}

/// The link whose code has this hash, whatever its state.
pub async fn by_hash(conn: &mut Conn, hash: &Digest) -> Result<Option<SignInLink>, Error> {
    const SQL: &str = "select l.person_id, p.handle, l.scopes, l.expires_at, l.used_at
        from sign_in_link l join person p on p.id = l.person_id where l.hash = $1";
    Sql::new(SQL).bind(hash).optional(conn).await
}

/// Uses the link up; `false` when it is unknown, used or expired.
pub async fn redeem(tx: &mut Tx, hash: &Digest, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update sign_in_link set used_at = $2
        where hash = $1 and used_at is null and expires_at > $2";
    Sql::new(SQL).bind(hash).bind(now).changed(tx).await
}

/// Uses up every link of a person that still works, so that none does, and says how many.
pub async fn void(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "update sign_in_link set used_at = $2
        where person_id = $1 and used_at is null and expires_at > $2";
    Sql::new(SQL).bind(person).bind(now).execute(tx).await
}

/// Forgets links that ended before `before`.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    Sql::new("delete from sign_in_link where expires_at < $1").bind(before).execute(tx).await
}
