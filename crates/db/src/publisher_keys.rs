//! The keys that publishers sign with, and since when which of them counts. Nothing is ever removed.

use kontor_types::{PersonId, PublisherId, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

/// Most keys of one publisher that are read.
const MOST: u32 = 1_000;

record! {
    /// One key of a publisher, public as a whole.
    pub struct PublisherKey {
        /// Whose key.
        pub publisher_id: PublisherId,
        /// Which key.
        pub key_id: String,
        /// Its public half.
        pub public_key: String,
        /// When its holder says that it was made.
        pub created_at: Timestamp,
        /// Since when the hub knows it.
        pub registered_at: Timestamp,
        /// Who registered it.
        pub registered_by: Option<PersonId>,
        /// The key before, whose place it took.
        pub endorsed_by: Option<String>,
        /// That key's signature over this one.
        pub endorsement: Option<String>,
        /// When another key took its place.
        pub retired_at: Option<Timestamp>,
        /// From when on nothing that it signed is to be believed.
        pub revoked_from: Option<Timestamp>,
        /// When that was said.
        pub revoked_at: Option<Timestamp>,
        /// Why.
        pub revoke_reason: Option<String>,
    }
}

impl PublisherKey {
    /// Whether new versions are signed with it.
    pub const fn is_active(&self) -> bool {
        self.retired_at.is_none() && self.revoked_at.is_none()
    }
}

const COLUMNS: &str = "select publisher_id, key_id, public_key, created_at, registered_at, registered_by, endorsed_by,
    endorsement, retired_at, revoked_from, revoked_at, revoke_reason from publisher_key where publisher_id = $1";

/// Every key that a publisher ever had, the oldest first; for whoever may know of the publisher.
pub async fn of_publisher(conn: &mut Conn, publisher: PublisherId) -> Result<Vec<PublisherKey>, Error> {
    let mut sql = Sql::new(COLUMNS).bind(publisher);
    sql.push(" order by registered_at, key_id limit ").value(MOST);
    sql.all(conn).await
}

/// One key of a publisher.
pub async fn find(conn: &mut Conn, publisher: PublisherId, key: &str) -> Result<Option<PublisherKey>, Error> {
    let mut sql = Sql::new(COLUMNS).bind(publisher);
    sql.push(" and key_id = ").value(key);
    sql.optional(conn).await
}

/// Adds a key; [`Error::Duplicate`] when the publisher has it already.
pub async fn insert(tx: &mut Tx, key: &PublisherKey) -> Result<(), Error> {
    const SQL: &str = "insert into publisher_key (publisher_id, key_id, public_key, created_at, registered_at,
        registered_by, endorsed_by, endorsement) values ($1, $2, $3, $4, $5, $6, $7, $8)";
    Sql::new(SQL)
        .bind(key.publisher_id)
        .bind(&key.key_id)
        .bind(&key.public_key)
        .bind(key.created_at)
        .bind(key.registered_at)
        .bind(key.registered_by)
        .bind(key.endorsed_by.clone())
        .bind(key.endorsement.clone())
        .run(tx)
        .await
}

/// Says that another key took its place; `false` when it was out of use already.
pub async fn retire(tx: &mut Tx, publisher: PublisherId, key: &str, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update publisher_key set retired_at = $3
        where publisher_id = $1 and key_id = $2 and retired_at is null and revoked_at is null";
    Sql::new(SQL).bind(publisher).bind(key).bind(now).changed(tx).await
}

/// Says from when on nothing that it signed is to be believed. A revocation is never taken back; one that was said before
/// can only begin earlier. `false` when it says nothing new.
pub async fn revoke(
    tx: &mut Tx,
    publisher: PublisherId,
    key: &str,
    (from, reason): (Timestamp, &str),
    now: Timestamp,
) -> Result<bool, Error> {
    const SQL: &str = "update publisher_key set revoked_from = $3, revoked_at = $4, revoke_reason = $5
        where publisher_id = $1 and key_id = $2 and (revoked_from is null or revoked_from > $3)";
    Sql::new(SQL).bind(publisher).bind(key).bind(from).bind(now).bind(reason).changed(tx).await
}
