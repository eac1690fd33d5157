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
    /// How much there is in the ledger after a commit.
    pub struct Counter {
        /// The number of the newest commit.
        pub commits: i64,
        /// The number of the newest account.
        pub accounts: i64,
        /// The number of the newest closing of an account.
        pub closings: i64,
        /// The number of the newest transfer.
        pub transfers: i64,
        /// The number of the newest leg.
        pub legs: i64,
        /// When the newest commit was made; never before the one before it.
        pub made_at: Timestamp,
        /// The digest over everything up to here.
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
///
/// # Errors
/// On Postgres when another has it for longer than three seconds ([`Error::is_lock_timeout`]); a holder that does nothing for ten
/// seconds is cut off by the server. [`Error::RulesOff`].
pub async fn lock(tx: &mut Tx) -> Result<Counter, Error> {
    // A transaction that writes to SQLite is the only one from its beginning.
    const SQLITE: &str = "select commits, accounts, closings, transfers, legs, made_at, digest from ledger_counter
        where sealed = 1 and exists (select 1 from ledger_rule)";
    const POSTGRES: &str = "with patience as materialized (select set_config('lock_timeout', '3s', true),
            set_config('idle_in_transaction_session_timeout', '10s', true))
        select c.commits, c.accounts, c.closings, c.transfers, c.legs, c.made_at, c.digest from patience, ledger_counter c
            where c.sealed = 1 and exists (select 1 from ledger_rule) for update of c";
    let sql = if tx.is_postgres() { POSTGRES } else { SQLITE };
    Sql::new(sql).optional(tx).await?.ok_or(Error::RulesOff)
}

/// How much there is.
pub async fn counter(conn: &mut Conn) -> Result<Counter, Error> {
    const SQL: &str = "select commits, accounts, closings, transfers, legs, made_at, digest from ledger_counter
        where sealed = 1";
    Sql::new(SQL).one(conn).await
}

/// From here to [`seal`] rows may come; the caller holds the lock.
pub async fn begin(tx: &mut Tx) -> Result<(), Error> {
    Sql::new("update ledger_counter set writing = 2 where sealed = 1").run(tx).await
}

/// Says how much there is now. The database judges all that came since [`begin`], and moves the balances.
pub async fn seal(tx: &mut Tx, counter: &Counter) -> Result<(), Error> {
    const SQL: &str = "insert into ledger_batch (number, accounts, closings, transfers, legs, made_at, digest)
        values ($1, $2, $3, $4, $5, $6, $7)";
    let insertion = Sql::new(SQL).bind(counter.commits).bind(counter.accounts).bind(counter.closings);
    let insertion = insertion.bind(counter.transfers).bind(counter.legs).bind(counter.made_at);
    insertion.bind(counter.digest).run(tx).await
}

/// What was there after each commit that follows on a number, oldest first.
pub async fn commits_after(conn: &mut Conn, number: i64, limit: u32) -> Result<Vec<Counter>, Error> {
    const SQL: &str = "select number as commits, accounts, closings, transfers, legs, made_at, digest from ledger_batch
        where number > $1 order by number limit $2";
    Sql::new(SQL).bind(number).bind(limit).all(conn).await
}

/// The rules of the schema that the database does not keep at present.
pub async fn missing_rules(conn: &mut Conn) -> Result<Vec<String>, Error> {
    const SQLITE: &str = include_str!("../migrations/sqlite/0013_ledger.sql");
    const POSTGRES: &str = include_str!("../migrations/postgres/0013_ledger.sql");
    const SQLITE_HAS: &str = "select name from sqlite_master where type = 'trigger'
        union all select 'ledger_rule' from ledger_rule";
    const POSTGRES_HAS: &str = "select tgname::text from pg_trigger where tgenabled = 'O'
        union all select 'ledger_rule' from ledger_rule";
    let (text, sql) = if conn.is_postgres() { (POSTGRES, POSTGRES_HAS) } else { (SQLITE, SQLITE_HAS) };
    let there: Vec<String> = Sql::new(sql).column(conn).await?;
    let named = text.lines().filter_map(|line| line.strip_prefix("create trigger ")?.split_whitespace().next());
    let missing = named.chain(["ledger_rule"]).filter(|name| !there.iter().any(|there| there == name));
    Ok(missing.map(str::to_owned).collect())
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
///
/// On Postgres each transfer fetches its own few: from the bounds alone the planner expects a ninth of all legs for each, and
/// would read the whole table for a commit.
pub async fn legs_of(conn: &mut Conn, transfers: &[i64]) -> Result<Vec<Leg>, Error> {
    listed!(
        conn,
        transfers,
        "l.number, l.transfer, l.kind, l.debit, l.credit, l.currency, l.amount, l.held, l.origin, l.debit_before,
            l.credit_before from ledger_transfer t ",
        "join ledger_leg l on l.number >= t.first_leg and l.number < t.first_leg + t.legs
            where t.number in (select value from json_each($1)) order by l.number",
        "cross join lateral (select * from ledger_leg where number >= t.first_leg and number < t.first_leg + t.legs
            offset 0) l where t.number = any($1) order by l.number"
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

/// Open reservations after a number that have ended by `now`, by number.
pub async fn expired(conn: &mut Conn, now: Timestamp, number: i64, limit: u32) -> Result<Vec<i64>, Error> {
    const SQL: &str = "select transfer from ledger_hold where expires_at <= $1 and transfer > $2
        order by transfer limit $3";
    Sql::new(SQL).bind(now).bind(number).bind(limit).column(conn).await
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

/// From here on the connection sees the books at one moment. It is closed when it is dropped, and not given back: nobody else must
/// find themselves in that moment.
pub async fn freeze(conn: &mut Conn) -> Result<Counter, Error> {
    conn.close_on_drop();
    let begin = if conn.is_postgres() { "begin isolation level repeatable read read only" } else { "begin" };
    Sql::new(begin).run(conn).await?;
    // SQLite fixes the moment at the first read.
    counter(conn).await
}
