//! Budgets for models, and what processes hold of them. The money itself is in the ledger.

use kontor_types::{Currency, PersonId, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

const COLUMNS: &str = "account, owner_kind, owner, currency, ceiling, carry, set_by, set_at, closed_at";

words! {
    /// What kind of thing a budget is of.
    pub enum OwnerKind ("kind of owner of a budget") {
        /// A person.
        Person = "person",
        /// A person's or an organisation's publisher.
        Publisher = "publisher",
        /// An errand.
        Errand = "errand",
    }
}

record! {
    /// A budget.
    pub struct Budget {
        /// Its account in the ledger.
        pub account: i64,
        /// What it is of.
        pub owner_kind: OwnerKind,
        /// Which of them: an id.
        pub owner: String,
        /// What it is counted in.
        pub currency: Currency,
        /// The limit in minor units.
        pub ceiling: i64,
        /// Spent and not yet posted, in millionths of one major unit.
        pub carry: i64,
        /// Who set it.
        pub set_by: Option<PersonId>,
        /// When.
        pub set_at: Timestamp,
        /// Since when nothing is spent from it.
        pub closed_at: Option<Timestamp>,
    }
}

record! {
    /// What a process holds of a budget.
    pub struct Lease {
        /// The reservation in the ledger.
        pub reservation: i64,
        /// The budget's account.
        pub account: i64,
        /// The process.
        pub process: String,
        /// In minor units.
        pub amount: i64,
        /// When the process was last known to live.
        pub renewed_at: Timestamp,
    }
}

/// Makes a budget or changes the limit of the one that is there, which opens it again.
pub async fn put(tx: &mut Tx, budget: &Budget) -> Result<(), Error> {
    const SQL: &str =
        "insert into model_budget (account, owner_kind, owner, currency, ceiling, carry, set_by, set_at, closed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (account) do update set ceiling = excluded.ceiling,
        set_by = excluded.set_by, set_at = excluded.set_at, closed_at = excluded.closed_at";
    let sql = Sql::new(SQL).bind(budget.account).bind(budget.owner_kind).bind(&budget.owner).bind(budget.currency);
    let sql = sql.bind(budget.ceiling).bind(budget.carry).bind(budget.set_by).bind(budget.set_at);
    sql.bind(budget.closed_at).run(tx).await
}

/// Says what is spent and not yet posted.
pub async fn set_carry(tx: &mut Tx, account: i64, carry: i64) -> Result<(), Error> {
    Sql::new("update model_budget set carry = $2 where account = $1").bind(account).bind(carry).run(tx).await
}

/// The budget of an account.
pub async fn find(conn: &mut Conn, account: i64) -> Result<Option<Budget>, Error> {
    let mut sql = Sql::new("select ");
    sql.push(COLUMNS).push(" from model_budget where account = ").value(account);
    sql.optional(conn).await
}

/// The budgets of an owner, one for each currency.
pub async fn of_owner(conn: &mut Conn, kind: OwnerKind, owner: &str) -> Result<Vec<Budget>, Error> {
    let mut sql = Sql::new("select ");
    sql.push(COLUMNS).push(" from model_budget where owner_kind = ").value(kind);
    sql.push(" and owner = ").value(owner).push(" order by currency");
    sql.all(conn).await
}

/// Every budget of people and publishers.
pub async fn standing(conn: &mut Conn) -> Result<Vec<Budget>, Error> {
    let mut sql = Sql::new("select ");
    sql.push(COLUMNS).push(" from model_budget where owner_kind in ('person', 'publisher') order by account");
    sql.all(conn).await
}

/// Budgets after an account, the newest first.
pub async fn before(conn: &mut Conn, account: i64, limit: u32) -> Result<Vec<Budget>, Error> {
    let mut sql = Sql::new("select ");
    sql.push(COLUMNS).push(" from model_budget where account < ").value(account);
    sql.push(" order by account desc limit ").value(limit);
    sql.all(conn).await
}

/// A number that is another one after a budget of a person or a publisher was set or closed, whatever the clock of who did it says.
pub async fn mark(conn: &mut Conn) -> Result<i64, Error> {
    const SQL: &str = "select cast(coalesce(sum(set_at % 1000000007), 0) * 1000 + count(*) % 1000 as bigint)
        from model_budget where owner_kind in ('person', 'publisher')";
    Sql::new(SQL).cell(conn).await
}

/// Notes what a process holds.
pub async fn lease(tx: &mut Tx, lease: &Lease) -> Result<(), Error> {
    const SQL: &str = "insert into model_lease (reservation, account, process, amount, renewed_at)
        values ($1, $2, $3, $4, $5)";
    let sql = Sql::new(SQL).bind(lease.reservation).bind(lease.account).bind(&lease.process);
    sql.bind(lease.amount).bind(lease.renewed_at).run(tx).await
}

/// Says that a process lives; the reservations that it still holds.
pub async fn renew(tx: &mut Tx, process: &str, now: Timestamp) -> Result<Vec<i64>, Error> {
    const SQL: &str = "update model_lease set renewed_at = $2 where process = $1 returning reservation";
    Sql::new(SQL).bind(process).bind(now).column(tx).await
}

/// What processes hold that were not known to live since then.
pub async fn stale(conn: &mut Conn, since: Timestamp, limit: u32) -> Result<Vec<Lease>, Error> {
    const SQL: &str = "select reservation, account, process, amount, renewed_at from model_lease
        where renewed_at < $1 order by renewed_at limit $2";
    Sql::new(SQL).bind(since).bind(limit).all(conn).await
}

/// Forgets what a process held; `false` when somebody else has.
pub async fn release(tx: &mut Tx, reservation: i64) -> Result<bool, Error> {
    Sql::new("delete from model_lease where reservation = $1").bind(reservation).changed(tx).await
}
