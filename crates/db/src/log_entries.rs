//! The transparency log's rows: its origins with the sequencer's lease, its entries, and its heads.

use kontor_types::{Digest, LogEntryId, Timestamp, VersionId};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

/// Entries that get their places in one statement.
const PLACES: usize = 256;

record! {
    /// One history of the log; only the newest grows.
    pub struct Origin {
        /// 1 for the first history.
        pub number: i64,
        /// The name that its checkpoints carry.
        pub origin: String,
        /// When it began.
        pub started_at: Timestamp,
    }
}

record! {
    /// A statement and where it stands.
    pub struct Entry {
        /// The entry.
        pub id: LogEntryId,
        /// Which kind of thing is said.
        pub kind: String,
        /// The version's digest it is about, if it is about one.
        pub subject: Option<Digest>,
        /// The version it is about, if it is about one.
        pub version: Option<VersionId>,
        /// The signed statement.
        pub statement: Vec<u8>,
        /// What was hashed before the statement, so that nobody can guess it from its leaf.
        pub salt: Vec<u8>,
        /// What the log shows of it.
        pub leaf: Digest,
        /// When it was handed in.
        pub created_at: Timestamp,
        /// The history it stands in.
        pub log: Option<i64>,
        /// Its place there, from 0.
        pub place: Option<u64>,
    }
}

record! {
    /// An entry that has no place yet.
    pub struct Waiting {
        /// The entry.
        pub id: LogEntryId,
        /// What the log will show of it.
        pub leaf: Digest,
    }
}

record! {
    /// The log at one size.
    pub struct Head {
        /// The history.
        pub log: i64,
        /// How many entries it has.
        pub size: u64,
        /// The root of the Merkle tree over them.
        pub root: Digest,
        /// The roots of the full subtrees, from the largest to the smallest, 32 bytes each.
        pub peaks: Vec<u8>,
        /// The signed checkpoint; none until it is signed.
        pub note: Option<String>,
    }
}

/// Begins a history and shuts the ones before it, whoever held their lease. Entries that got a place there but were never
/// signed wait again.
pub async fn start(tx: &mut Tx, origin: &str, now: Timestamp) -> Result<Origin, Error> {
    const SHUT: &str = "update log_origin set lease_token = lease_token + 1, lease_until = 0, lease_holder = null";
    const FREE: &str = "update log_entry set log = null, place = null
        where log = (select max(number) from log_origin) and place >= (select coalesce(max(size), 0) from log_head
            where note is not null and log = (select max(number) from log_origin))";
    const DROP: &str = "delete from log_head where note is null";
    const SQL: &str = "insert into log_origin (number, origin, started_at)
        values ((select coalesce(max(number), 0) + 1 from log_origin), $1, $2) returning number, origin, started_at";
    for sql in [SHUT, FREE, DROP] {
        Sql::new(sql).run(tx).await?;
    }
    Sql::new(SQL).bind(origin).bind(now).one(tx).await
}

/// The history that grows; none before the first was started.
pub async fn newest(conn: &mut Conn) -> Result<Option<Origin>, Error> {
    const SQL: &str =
        "select number, origin, started_at from log_origin where number = (select max(number) from log_origin)";
    Sql::new(SQL).optional(conn).await
}

/// Every history there ever was, oldest first.
pub async fn histories(conn: &mut Conn) -> Result<Vec<Origin>, Error> {
    const SQL: &str = "select number, origin, started_at from log_origin order by number";
    Sql::new(SQL).all(conn).await
}

