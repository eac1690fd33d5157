//! Checkouts: purchases from merchants, from the quote to the end. Each step changes the row only from the state before it, in
//! the transaction of what the step writes to the ledger.

use kontor_types::{CheckoutId, Digest, MandateId, PersonId, Timestamp};
use serde_json::Value;

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

words! {
    /// How far a checkout has come.
    pub enum CheckoutState ("state of a checkout") {
        /// Asked for; there is no quote yet.
        Open = "open",
        /// There is a quote that holds; nothing is held or paid.
        Quoted = "quoted",
        /// Money is held, and the merchant is asked or will be.
        Reserved = "reserved",
        /// The merchant took the order, and the money has moved.
        Paid = "paid",
        /// It came to nothing; nothing is held.
        Refused = "refused",
        /// Somebody did not want it any longer.
        Cancelled = "cancelled",
        /// All that was paid went back.
        Refunded = "refunded",
    }
}

record! {
    /// One checkout.
    pub struct Checkout {
        /// Its id.
        pub id: CheckoutId,
        /// Who pays.
        pub person_id: PersonId,
        /// The key under which it was asked for, the person's own.
        pub key: String,
        /// The digest of what was asked for.
        pub request: Digest,
        /// The hub's name for the merchant.
        pub merchant: String,
        /// What was asked for.
        pub wanted: Value,
        /// How far it has come.
        pub state: CheckoutState,
        /// How often a quote was asked for.
        pub attempt: i64,
        /// The merchant's name for it.
        pub session: Option<String>,
        /// The signed quote.
        pub quote: Option<String>,
        /// The digest of the signed quote.
        pub quote_digest: Option<Digest>,
        /// The key that signed it.
        pub merchant_key: Option<String>,
        /// Who gets which part, fixed with the quote.
        pub shares: Option<Value>,
        /// The mandate it is paid under.
        pub mandate_id: Option<MandateId>,
        /// The key under which it was paid, if somebody gave one.
        pub spend_key: Option<String>,
        /// The transfer that holds the money.
        pub reservation: Option<i64>,
        /// When the merchant was first asked to take the order.
        pub asked_at: Option<Timestamp>,
        /// The transfer that moved the money.
        pub posting: Option<i64>,
        /// The merchant's name for the order.
        pub order_id: Option<String>,
        /// Why it came to nothing, as a word.
        pub refusal: Option<String>,
        /// The same for people.
        pub refusal_detail: Option<String>,
        /// The signed receipt.
        pub receipt: Option<Vec<u8>>,
        /// When it was asked for.
        pub created_at: Timestamp,
        /// When its state changed last.
        pub changed_at: Timestamp,
    }
}

/// A checkout to be begun.
#[derive(Debug, Clone)]
pub struct NewCheckout {
    /// Its id.
    pub id: CheckoutId,
    /// Who pays.
    pub person_id: PersonId,
    /// The key under which it is asked for.
    pub key: String,
    /// The digest of what is asked for.
    pub request: Digest,
    /// The hub's name for the merchant.
    pub merchant: String,
    /// What is asked for.
    pub wanted: Value,
    /// When.
    pub now: Timestamp,
}

/// A quote that was checked.
#[derive(Debug, Clone)]
pub struct Quoted {
    /// The merchant's name for the session.
    pub session: String,
    /// The signed quote.
    pub quote: String,
    /// Its digest.
    pub digest: Digest,
    /// The key that signed it.
    pub key: String,
    /// Who gets which part.
    pub shares: Value,
}

const SELECT: &str = "select id, person_id, key, request, merchant, wanted, state, attempt, session, quote, quote_digest,
    merchant_key, shares, mandate_id, spend_key, reservation, asked_at, posting, order_id, refusal, refusal_detail, receipt,
    created_at, changed_at from checkout where ";

/// Begins a checkout; [`Error::Duplicate`] when the person used the key before.
pub async fn insert(tx: &mut Tx, new: &NewCheckout) -> Result<(), Error> {
    const SQL: &str =
        "insert into checkout (id, person_id, key, request, merchant, wanted, state, created_at, changed_at)
        values ($1, $2, $3, $4, $5, $6, 'open', $7, $7)";
    let sql = Sql::new(SQL).bind(new.id).bind(new.person_id).bind(&new.key).bind(new.request).bind(&new.merchant);
    sql.bind(&new.wanted).bind(new.now).run(tx).await
}

/// The checkout with this id, whoever's it is.
pub async fn find(conn: &mut Conn, id: CheckoutId) -> Result<Option<Checkout>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("id = ").value(id);
    sql.optional(conn).await
}

/// Nobody else changes the checkout until this unit ends.
pub async fn hold(tx: &mut Tx, id: CheckoutId) -> Result<(), Error> {
    Sql::new("update checkout set attempt = attempt where id = $1").bind(id).run(tx).await
}

/// The checkout that a person asked for under a key.
pub async fn by_key(conn: &mut Conn, person: PersonId, key: &str) -> Result<Option<Checkout>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("person_id = ").value(person).push(" and key = ").value(key);
    sql.optional(conn).await
}

