//! The ledger's accounts. Their balances are kept by the database itself, from the legs that it takes in.

use kontor_types::{Currency, Timestamp};

use crate::connection::Inner;
use crate::sql::Sql;
use crate::{Conn, Error, Tx};

const COLUMNS: &str = "number, owner_kind, owner, code, currency, side, guarded, opened_at, closed_at, debits, credits,
    held_debits, held_credits, last_leg";

words! {
    /// The side on which an account grows.
    pub enum Side ("side of an account") {
        /// What is owned and what was spent: it grows when debited.
        Debit = "debit",
        /// What is owed and what was earned: it grows when credited.
        Credit = "credit",
    }
}

record! {
    /// An account and what went through it.
    pub struct Account {
        /// Its number, from 1.
        pub number: i64,
        /// What kind of thing owns it, for example `publisher`.
        pub owner_kind: String,
        /// Which of them.
        pub owner: String,
        /// What it is for, unique with owner and currency.
        pub code: String,
        /// The one currency it is counted in.
        pub currency: Currency,
        /// The side on which it grows.
        pub side: Side,
        /// Whether what is free in it may never fall below zero.
        pub guarded: bool,
        /// When it was opened.
        pub opened_at: Timestamp,
        /// Since when it takes nothing new.
        pub closed_at: Option<Timestamp>,
        /// Everything it was ever debited.
        pub debits: i64,
        /// Everything it was ever credited.
        pub credits: i64,
        /// What reservations will debit at most.
        pub held_debits: i64,
        /// What reservations will credit at most.
        pub held_credits: i64,
        /// The number of the newest leg; 0 for none.
        pub last_leg: i64,
    }
}

record! {
    /// The end of an account.
    pub struct Closing {
        /// Its number, from 1.
        pub number: i64,
        /// The account that takes nothing new from then on.
        pub account: i64,
        /// When it was closed.
        pub closed_at: Timestamp,
    }
}

impl Account {
    /// What is in it, counted on its side.
    pub const fn balance(&self) -> i64 {
        match self.side {
            Side::Credit => self.credits - self.debits,
            Side::Debit => self.debits - self.credits,
        }
    }

    /// What of it is not held.
    pub const fn free(&self) -> i64 {
        match self.side {
            Side::Credit => self.balance() - self.held_debits,
            Side::Debit => self.balance() - self.held_credits,
        }
    }
}

/// Inserts an account without any legs; balances do not count.
pub async fn insert(tx: &mut Tx, account: &Account) -> Result<(), Error> {
    const SQL: &str = "insert into ledger_account (number, owner_kind, owner, code, currency, side, guarded, opened_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    let insertion = Sql::new(SQL).bind(account.number).bind(&account.owner_kind).bind(&account.owner);
    let insertion = insertion.bind(&account.code).bind(account.currency).bind(account.side);
    insertion.bind(account.guarded).bind(account.opened_at).run(tx).await
}

/// Ends an account; the database marks the account itself when the commit is sealed.
pub async fn insert_closing(tx: &mut Tx, closing: &Closing) -> Result<(), Error> {
    const SQL: &str = "insert into ledger_closing (number, account, closed_at) values ($1, $2, $3)";
    Sql::new(SQL).bind(closing.number).bind(closing.account).bind(closing.closed_at).run(tx).await
}

/// Closings after a number, by number.
pub async fn closings_after(conn: &mut Conn, number: i64, limit: u32) -> Result<Vec<Closing>, Error> {
    const SQL: &str =
        "select number, account, closed_at from ledger_closing where number > $1 order by number limit $2";
    Sql::new(SQL).bind(number).bind(limit).all(conn).await
}

/// The account with this number.
pub async fn find(conn: &mut Conn, number: i64) -> Result<Option<Account>, Error> {
    let mut sql = Sql::new("select ");
    sql.push(COLUMNS).push(" from ledger_account where number = ").value(number);
    sql.optional(conn).await
}

/// The account of an owner with this code.
pub async fn find_by_code(
    conn: &mut Conn,
    owner: (&str, &str),
    code: &str,
    currency: Currency,
) -> Result<Option<Account>, Error> {
    let mut sql = Sql::new("select ");
    sql.push(COLUMNS).push(" from ledger_account where owner_kind = ").value(owner.0).push(" and owner = ");
    sql.value(owner.1).push(" and code = ").value(code).push(" and currency = ").value(currency);
    sql.optional(conn).await
}

/// Accounts of some owners after a number, by number.
pub async fn of_owners(
    conn: &mut Conn,
    owners: &[(String, String)],
    after: i64,
    limit: u32,
) -> Result<Vec<Account>, Error> {
    if owners.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("select ");
    sql.push(COLUMNS).push(" from ledger_account where number > ").value(after).push(" and (");
    let mut before = "";
    for (kind, owner) in owners {
        sql.push(before).push("(owner_kind = ").value(kind).push(" and owner = ").value(owner).push(")");
        before = " or ";
    }
    sql.push(") order by number limit ").value(limit);
    sql.all(conn).await
}

/// Accounts after a number, by number.
pub async fn after(conn: &mut Conn, number: i64, limit: u32) -> Result<Vec<Account>, Error> {
    let mut sql = Sql::new("select ");
    sql.push(COLUMNS).push(" from ledger_account where number > ").value(number);
    sql.push(" order by number limit ").value(limit);
    sql.all(conn).await
}

/// The accounts with these numbers, in no order.
pub async fn with_numbers(conn: &mut Conn, numbers: &[i64]) -> Result<Vec<Account>, Error> {
    const POSTGRES: &str =
        "select number, owner_kind, owner, code, currency, side, guarded, opened_at, closed_at, debits,
        credits, held_debits, held_credits, last_leg from ledger_account where number = any($1)";
    const SQLITE: &str =
        "select number, owner_kind, owner, code, currency, side, guarded, opened_at, closed_at, debits,
        credits, held_debits, held_credits, last_leg from ledger_account
        where number in (select value from json_each($1))";
    match &mut conn.inner {
        Inner::Sqlite(_) => Sql::new(SQLITE).bind(&serde_json::Value::from(numbers)).all(conn).await,
        Inner::Postgres(c) => Ok(sqlx::query_as(POSTGRES).bind(numbers).persistent(false).fetch_all(&mut **c).await?),
        Inner::PostgresTx(c) => {
            Ok(sqlx::query_as(POSTGRES).bind(numbers).persistent(false).fetch_all(&mut **c).await?)
        }
    }
}
