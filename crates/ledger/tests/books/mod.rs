//! Books of their own for every test.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]
#![cfg_attr(test, expect(dead_code, reason = "not every test uses all of it"))]

use std::sync::Arc;
use std::time::Duration;

pub use kontor_db::testing::On;
use kontor_db::{Db, Options};
use kontor_ledger::{Error, Key, Ledger, Leg, NewAccount, Order, Recorded, Request, Side};
use kontor_types::{Clock as _, ManualClock, Money, Timestamp};

pub const START: Timestamp = Timestamp::from_micros(1_763_800_000_000_000);

pub struct Books {
    pub ledger: Ledger,
    pub clock: Arc<ManualClock>,
    pub address: String,
    db: Db,
    _folder: tempfile::TempDir,
}

pub fn money(minor: i64) -> Money {
    Money { currency: "CNY".parse().unwrap(), minor }
}

pub fn leg(debit: i64, credit: i64, minor: i64) -> Leg {
    Leg { debit, credit, amount: money(minor) }
}

pub fn new_account(code: &str, currency: &str, side: Side, guarded: bool) -> NewAccount {
    NewAccount {
        owner_kind: "test".to_owned(),
        owner: "ada".to_owned(),
        code: code.to_owned(),
        currency: currency.parse().unwrap(),
        side,
        guarded,
    }
}

impl Books {
    pub async fn open(on: On) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let address = on.address(folder.path()).await.unwrap()?;
        let db = Db::open(&Options::url(address.as_str())).await.unwrap();
        let clock = Arc::new(ManualClock::starting_at(START));
        Some(Self { ledger: Ledger::start(db.clone(), clock.clone()), clock, address, db, _folder: folder })
    }

    /// Books in the same database as another process would have them; SQLite has one process.
    pub async fn another(&self) -> Ledger {
        let postgres = self.address.starts_with("postgres");
        let db = if postgres { Db::open(&Options::url(self.address.as_str())).await.unwrap() } else { self.db.clone() };
        Ledger::start(db, self.clock.clone())
    }

    pub const fn db(&self) -> &Db {
        &self.db
    }

    pub async fn account(&self, code: &str, currency: &str, side: Side, guarded: bool) -> i64 {
        self.ledger.open(new_account(code, currency, side, guarded)).await.unwrap().number
    }

    /// A bank, a guarded purse with 100.00 from it, and an empty shop.
    pub async fn usual(&self) -> [i64; 3] {
        let bank = self.account("bank", "CNY", Side::Debit, false).await;
        let ada = self.account("purse", "CNY", Side::Credit, true).await;
        let shop = self.account("shop", "CNY", Side::Credit, false).await;
        self.pay("usual", bank, ada, 10_000).await.unwrap();
        [bank, ada, shop]
    }

    pub async fn order(&self, key: &str, order: Order) -> Result<Recorded, Error> {
        self.ledger.transfer(Request::new(Key::new("test", key).unwrap(), order)).await
    }

    pub async fn pay(&self, key: &str, debit: i64, credit: i64, amount: i64) -> Result<Recorded, Error> {
        self.order(key, Order::Move(vec![leg(debit, credit, amount)])).await
    }

    pub async fn reserve(
        &self,
        key: &str,
        debit: i64,
        credit: i64,
        amount: i64,
        after: Option<Duration>,
    ) -> Result<Recorded, Error> {
        let expires_at = after.map(|duration| self.clock.now().after(duration));
        self.order(key, Order::Reserve { legs: vec![leg(debit, credit, amount)], expires_at }).await
    }

    pub async fn number(&self, key: &str) -> i64 {
        self.ledger.find(&Key::new("test", key).unwrap()).await.unwrap().unwrap().number
    }

    /// What is in the accounts, each counted on its own side.
    pub async fn balances(&self, accounts: &[i64]) -> Vec<i64> {
        let mut balances = Vec::new();
        for number in accounts {
            balances.push(self.ledger.account(*number).await.unwrap().unwrap().balance());
        }
        balances
    }

    pub async fn clean(&self) {
        let findings = self.ledger.check().await.unwrap();
        assert!(findings.are_clean(), "{findings:?}");
    }
}
