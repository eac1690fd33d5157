//! The ledger's transfers and their legs: rows that are only ever added, many at a time.

use kontor_types::{Currency, Digest, Timestamp};

use crate::connection::Inner;
use crate::sql::Sql;
use crate::{Conn, Error, Tx};

/// Rows of one statement on SQLite: few texts, so that prepared statements are found again.
const CHUNKS: [usize; 3] = [128, 16, 1];

words! {
    /// What a transfer does.
    pub enum Kind ("kind of transfer") {
        /// Money moves at once.
        Move = "move",
        /// Money is held for a later transfer.
        Reserve = "reserve",
        /// Held money moves, and what is left of it is free again.
        Post = "post",
        /// Held money is free again.
        Void = "void",
        /// Money that moved goes back.
        Refund = "refund",
    }
}

record! {
    /// How much there is in the ledger.
    pub struct Counter {
        /// The number of the newest account.
        pub accounts: i64,
        /// The number of the newest transfer.
        pub transfers: i64,
        /// The number of the newest leg.
        pub legs: i64,
        /// The digest over all transfers.
        pub digest: Digest,
    }
}

record! {
    /// A transfer: some legs that are there together or not at all.
    pub struct Transfer {
        /// Its number, from 1, in the order of commits.
        pub number: i64,
        /// The key under which it was asked for.
        pub key: String,
        /// What it does.
        pub kind: Kind,
        /// The digest of what was asked.
        pub request: Digest,
        /// The reservation it settles or the transfer it refunds.
        pub origin: Option<i64>,
        /// The number of its first leg; the others follow.
        pub first_leg: i64,
        /// How many legs it has.
        pub legs: i64,
        /// When a reservation ends by itself.
        pub expires_at: Option<Timestamp>,
        /// What people read about it.
        pub memo: String,
        /// When it was recorded.
        pub created_at: Timestamp,
    }
}

record! {
    /// One amount from an account to another.
    pub struct Leg {
        /// Its number, from 1.
        pub number: i64,
        /// The transfer it is of.
        pub transfer: i64,
        /// What that transfer does.
        pub kind: Kind,
        /// The account debited.
        pub debit: i64,
        /// The account credited.
        pub credit: i64,
        /// What is counted.
        pub currency: Currency,
        /// How much moves.
        pub amount: i64,
        /// How much more, or less, both accounts hold from now on.
        pub held: i64,
        /// The leg it settles or refunds.
        pub origin: Option<i64>,
        /// The leg before it of the debited account; 0 for none.
        pub debit_before: i64,
        /// The leg before it of the credited account; 0 for none.
        pub credit_before: i64,
    }
}

record! {
    /// The transfers of one commit.
    pub struct Batch {
        /// The last of them.
        pub last: i64,
        /// The first of them.
        pub first: i64,
        /// The digest over all transfers up to the last.
        pub digest: Digest,
    }
}

/// Runs a query whose only value is a list of numbers or texts.
macro_rules! listed {
    ($conn:expr, $list:expr, $columns:literal, $sqlite:literal, $postgres:literal) => {
        match &mut $conn.inner {
            Inner::Sqlite(_) => {
                Sql::new(concat!("select ", $columns, $sqlite)).bind(&serde_json::Value::from($list)).all($conn).await
            }
            Inner::Postgres(c) => {
                let query = sqlx::query_as(concat!("select ", $columns, $postgres)).bind($list).persistent(false);
                Ok(query.fetch_all(&mut **c).await?)
            }
            Inner::PostgresTx(c) => {
                let query = sqlx::query_as(concat!("select ", $columns, $postgres)).bind($list).persistent(false);
                Ok(query.fetch_all(&mut **c).await?)
            }
        }
    };
}

/// How much there is, and from now to the transaction's end nobody else writes to the ledger.
pub async fn lock(tx: &mut Tx) -> Result<Counter, Error> {
    const SQL: &str = "update ledger_counter set sealed = 1 returning accounts, transfers, legs, digest";
    Sql::new(SQL).one(tx).await
}

/// How much there is.
pub async fn counter(conn: &mut Conn) -> Result<Counter, Error> {
    Sql::new("select accounts, transfers, legs, digest from ledger_counter").one(conn).await
}

/// Says how much there is now; the caller holds the lock.
pub async fn advance(tx: &mut Tx, counter: &Counter) -> Result<(), Error> {
    const SQL: &str = "update ledger_counter set accounts = $1, transfers = $2, legs = $3, digest = $4";
    let update = Sql::new(SQL).bind(counter.accounts).bind(counter.transfers).bind(counter.legs);
    update.bind(counter.digest).run(tx).await
}

/// Records which transfers one commit has.
pub async fn add_batch(tx: &mut Tx, batch: &Batch) -> Result<(), Error> {
    const SQL: &str = "insert into ledger_batch (last, first, digest) values ($1, $2, $3)";
    Sql::new(SQL).bind(batch.last).bind(batch.first).bind(batch.digest).run(tx).await
}