/// The newest checkouts of a person, newest first.
pub async fn of(conn: &mut Conn, person: PersonId, limit: u32) -> Result<Vec<Checkout>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("person_id = ").value(person).push(" order by created_at desc, id desc limit ").value(limit);
    sql.all(conn).await
}

/// Checkouts that hold money since before a moment, the oldest first.
pub async fn waiting(conn: &mut Conn, before: Timestamp, limit: u32) -> Result<Vec<Checkout>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("state = 'reserved' and changed_at < ").value(before).push(" order by changed_at limit ").value(limit);
    sql.all(conn).await
}

/// Checkouts that hold money of a mandate.
pub async fn holding(conn: &mut Conn, mandate: MandateId) -> Result<Vec<Checkout>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("state = 'reserved' and mandate_id = ").value(mandate).push(" order by created_at, id");
    sql.all(conn).await
}

/// There is a quote; `false` when the checkout does not wait for one of this attempt.
pub async fn quoted(tx: &mut Tx, id: CheckoutId, attempt: i64, new: &Quoted, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str =
        "update checkout set state = 'quoted', session = $3, quote = $4, quote_digest = $5, merchant_key = $6,
        shares = $7, changed_at = $8 where id = $1 and attempt = $2 and state = 'open'";
    let sql = Sql::new(SQL).bind(id).bind(attempt).bind(&new.session).bind(&new.quote).bind(new.digest);
    sql.bind(&new.key).bind(&new.shares).bind(now).changed(tx).await
}

/// Another quote is wanted in the place of the one there is; `false` unless that is all there is.
pub async fn reopen(tx: &mut Tx, id: CheckoutId, attempt: i64, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update checkout set state = 'open', attempt = attempt + 1, session = null, quote = null,
        quote_digest = null, changed_at = $3 where id = $1 and attempt = $2 and state = 'quoted'";
    Sql::new(SQL).bind(id).bind(attempt).bind(now).changed(tx).await
}

/// Money is held for it; `false` unless it has exactly this quote and nothing is held.
pub async fn reserved(
    tx: &mut Tx,
    id: CheckoutId,
    quote: Digest,
    (mandate, spend_key, reservation): (MandateId, Option<String>, i64),
    now: Timestamp,
) -> Result<bool, Error> {
    const SQL: &str = "update checkout set state = 'reserved', mandate_id = $3, spend_key = $4, reservation = $5,
        changed_at = $6 where id = $1 and quote_digest = $2 and state = 'quoted'";
    let sql = Sql::new(SQL).bind(id).bind(quote).bind(mandate).bind(spend_key).bind(reservation);
    sql.bind(now).changed(tx).await
}

/// The merchant is asked from now on; `false` unless money is held for it.
pub async fn asked(tx: &mut Tx, id: CheckoutId, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update checkout set asked_at = coalesce(asked_at, $2), changed_at = $2
        where id = $1 and state = 'reserved'";
    Sql::new(SQL).bind(id).bind(now).changed(tx).await
}

/// It is paid; `false` unless money is held for it.
pub async fn paid(tx: &mut Tx, id: CheckoutId, posting: i64, order: &str, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update checkout set state = 'paid', posting = $2, order_id = $3, changed_at = $4
        where id = $1 and state = 'reserved'";
    Sql::new(SQL).bind(id).bind(posting).bind(order).bind(now).changed(tx).await
}

/// It came to nothing; `false` when it was in another state.
pub async fn refused(
    tx: &mut Tx,
    id: CheckoutId,
    from: CheckoutState,
    (word, detail): (&str, &str),
    now: Timestamp,
) -> Result<bool, Error> {
    const SQL: &str = "update checkout set state = 'refused', refusal = $3, refusal_detail = $4, changed_at = $5
        where id = $1 and state = $2";
    Sql::new(SQL).bind(id).bind(from).bind(word).bind(detail).bind(now).changed(tx).await
}

/// Nobody wants it any longer; `false` when money is held or was paid, or it was over.
pub async fn cancelled(tx: &mut Tx, id: CheckoutId, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update checkout set state = 'cancelled', changed_at = $2
        where id = $1 and state in ('open', 'quoted')";
    Sql::new(SQL).bind(id).bind(now).changed(tx).await
}

/// Everything went back; `false` unless it was paid.
pub async fn refunded(tx: &mut Tx, id: CheckoutId, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update checkout set state = 'refunded', changed_at = $2 where id = $1 and state = 'paid'";
    Sql::new(SQL).bind(id).bind(now).changed(tx).await
}

/// Keeps its receipt; `false` when there is one.
pub async fn set_receipt(tx: &mut Tx, id: CheckoutId, receipt: &[u8]) -> Result<bool, Error> {
    Sql::new("update checkout set receipt = $2 where id = $1 and receipt is null")
        .bind(id)
        .bind(receipt)
        .changed(tx)
        .await
}
