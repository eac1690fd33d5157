//! Ada, three accounts of hers, the rows of transfers between them, and what she buys with.

use kontor_db::ledger_accounts::{self, Account, Closing, Side};
use kontor_db::ledger_transfers::{self, Kind, Leg, Transfer};
use kontor_db::mandates::{self, MandateKey, NewMandate};
use kontor_db::merchants::Merchant;
use kontor_db::persons::{self, Person};
use kontor_db::{Db, Error};
use kontor_types::{Currency, Digest, MandateId, PersonId, Timestamp};

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

/// What one commit adds.
#[derive(Default)]
pub struct Added {
    pub accounts: Vec<Account>,
    pub closings: Vec<Closing>,
    pub transfers: Vec<Transfer>,
    pub legs: Vec<Leg>,
}

/// Makes a commit, all of it or nothing.
pub async fn commit(db: &Db, added: Added) -> Result<(), Error> {
    let unit = db.write(move |tx| {
        Box::pin(async move {
            let mut counter = ledger_transfers::lock(tx).await?;
            counter.commits += 1;
            counter.digest = Digest::of(&counter.commits.to_be_bytes());
            counter.accounts = added.accounts.last().map_or(counter.accounts, |account| account.number);
            counter.closings = added.closings.last().map_or(counter.closings, |closing| closing.number);
            counter.transfers = added.transfers.last().map_or(counter.transfers, |transfer| transfer.number);
            counter.legs = added.legs.last().map_or(counter.legs, |leg| leg.number);
            ledger_transfers::begin(tx).await?;
            for account in &added.accounts {
                ledger_accounts::insert(tx, account).await?;
            }
            for closing in &added.closings {
                ledger_accounts::insert_closing(tx, closing).await?;
            }
            ledger_transfers::insert(tx, &added.transfers).await?;
            ledger_transfers::insert_legs(tx, &added.legs).await?;
            ledger_transfers::seal(tx, &counter).await
        })
    });
    unit.await
}

/// Stores accounts, all of them or none.
pub async fn open(db: &Db, accounts: &[Account]) -> Result<(), Error> {
    commit(db, Added { accounts: accounts.to_vec(), ..Added::default() }).await
}

/// Stores transfers with their legs, all of them or none.
pub async fn enter(db: &Db, transfers: &[Transfer], legs: &[Leg]) -> Result<(), Error> {
    commit(db, Added { transfers: transfers.to_vec(), legs: legs.to_vec(), ..Added::default() }).await
}

/// The account with this number, which is there.
pub async fn found(db: &Db, number: i64) -> Account {
    ledger_accounts::find(&mut db.read().await.unwrap(), number).await.unwrap().unwrap()
}

/// Ada, who buys.
pub async fn ada(db: &Db) -> PersonId {
    let id = PersonId::new(NOW);
    let ada = Person {
        id,
        handle: "ada".parse().unwrap(),
        display_name: "Ada".to_owned(),
        administrator: false,
        created_at: NOW,
        disabled_at: None,
    };
    db.write(move |tx| Box::pin(async move { persons::insert(tx, &ada).await })).await.unwrap();
    id
}

/// A merchant that sells tea.
pub fn tea_house() -> Merchant {
    Merchant {
        slug: "tea-house".to_owned(),
        known_as: "teahouse.example".to_owned(),
        name: "Tea House".to_owned(),
        url: "https://teahouse.example".to_owned(),
        endpoint: "https://teahouse.example/ucp".to_owned(),
        public_key: "key of the tea house".to_owned(),
        platform_share: 1_500,
        author_share: 500,
        added_at: NOW,
        removed_at: None,
    }
}

/// A key of Ada's and a mandate for two purchases that it signed; the shop's account stands for its limit.
pub async fn mandate(db: &Db, person: PersonId) -> NewMandate {
    let key = MandateKey {
        person_id: person,
        key_id: "first".to_owned(),
        public_key: "public half".to_owned(),
        registered_at: NOW,
        retired_at: None,
    };
    let new = NewMandate {
        id: MandateId::new(NOW),
        person_id: person,
        key_id: key.key_id.clone(),
        envelope: b"signed".to_vec(),
        account: SHOP,
        most: 2,
        now: later(1),
    };
    let kept = new.clone();
    db.write(move |tx| {
        Box::pin(async move {
            mandates::add_key(tx, &key).await?;
            mandates::insert(tx, &kept).await
        })
    })
    .await
    .unwrap();
    new
}
