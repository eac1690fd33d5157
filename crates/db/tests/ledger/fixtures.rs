//! Three accounts of Ada's, and the rows of transfers between them.

use kontor_db::ledger_accounts::{self, Account, Side};
use kontor_db::ledger_transfers::{self, Kind, Leg, Transfer};
use kontor_db::{Db, Error};
use kontor_types::{Currency, Digest, Timestamp};

pub const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

/// Where money comes from.
pub const BANK: i64 = 1;
/// Guarded: what is free in it never falls below zero.
pub const PURSE: i64 = 2;
/// Where money goes.
pub const SHOP: i64 = 3;

pub fn later(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.micros() + seconds * 1_000_000)
}

pub fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

/// An empty account of Ada's.
pub fn account(number: i64, code: &str, side: Side, guarded: bool) -> Account {
    Account {
        number,
        owner_kind: "person".to_owned(),
        owner: "ada".to_owned(),
        code: code.to_owned(),
        currency: currency("CNY"),
        side,
        guarded,
        opened_at: NOW,
        closed_at: None,
        debits: 0,
        credits: 0,
        held_debits: 0,
        held_credits: 0,
        last_leg: 0,
    }
}

/// The bank, the purse and the shop, all of them empty.
pub fn usual() -> Vec<Account> {
    vec![
        account(BANK, "bank", Side::Debit, false),
        account(PURSE, "purse", Side::Credit, true),
        account(SHOP, "shop", Side::Credit, false),
    ]
}

/// A transfer that moves money with this many legs, the first of which has the number `first_leg`.
pub fn transfer(number: i64, first_leg: i64, legs: i64) -> Transfer {
    Transfer {
        number,
        key: format!("key-{number}"),
        kind: Kind::Move,
        request: Digest::of(format!("request {number}").as_bytes()),
        origin: None,
        first_leg,
        legs,
        expires_at: None,
        memo: format!("all about {number}"),
        created_at: NOW,
    }
}

/// A leg from one account to another; `before` are the legs that touched the two last.
pub fn leg(number: i64, transfer: i64, (debit, credit): (i64, i64), amount: i64, before: (i64, i64)) -> Leg {
    Leg {
        number,
        transfer,
        kind: Kind::Move,
        debit,
        credit,
        currency: currency("CNY"),
        amount,
        held: 0,
        origin: None,
        debit_before: before.0,
        credit_before: before.1,
    }
}

/// Stores accounts, all of them or none.
pub async fn open(db: &Db, accounts: &[Account]) -> Result<(), Error> {
    let accounts = accounts.to_vec();
    let unit = db.write(move |tx| {
        Box::pin(async move {
            for account in &accounts {
                ledger_accounts::insert(tx, account).await?;
            }
            Ok::<_, Error>(())
        })
    });
    unit.await
}

/// Stores transfers with their legs, all of them or none.
pub async fn enter(db: &Db, transfers: &[Transfer], legs: &[Leg]) -> Result<(), Error> {
    let (transfers, legs) = (transfers.to_vec(), legs.to_vec());
    let unit = db.write(move |tx| {
        Box::pin(async move {
            ledger_transfers::insert(tx, &transfers).await?;
            ledger_transfers::insert_legs(tx, &legs).await
        })
    });
    unit.await
}

/// The account with this number, which is there.
pub async fn found(db: &Db, number: i64) -> Account {
    ledger_accounts::find(&mut db.read().await.unwrap(), number).await.unwrap().unwrap()
}