/// The commits after the one that ends with `last`, oldest first.
pub async fn batches_after(conn: &mut Conn, last: i64, limit: u32) -> Result<Vec<Batch>, Error> {
    const SQL: &str = "select last, first, digest from ledger_batch where last > $1 order by last limit $2";
    Sql::new(SQL).bind(last).bind(limit).all(conn).await
}

/// Adds transfers.
pub async fn insert(tx: &mut Tx, rows: &[Transfer]) -> Result<(), Error> {
    const POSTGRES: &str = "insert into ledger_transfer
        (number, key, kind, request, origin, first_leg, legs, expires_at, memo, created_at)
        select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::text[], $10::bigint[])";
    let Inner::PostgresTx(c) = &mut tx.inner else { return insert_chunks(tx, rows).await };
    let query = sqlx::query(POSTGRES)
        .bind(rows.iter().map(|row| row.number).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.request.as_bytes().as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.origin).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.first_leg).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.legs).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.expires_at.map(Timestamp::micros)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.memo.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.created_at.micros()).collect::<Vec<_>>());
    query.execute(&mut **c).await?;
    Ok(())
}

async fn insert_chunks(tx: &mut Tx, rows: &[Transfer]) -> Result<(), Error> {
    const INTO: &str = "insert into ledger_transfer (number, key, kind, request, origin, first_leg, legs, expires_at, memo, created_at)";
    for chunk in chunks(rows) {
        let mut sql = rows_of(INTO, "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", chunk.len());
        for row in chunk {
            sql = sql.bind(row.number).bind(&row.key).bind(row.kind).bind(row.request).bind(row.origin);
            sql = sql.bind(row.first_leg).bind(row.legs).bind(row.expires_at).bind(&row.memo).bind(row.created_at);
        }
        sql.run(tx).await?;
    }
    Ok(())
}

/// An insertion of some rows. Its values have no names: SQLite looks each name up among all of them, one by one.
fn rows_of(into: &'static str, row: &'static str, count: usize) -> Sql {
    let mut sql = Sql::new(into);
    let mut before = " values ";
    for _ in 0..count {
        sql.push(before).push(row);
        before = ", ";
    }
    sql
}

/// Adds the legs of transfers that are there; the database moves the balances of their accounts.
pub async fn insert_legs(tx: &mut Tx, rows: &[Leg]) -> Result<(), Error> {
    const POSTGRES: &str = "insert into ledger_leg
        (number, transfer, kind, debit, credit, currency, amount, held, origin, debit_before, credit_before)
        select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
            $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])";
    let Inner::PostgresTx(c) = &mut tx.inner else { return insert_leg_chunks(tx, rows).await };
    let query = sqlx::query(POSTGRES)
        .bind(rows.iter().map(|row| row.number).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.transfer).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.debit).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.credit).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.currency.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.amount).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.held).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.origin).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.debit_before).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.credit_before).collect::<Vec<_>>());
    query.execute(&mut **c).await?;
    Ok(())
}

async fn insert_leg_chunks(tx: &mut Tx, rows: &[Leg]) -> Result<(), Error> {
    const INTO: &str = "insert into ledger_leg
        (number, transfer, kind, debit, credit, currency, amount, held, origin, debit_before, credit_before)";
    for chunk in chunks(rows) {
        let mut sql = rows_of(INTO, "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", chunk.len());
        for row in chunk {
            sql = sql.bind(row.number).bind(row.transfer).bind(row.kind).bind(row.debit).bind(row.credit);
            sql = sql.bind(row.currency).bind(row.amount).bind(row.held).bind(row.origin);
            sql = sql.bind(row.debit_before).bind(row.credit_before);
        }
        sql.run(tx).await?;
    }
    Ok(())
}

fn chunks<T>(mut rows: &[T]) -> Vec<&[T]> {
    let mut parts = Vec::new();
    for size in CHUNKS {
        while let Some((part, rest)) = rows.split_at_checked(size) {
            parts.push(part);
            rows = rest;
        }
    }
    parts
}

/// The transfers that were asked for under these keys, in no order.
pub async fn with_keys(conn: &mut Conn, keys: &[String]) -> Result<Vec<Transfer>, Error> {
    listed!(
        conn,
        keys,
        "number, key, kind, request, origin, first_leg, legs, expires_at, memo, created_at from ledger_transfer",
        " where key in (select value from json_each($1))",
        " where key = any($1)"
    )
}

/// The transfers with these numbers, in no order.
pub async fn with_numbers(conn: &mut Conn, numbers: &[i64]) -> Result<Vec<Transfer>, Error> {
    listed!(
        conn,
        numbers,
        "number, key, kind, request, origin, first_leg, legs, expires_at, memo, created_at from ledger_transfer",
        " where number in (select value from json_each($1))",
        " where number = any($1)"
    )
}

