//! Permissions to upload one file each: who, which path, how many bytes, which digest.
//!
//! A ticket is met only by bytes sent under it: that the hub already holds a file with the digest it claims says nothing.

use kontor_types::{Digest, PersonId, Timestamp, UploadTicketId};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

words! {
    /// How far an upload has come.
    pub enum TicketState ("state of an upload ticket") {
        /// The bytes have not come.
        Open = "open",
        /// The bytes are here.
        Stored = "stored",
        /// A version was made of them.
        Used = "used",
    }
}

record! {
    /// One ticket.
    pub struct Ticket {
        /// Its id.
        pub id: UploadTicketId,
        /// Who may use it.
        pub person_id: PersonId,
        /// The path inside the skill.
        pub path: String,
        /// How many bytes will come.
        pub size: u64,
        /// SHA-256 of the bytes that will come.
        pub digest: Digest,
        /// How far the upload has come.
        pub state: TicketState,
        /// Until when it holds.
        pub expires_at: Timestamp,
    }
}

/// A ticket to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTicket {
    /// Its id.
    pub id: UploadTicketId,
    /// SHA-256 of the secret that the holder shows.
    pub secret_hash: Digest,
    /// Who may use it.
    pub person_id: PersonId,
    /// The path inside the skill.
    pub path: String,
    /// How many bytes will come.
    pub size: u64,
    /// SHA-256 of the bytes that will come.
    pub digest: Digest,
    /// When.
    pub now: Timestamp,
    /// Until when it holds.
    pub expires_at: Timestamp,
}

const SELECT: &str = "select id, person_id, path, size, digest, state, expires_at from upload_ticket where ";

/// The ticket whose secret has this hash, if this person holds it and it has not expired.
pub async fn find(
    conn: &mut Conn,
    person: PersonId,
    secret_hash: &Digest,
    now: Timestamp,
) -> Result<Option<Ticket>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("secret_hash = ").value(secret_hash).push(" and person_id = ").value(person);
    sql.push(" and expires_at > ").value(now);
    sql.optional(conn).await
}

/// How many tickets of this person have not been used or expired.
pub async fn count_open(conn: &mut Conn, person: PersonId, now: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "select count(*) from upload_ticket where person_id = $1 and state <> 'used' and expires_at > $2";
    Sql::new(SQL).bind(person).bind(now).cell(conn).await
}

/// Makes a ticket.
pub async fn insert(tx: &mut Tx, ticket: &NewTicket) -> Result<(), Error> {
    const SQL: &str = "insert into upload_ticket
            (id, secret_hash, person_id, path, size, digest, state, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, 'open', $7, $8)";
    Sql::new(SQL)
        .bind(ticket.id)
        .bind(ticket.secret_hash)
        .bind(ticket.person_id)
        .bind(&ticket.path)
        .bind(ticket.size)
        .bind(ticket.digest)
        .bind(ticket.now)
        .bind(ticket.expires_at)
        .run(tx)
        .await
}

/// Moves a ticket from one state to the next; `false` when it was not in the first.
pub async fn advance(tx: &mut Tx, id: UploadTicketId, from: TicketState, to: TicketState) -> Result<bool, Error> {
    const SQL: &str = "update upload_ticket set state = $3 where id = $1 and state = $2";
    Sql::new(SQL).bind(id).bind(from).bind(to).changed(tx).await
}

/// Forgets tickets that expired before `before`; returns how many.
pub async fn forget_expired(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    Sql::new("delete from upload_ticket where expires_at < $1").bind(before).execute(tx).await
}
