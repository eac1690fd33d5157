//! Gateways over a database of their own, and people who call them.

use std::sync::Arc;

use kontor_access::Caller;
use kontor_db::persons::{self, Person};
use kontor_db::publishers::{self, Publisher};
use kontor_db::testing::On;
use kontor_db::{Db, Options};
use kontor_gateway::{BudgetOwner, ChatRequest, Gateway, Model, Parts, Provider, Settings};
use kontor_ledger::Ledger;
use kontor_types::{
    Currency, Handle, ManualClock, Money, PersonId, PublisherId, PublisherKind, Role, Scope, Timestamp,
};

use crate::upstream::Upstream;

pub const START: Timestamp = Timestamp::from_micros(1_763_800_000_000_000);

pub struct World {
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub ledger: Ledger,
    address: String,
    _folder: tempfile::TempDir,
}

pub fn usd(minor: i64) -> Money {
    "USD".parse::<Currency>().unwrap().minor(minor)
}

/// A million dollars for a million tokens: one token is a dollar, so that sums can be read.
pub fn dear(name: &str) -> Model {
    Model::new(name).priced("USD", "0", "1000000")
}

pub fn provider(name: &str, upstream: &Upstream) -> Provider {
    Provider::new(name, &upstream.url())
}

pub fn settings(providers: Vec<Provider>) -> Settings {
    Settings { providers, routes: Vec::new() }
}

pub fn hello(model: &str) -> ChatRequest {
    ChatRequest::new(model).message("user", "hello")
}

impl World {
    pub async fn open(on: On) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let address = on.address(folder.path()).await.unwrap()?;
        let db = Db::open(&Options::url(address.as_str())).await.unwrap();
        let clock = Arc::new(ManualClock::starting_at(START));
        let ledger = Ledger::start(db.clone(), clock.clone());
        Some(Self { db, clock, ledger, address, _folder: folder })
    }

    pub fn gateway(&self, settings: Settings) -> Gateway {
        let (db, ledger, clock) = (self.db.clone(), self.ledger.clone(), self.clock.clone());
        Gateway::new(Parts { db, ledger, clock, vault: None, settings }).unwrap()
    }

    /// A gateway as another process would have it; SQLite has one process.
    pub async fn another(&self, settings: Settings) -> Gateway {
        let postgres = self.address.starts_with("postgres");
        let db = if postgres { Db::open(&Options::url(self.address.as_str())).await.unwrap() } else { self.db.clone() };
        let (ledger, clock) = (Ledger::start(db.clone(), self.clock.clone()), self.clock.clone());
        Gateway::new(Parts { db, ledger, clock, vault: None, settings }).unwrap()
    }

    pub async fn person(&self, handle: &str, memberships: Vec<(PublisherId, Role)>) -> Caller {
        let id = PersonId::new(START);
        let row = Person {
            id,
            handle: handle.parse().unwrap(),
            display_name: String::new(),
            administrator: false,
            created_at: START,
            disabled_at: None,
        };
        let inserted = row.clone();
        self.db.write(move |tx| Box::pin(async move { persons::insert(tx, &inserted).await })).await.unwrap();
        Caller::person((id, row.handle), false, memberships, Scope::ALL.to_vec(), None)
    }

    pub async fn publisher(&self, handle: &str) -> PublisherId {
        let id = PublisherId::new(START);
        let row = Publisher {
            id,
            handle: handle.parse().unwrap(),
            kind: PublisherKind::Organisation,
            display_name: String::new(),
            created_at: START,
            require_signature: false,
        };
        self.db.write(move |tx| Box::pin(async move { publishers::insert(tx, &row).await })).await.unwrap();
        id
    }
}

pub fn of(caller: &Caller) -> BudgetOwner {
    BudgetOwner::Person(caller.person.as_ref().unwrap().1.clone())
}

pub fn handle(text: &str) -> Handle {
    text.parse().unwrap()
}