/// The legs of the transfers with these numbers, by number.
pub async fn legs_of(conn: &mut Conn, transfers: &[i64]) -> Result<Vec<Leg>, Error> {
    listed!(
        conn,
        transfers,
        "l.number, l.transfer, l.kind, l.debit, l.credit, l.currency, l.amount, l.held, l.origin, l.debit_before,
            l.credit_before from ledger_transfer t join ledger_leg l on l.number >= t.first_leg
            and l.number < t.first_leg + t.legs",
        " where t.number in (select value from json_each($1)) order by l.number",
        " where t.number = any($1) order by l.number"
    )
}

/// The transfers that settle or refund these, in no order.
pub async fn after_origins(conn: &mut Conn, origins: &[i64]) -> Result<Vec<Transfer>, Error> {
    listed!(
        conn,
        origins,
        "number, key, kind, request, origin, first_leg, legs, expires_at, memo, created_at from ledger_transfer",
        " where (kind in ('post', 'void') and origin in (select value from json_each($1)))
            or (kind = 'refund' and origin in (select value from json_each($1)))",
        " where (kind in ('post', 'void') and origin = any($1)) or (kind = 'refund' and origin = any($1))"
    )
}

/// Transfers after a number, by number.
pub async fn after(conn: &mut Conn, number: i64, limit: u32) -> Result<Vec<Transfer>, Error> {
    const SQL: &str = "select number, key, kind, request, origin, first_leg, legs, expires_at, memo, created_at
        from ledger_transfer where number > $1 order by number limit $2";
    Sql::new(SQL).bind(number).bind(limit).all(conn).await
}

/// Legs after a number, by number.
pub async fn legs_after(conn: &mut Conn, number: i64, limit: u32) -> Result<Vec<Leg>, Error> {
    const SQL: &str = "select number, transfer, kind, debit, credit, currency, amount, held, origin, debit_before,
        credit_before from ledger_leg where number > $1 order by number limit $2";
    Sql::new(SQL).bind(number).bind(limit).all(conn).await
}

/// The legs of an account from `leg` back, newest first.
pub async fn legs_back(conn: &mut Conn, account: i64, leg: i64, limit: u32) -> Result<Vec<Leg>, Error> {
    const SQL: &str = "with recursive line (number, transfer, kind, debit, credit, currency, amount, held, origin,
            debit_before, credit_before) as (
        select number, transfer, kind, debit, credit, currency, amount, held, origin, debit_before, credit_before
            from ledger_leg where number = $2 and (debit = $1 or credit = $1)
        union all
        select l.number, l.transfer, l.kind, l.debit, l.credit, l.currency, l.amount, l.held, l.origin, l.debit_before,
            l.credit_before from line p join ledger_leg l
            on l.number = case when p.debit = $1 then p.debit_before else p.credit_before end
        ) select number, transfer, kind, debit, credit, currency, amount, held, origin, debit_before, credit_before
            from line limit $3";
    Sql::new(SQL).bind(account).bind(leg).bind(limit).all(conn).await
}

/// Open reservations that have ended by `now`, the earliest first.
pub async fn expired(conn: &mut Conn, now: Timestamp, limit: u32) -> Result<Vec<i64>, Error> {
    const SQL: &str = "select transfer from ledger_hold where expires_at <= $1 order by expires_at limit $2";
    Sql::new(SQL).bind(now).bind(limit).column(conn).await
}

/// The open reservations after a number, by number.
pub async fn open_after(conn: &mut Conn, number: i64, limit: u32) -> Result<Vec<i64>, Error> {
    const SQL: &str = "select transfer from ledger_hold where transfer > $1 order by transfer limit $2";
    Sql::new(SQL).bind(number).bind(limit).column(conn).await
}

/// The legs with these numbers, by number.
pub async fn legs_with_numbers(conn: &mut Conn, numbers: &[i64]) -> Result<Vec<Leg>, Error> {
    listed!(
        conn,
        numbers,
        "number, transfer, kind, debit, credit, currency, amount, held, origin, debit_before, credit_before
            from ledger_leg",
        " where number in (select value from json_each($1)) order by number",
        " where number = any($1) order by number"
    )
}

/// From here to [`thaw`] the connection sees the books at one moment.
pub async fn freeze(conn: &mut Conn) -> Result<Counter, Error> {
    let begin = if conn.is_postgres() { "begin isolation level repeatable read read only" } else { "begin" };
    Sql::new(begin).run(conn).await?;
    // SQLite fixes the moment at the first read.
    counter(conn).await
}

/// Lets go of the moment.
pub async fn thaw(conn: &mut Conn) -> Result<(), Error> {
    Sql::new("rollback").run(conn).await
}
