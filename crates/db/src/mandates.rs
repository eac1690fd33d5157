//! Keys that sign mandates, and what they signed. How often a mandate was used is counted here; what is left of its limit is in
//! the ledger, and both change in one transaction.

use kontor_types::{MandateId, PersonId, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// A key that signs a person's mandates.
    pub struct MandateKey {
        /// Whose key.
        pub person_id: PersonId,
        /// Which key.
        pub key_id: String,
        /// Its public half.
        pub public_key: String,
        /// Since when the hub knows it.
        pub registered_at: Timestamp,
        /// When another took its place, or an administrator put it out of use.
        pub retired_at: Option<Timestamp>,
    }
}

record! {
    /// A mandate as it was signed, and how far it is used.
    pub struct Mandate {
        /// Its id, which the person's program chose.
        pub id: MandateId,
        /// Whose it is.
        pub person_id: PersonId,
        /// The key that signed it.
        pub key_id: String,
        /// That key.
        pub public_key: String,
        /// The signed envelope.
        pub envelope: Vec<u8>,
        /// The ledger account that holds its limit.
        pub account: i64,
        /// Purchases that hold or have spent something of it.
        pub uses: i64,
        /// How many there may be.
        pub most: i64,
        /// When the hub took it.
        pub accepted_at: Timestamp,
        /// Since when nothing new is bought with it.
        pub revoked_at: Option<Timestamp>,
    }
}

/// A mandate to be kept.
#[derive(Debug, Clone)]
pub struct NewMandate {
    /// Its id.
    pub id: MandateId,
    /// Whose it is.
    pub person_id: PersonId,
    /// The key that signed it.
    pub key_id: String,
    /// The signed envelope.
    pub envelope: Vec<u8>,
    /// The ledger account that holds its limit.
    pub account: i64,
    /// How often it may be used.
    pub most: i64,
    /// When.
    pub now: Timestamp,
}

const SELECT: &str =
    "select m.id, m.person_id, m.key_id, k.public_key, m.envelope, m.account, m.uses, m.most, m.accepted_at,
    m.revoked_at from mandate m join mandate_key k on k.person_id = m.person_id and k.key_id = m.key_id where ";

/// The keys of a person, the oldest first.
pub async fn keys(conn: &mut Conn, person: PersonId) -> Result<Vec<MandateKey>, Error> {
    const SQL: &str = "select person_id, key_id, public_key, registered_at, retired_at from mandate_key
        where person_id = $1 order by registered_at, key_id";
    Sql::new(SQL).bind(person).all(conn).await
}

/// Adds a key.
pub async fn add_key(tx: &mut Tx, key: &MandateKey) -> Result<(), Error> {
    const SQL: &str = "insert into mandate_key (person_id, key_id, public_key, registered_at) values ($1, $2, $3, $4)";
    Sql::new(SQL).bind(key.person_id).bind(&key.key_id).bind(&key.public_key).bind(key.registered_at).run(tx).await
}

/// Puts every key of a person out of use but this one; how many.
pub async fn retire_keys(tx: &mut Tx, person: PersonId, but: &str, now: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "update mandate_key set retired_at = $3
        where person_id = $1 and key_id <> $2 and retired_at is null";
    Sql::new(SQL).bind(person).bind(but).bind(now).execute(tx).await
}

/// Keeps a mandate.
pub async fn insert(tx: &mut Tx, new: &NewMandate) -> Result<(), Error> {
    const SQL: &str = "insert into mandate (id, person_id, key_id, envelope, account, most, accepted_at)
        values ($1, $2, $3, $4, $5, $6, $7)";
    let sql = Sql::new(SQL).bind(new.id).bind(new.person_id).bind(&new.key_id).bind(new.envelope.as_slice());
    sql.bind(new.account).bind(new.most).bind(new.now).run(tx).await
}

/// The mandate with this id, whoever's it is.
pub async fn find(conn: &mut Conn, id: MandateId) -> Result<Option<Mandate>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("m.id = ").value(id);
    sql.optional(conn).await
}

/// The newest mandates of a person, newest first.
pub async fn of(conn: &mut Conn, person: PersonId, limit: u32) -> Result<Vec<Mandate>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("m.person_id = ").value(person);
    sql.push(" order by m.accepted_at desc, m.id desc limit ").value(limit);
    sql.all(conn).await
}

/// The mandate, and nobody else changes it or buys with it until this unit ends.
pub async fn hold(tx: &mut Tx, id: MandateId) -> Result<Option<Mandate>, Error> {
    Sql::new("update mandate set uses = uses where id = $1").bind(id).run(tx).await?;
    find(tx, id).await
}

/// Counts one more use; the caller holds the mandate and has looked whether there may be one.
pub async fn count_use(tx: &mut Tx, id: MandateId) -> Result<(), Error> {
    Sql::new("update mandate set uses = uses + 1 where id = $1").bind(id).run(tx).await
}

/// Takes a use back: the purchase came to nothing.
pub async fn uncount_use(tx: &mut Tx, id: MandateId) -> Result<(), Error> {
    Sql::new("update mandate set uses = uses - 1 where id = $1 and uses > 0").bind(id).run(tx).await
}

/// Nothing new is bought with it from now on; `false` when that was so.
pub async fn revoke(tx: &mut Tx, id: MandateId, now: Timestamp) -> Result<bool, Error> {
    Sql::new("update mandate set revoked_at = $2 where id = $1 and revoked_at is null")
        .bind(id)
        .bind(now)
        .changed(tx)
        .await
}