/// Takes the lease of the newest history and returns its token; none while somebody else holds it.
pub async fn acquire(
    tx: &mut Tx,
    log: i64,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<i64>, Error> {
    const SQL: &str = "update log_origin set lease_holder = $2, lease_token = lease_token + 1, lease_until = $4
        where number = $1 and number = (select max(number) from log_origin) and (lease_until <= $3 or lease_holder = $2)
        returning lease_token";
    Sql::new(SQL).bind(log).bind(holder).bind(now).bind(until).optional_cell(tx).await
}

/// Who holds the lease of a history at this moment, if anybody does.
pub async fn holder(conn: &mut Conn, log: i64, now: Timestamp) -> Result<Option<String>, Error> {
    const SQL: &str = "select coalesce(lease_holder, '') from log_origin where number = $1 and lease_until > $2";
    Sql::new(SQL).bind(log).bind(now).optional_cell(conn).await
}

/// Extends the lease and keeps others from taking it until the transaction ends; `false` when the token is no longer the
/// newest, and then nothing of the transaction may be kept.
pub async fn hold(tx: &mut Tx, log: i64, token: i64, until: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update log_origin set lease_until = $3 where number = $1 and lease_token = $2";
    Sql::new(SQL).bind(log).bind(token).bind(until).changed(tx).await
}

/// Gives the lease back, so that another need not wait for its end.
pub async fn release(tx: &mut Tx, log: i64, token: i64) -> Result<(), Error> {
    const SQL: &str =
        "update log_origin set lease_until = 0, lease_holder = null where number = $1 and lease_token = $2";
    Sql::new(SQL).bind(log).bind(token).run(tx).await
}

/// Hands in an entry; `log` and `place` do not count.
pub async fn insert(tx: &mut Tx, entry: &Entry) -> Result<(), Error> {
    const SQL: &str = "insert into log_entry (id, kind, subject, version, statement, salt, leaf, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    let insertion = Sql::new(SQL).bind(entry.id).bind(&entry.kind).bind(entry.subject).bind(entry.version);
    insertion
        .bind(entry.statement.clone())
        .bind(entry.salt.clone())
        .bind(entry.leaf)
        .bind(entry.created_at)
        .run(tx)
        .await
}

/// The entries that have waited longest.
pub async fn waiting(conn: &mut Conn, limit: u32) -> Result<Vec<Waiting>, Error> {
    const SQL: &str = "select id, leaf from log_entry where place is null order by id limit $1";
    Sql::new(SQL).bind(limit).all(conn).await
}

/// Gives entries the places from `first` on, in this order; how many of them had none before.
pub async fn place(tx: &mut Tx, log: i64, first: u64, entries: &[LogEntryId]) -> Result<u64, Error> {
    let mut placed = 0;
    for (chunk, start) in entries.chunks(PLACES).zip((first..).step_by(PLACES)) {
        let mut sql = Sql::new("update log_entry set log = $1, place = given.column2 from (values ").bind(log);
        for (id, place) in chunk.iter().zip(start..) {
            sql.push(if place == start { "(" } else { ", (" }).value(*id).push(", ").value(place).push(")");
        }
        sql.push(") as given where log_entry.id = given.column1 and log_entry.place is null");
        placed += sql.execute(tx).await?;
    }
    Ok(placed)
}

/// Records the log at a new size, not yet signed.
pub async fn add_head(tx: &mut Tx, head: &Head, token: i64, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "insert into log_head (log, size, root, peaks, token, made_at) values ($1, $2, $3, $4, $5, $6)";
    let insertion = Sql::new(SQL).bind(head.log).bind(head.size).bind(head.root).bind(head.peaks.clone());
    insertion.bind(token).bind(now).run(tx).await
}

/// Keeps the signed checkpoint of a head; `false` when there is no such head.
pub async fn sign_head(tx: &mut Tx, log: i64, size: u64, note: &str) -> Result<bool, Error> {
    const SQL: &str = "update log_head set note = $3 where log = $1 and size = $2";
    Sql::new(SQL).bind(log).bind(size).bind(note).changed(tx).await
}

/// The log at its newest size, signed or not.
pub async fn newest_head(conn: &mut Conn, log: i64) -> Result<Option<Head>, Error> {
    const SQL: &str = "select log, size, root, peaks, note from log_head where log = $1 order by size desc limit 1";
    Sql::new(SQL).bind(log).optional(conn).await
}

/// The log at the newest size that was signed.
pub async fn newest_signed(conn: &mut Conn, log: i64) -> Result<Option<Head>, Error> {
    const SQL: &str = "select log, size, root, peaks, note from log_head
        where log = $1 and note is not null order by size desc limit 1";
    Sql::new(SQL).bind(log).optional(conn).await
}

/// What the log shows from place `first` on, at most `limit` entries.
pub async fn leaves(conn: &mut Conn, log: i64, first: u64, limit: u64) -> Result<Vec<Digest>, Error> {
    const SQL: &str = "select leaf from log_entry where log = $1 and place >= $2 and place < $3 order by place";
    Sql::new(SQL).bind(log).bind(first).bind(first.saturating_add(limit)).column(conn).await
}

/// The entry, if there is one.
pub async fn find(conn: &mut Conn, id: LogEntryId) -> Result<Option<Entry>, Error> {
    const SQL: &str =
        "select id, kind, subject, version, statement, salt, leaf, created_at, log, place from log_entry where id = $1";
    Sql::new(SQL).bind(id).optional(conn).await
}

/// The newest entries about a digest, oldest of them first.
pub async fn about(conn: &mut Conn, subject: &Digest, limit: u32) -> Result<Vec<Entry>, Error> {
    const SQL: &str = "select id, kind, subject, version, statement, salt, leaf, created_at, log, place from log_entry
        where subject = $1 order by id desc limit $2";
    let mut entries: Vec<Entry> = Sql::new(SQL).bind(subject).bind(limit).all(conn).await?;
    entries.reverse();
    Ok(entries)
}

/// Versions after `after`, oldest first, of which the log may not say everything yet: those without an entry of each kind that
/// a decided version has.
pub async fn unsaid(conn: &mut Conn, after: Option<VersionId>, limit: u32) -> Result<Vec<VersionId>, Error> {
    let mut sql = Sql::new("select v.id from version v where ");
    if let Some(after) = after {
        sql.push("v.id > ").value(after).push(" and ");
    }
    sql.push(
        "(select count(distinct e.kind) from log_entry e where e.subject = v.digest and e.version = v.id
            and e.kind in ('publish', 'scan', 'decision')) < 3
        order by v.id limit ",
    );
    sql.value(limit);
    sql.column(conn).await
}

/// The newest entry of one kind about a version that has these bytes.
pub async fn newest_of_kind(
    conn: &mut Conn,
    subject: &Digest,
    version: VersionId,
    kind: &str,
) -> Result<Option<Entry>, Error> {
    const SQL: &str = "select id, kind, subject, version, statement, salt, leaf, created_at, log, place from log_entry
        where subject = $1 and version = $2 and kind = $3 order by id desc limit 1";
    Sql::new(SQL).bind(subject).bind(version).bind(kind).optional(conn).await
}

/// The newest entries about a version that has these bytes, oldest of them first.
pub async fn about_version(
    conn: &mut Conn,
    subject: &Digest,
    version: VersionId,
    limit: u32,
) -> Result<Vec<Entry>, Error> {
    const SQL: &str = "select id, kind, subject, version, statement, salt, leaf, created_at, log, place from log_entry
        where subject = $1 and version = $2 order by id desc limit $3";
    let mut entries: Vec<Entry> = Sql::new(SQL).bind(subject).bind(version).bind(limit).all(conn).await?;
    entries.reverse();
    Ok(entries)
}
