//! The policies that are and were in force.

use kontor_types::{Digest, PersonId, PolicyId, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// A policy as it was set.
    pub struct PolicyRow {
        /// Its id.
        pub id: PolicyId,
        /// The preset's name, or `own`.
        pub name: String,
        /// Its text.
        pub text: String,
        /// The SHA-256 of the text.
        pub digest: Digest,
        /// Who set it.
        pub set_by: Option<PersonId>,
        /// When.
        pub created_at: Timestamp,
    }
}

/// The policy in force; none before one was ever set.
pub async fn newest(conn: &mut Conn) -> Result<Option<PolicyRow>, Error> {
    const SQL: &str = "select id, name, text, digest, set_by, created_at from policy order by id desc limit 1";
    Sql::new(SQL).optional(conn).await
}

/// The id of the policy in force, to see whether it changed.
pub async fn newest_id(conn: &mut Conn) -> Result<Option<PolicyId>, Error> {
    Sql::new("select id from policy order by id desc limit 1").optional_cell(conn).await
}

/// The digest of the policy in force.
pub async fn newest_digest(conn: &mut Conn) -> Result<Option<Digest>, Error> {
    Sql::new("select digest from policy order by id desc limit 1").optional_cell(conn).await
}

/// The policy with this text, as it was set last; none that was never set.
pub async fn with_digest(conn: &mut Conn, digest: &Digest) -> Result<Option<PolicyRow>, Error> {
    const SQL: &str = "select id, name, text, digest, set_by, created_at from policy where digest = $1
        order by id desc limit 1";
    Sql::new(SQL).bind(digest).optional(conn).await
}

/// Sets the policy in force.
pub async fn insert(tx: &mut Tx, policy: &PolicyRow) -> Result<(), Error> {
    const SQL: &str = "insert into policy (id, name, text, digest, set_by, created_at) values ($1, $2, $3, $4, $5, $6)";
    Sql::new(SQL)
        .bind(policy.id)
        .bind(&policy.name)
        .bind(&policy.text)
        .bind(policy.digest)
        .bind(policy.set_by)
        .bind(policy.created_at)
        .run(tx)
        .await
}
