//! Passwords as hashes, wrong ones of late, and from where somebody came in with the right one.

use kontor_types::{Digest, PersonId, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// What is kept of a person's password.
    pub struct Password {
        /// In the PHC string format.
        pub hash: String,
        /// When it was set.
        pub changed_at: Timestamp,
    }
}

record! {
    /// Wrong passwords since some moment.
    #[derive(Copy)]
    pub struct Tried {
        /// How many.
        pub count: i64,
        /// The first of them.
        pub first: Option<Timestamp>,
    }
}

/// What is kept of a person's password, if they have one.
pub async fn of_person(conn: &mut Conn, person: PersonId) -> Result<Option<Password>, Error> {
    Sql::new("select hash, changed_at from password where person_id = $1").bind(person).optional(conn).await
}

/// Sets or replaces a person's password.
pub async fn put(tx: &mut Tx, person: PersonId, hash: &str, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "insert into password (person_id, hash, changed_at) values ($1, $2, $3)
        on conflict (person_id) do update set hash = excluded.hash, changed_at = excluded.changed_at";
    Sql::new(SQL).bind(person).bind(hash).bind(now).run(tx).await
}

/// Puts another hash of the same password in the place of `old`; `false` when it was changed meanwhile.
pub async fn rehash(tx: &mut Tx, person: PersonId, old: &str, new: &str) -> Result<bool, Error> {
    const SQL: &str = "update password set hash = $3 where person_id = $1 and hash = $2";
    Sql::new(SQL).bind(person).bind(old).bind(new).changed(tx).await
}

/// Notes a wrong password.
pub async fn tried(tx: &mut Tx, account: &Digest, network: &str, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "insert into password_try (account, network, at) values ($1, $2, $3)";
    Sql::new(SQL).bind(account).bind(network).bind(now).run(tx).await
}

/// Wrong passwords of an account since `since`, from one network or from anywhere.
pub async fn tried_of(
    conn: &mut Conn,
    account: &Digest,
    network: Option<&str>,
    since: Timestamp,
) -> Result<Tried, Error> {
    let mut sql = Sql::new("select count(*) as count, min(at) as first from password_try where account = ");
    sql.value(account).push(" and at > ").value(since);
    if let Some(network) = network {
        sql.push(" and network = ").value(network);
    }
    sql.one(conn).await
}

/// Wrong passwords from a network since `since`, of whomever.
pub async fn tried_from(conn: &mut Conn, network: &str, since: Timestamp) -> Result<Tried, Error> {
    const SQL: &str = "select count(*) as count, min(at) as first from password_try where network = $1 and at > $2";
    Sql::new(SQL).bind(network).bind(since).one(conn).await
}

/// Forgets wrong passwords of an account from a network.
pub async fn forgive(tx: &mut Tx, account: &Digest, network: &str) -> Result<u64, Error> {
    const SQL: &str = "delete from password_try where account = $1 and network = $2";
    Sql::new(SQL).bind(account).bind(network).execute(tx).await
}

/// Notes that a person came in from a network.
pub async fn came_from(tx: &mut Tx, person: PersonId, network: &str, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "insert into password_place (person_id, network, at) values ($1, $2, $3)
        on conflict (person_id, network) do update set at = excluded.at";
    Sql::new(SQL).bind(person).bind(network).bind(now).run(tx).await
}

/// Whether a person came in from a network before.
pub async fn is_place_of(conn: &mut Conn, person: PersonId, network: &str) -> Result<bool, Error> {
    const SQL: &str = "select exists (select 1 from password_place where person_id = $1 and network = $2)";
    Sql::new(SQL).bind(person).bind(network).cell(conn).await
}

/// Forgets wrong passwords from before `tries`, and places where nobody was since `places`.
pub async fn purge(tx: &mut Tx, tries: Timestamp, places: Timestamp) -> Result<u64, Error> {
    let wrong = Sql::new("delete from password_try where at < $1").bind(tries).execute(tx).await?;
    let gone = Sql::new("delete from password_place where at < $1").bind(places).execute(tx).await?;
    Ok(wrong.saturating_add(gone))
}
