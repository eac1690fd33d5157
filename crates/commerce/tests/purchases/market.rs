//! A hub's books, two merchants, and somebody who buys.

use std::sync::Arc;
use std::time::Duration;

use kontor_commerce::{Checkout, Commerce, Error, Mandate, Mode, NewCheckout, NewLine, Parts, Terms};
use kontor_crypto::{KeyRecord, Purpose, SigningKey};
use kontor_db::runs::{self, Executed, NewRun, RunState};
use kontor_db::skills::{self, Facts, NewSkill};
pub use kontor_db::testing::On;
use kontor_db::{Db, Options, persons, publishers};
use kontor_ledger::Ledger;
use kontor_merchants::{Catalogue, Merchant, Running};
use kontor_outbound::{Outbound, Policy};
use kontor_translog::{Log, Options as LogOptions};
use kontor_types::{
    CheckoutId, Clock as _, Digest, Handle, JobId, MandateId, ManualClock, Money, PersonId, PublisherId, PublisherKind,
    RunId, SkillId, Slug, Timestamp, VersionId, Visibility,
};
use serde_json::json;

pub const HUB: &str = "hub.test";
pub const START: Timestamp = Timestamp::from_micros(1_763_800_000_000_000);

pub struct Market {
    pub commerce: Commerce,
    pub clock: Arc<ManualClock>,
    pub tea: Running,
    pub corner: Running,
    pub ada: PersonId,
    pub bob: PersonId,
    pub key: SigningKey,
    pub receipts: kontor_crypto::VerifyingKey,
    pub db: Db,
    address: String,
    folder: tempfile::TempDir,
}

pub fn yuan(minor: i64) -> Money {
    Money { currency: "CNY".parse().unwrap(), minor }
}

pub fn handle(text: &str) -> Handle {
    text.parse().unwrap()
}

fn hub(db: &Db, clock: &Arc<ManualClock>, folder: &std::path::Path) -> Commerce {
    let allow = Policy { user_agent: "test".to_owned(), ..Policy::unrestricted() };
    Commerce::new(Parts {
        db: db.clone(),
        ledger: Ledger::start(db.clone(), clock.clone()),
        outbound: Outbound::new(allow).unwrap(),
        clock: clock.clone(),
        log: Log::new(db.clone(), clock.clone(), LogOptions::new(folder.join("log"), "test")),
        key: SigningKey::from_secret(Purpose::Receipt, &[7; 32]),
        hub: HUB.to_owned(),
    })
}

impl Market {
    /// Ada has ¥100, Bob nothing; both merchants are known, and Ada's key.
    pub async fn open(on: On) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let address = on.address(folder.path()).await.unwrap()?;
        let db = Db::open(&Options::url(address.as_str())).await.unwrap();
        let clock = Arc::new(ManualClock::starting_at(START));
        let commerce = hub(&db, &clock, folder.path());
        let cny = "CNY".parse().unwrap();
        let open = |catalogue, secret: u8| {
            let key = SigningKey::from_secret(Purpose::Merchant, &[secret; 32]);
            Merchant::start(catalogue, key, "127.0.0.1:0".parse().unwrap(), clock.clone())
        };
        let tea = open(Catalogue::tea_house(cny), 1).await.unwrap();
        let corner = open(Catalogue::corner_shop(cny), 2).await.unwrap();
        let (ada, bob) = (person(&db, "ada").await, person(&db, "bob").await);
        for (slug, url) in [("tea-house", tea.url()), ("corner-shop", corner.url())] {
            let slug: Slug = slug.parse().unwrap();
            commerce.add_merchant(None, &slug, &url, (1_500, 500)).await.unwrap();
        }
        commerce.top_up(ada, "first", yuan(10_000)).await.unwrap();
        let key = SigningKey::from_secret(Purpose::Mandate, &[3; 32]);
        let market = Self {
            receipts: SigningKey::from_secret(Purpose::Receipt, &[7; 32]).verifying_key(),
            commerce,
            clock,
            tea,
            corner,
            ada,
            bob,
            key,
            db,
            address,
            folder,
        };
        market.register(&market.key, "ada", ada).await.unwrap();
        Some(market)
    }

    /// The same hub after it was started again.
    pub async fn restarted(&self) -> Commerce {
        let postgres = self.address.starts_with("postgres");
        let db = if postgres { Db::open(&Options::url(self.address.as_str())).await.unwrap() } else { self.db.clone() };
        hub(&db, &self.clock, self.folder.path())
    }

    pub async fn register(
        &self,
        key: &SigningKey,
        name: &str,
        id: PersonId,
    ) -> Result<kontor_commerce::MandateKey, Error> {
        let record = KeyRecord {
            id: key.id(),
            purpose: Purpose::Mandate,
            public_key: Some(key.verifying_key()),
            created_at: START,
            retired_at: None,
            revoked: None,
            endorsement: None,
        };
        self.commerce.register_key(id, &record, &key.claim(&handle(name), START)).await
    }

    pub fn order(item: &str, quantity: i64) -> NewCheckout {
        NewCheckout {
            merchant: "tea-house".to_owned(),
            lines: vec![NewLine { item: item.to_owned(), quantity }],
            coupon: None,
            deliver_to: "the office".to_owned(),
            runs: Vec::new(),
            most: None,
        }
    }

    /// A quote for one classic milk tea: 15.00 and 4.00 for bringing it.
    pub async fn quoted(&self, key: &str) -> Checkout {
        self.commerce.quote(self.ada, key, Self::order("classic-milk-tea", 1)).await.unwrap()
    }

    pub fn terms(&self) -> Terms {
        let now = self.clock.now();
        Terms {
            id: MandateId::new(now),
            hub: HUB.to_owned(),
            person: handle("ada"),
            mode: Mode::Delegated,
            total: yuan(8_000),
            each: None,
            merchants: Vec::new(),
            categories: Vec::new(),
            not_before: now,
            until: now.after(Duration::from_hours(24)),
            count: 10,
            quote: None,
            signed_at: now,
        }
    }

    pub async fn accept(&self, terms: &Terms) -> Result<Mandate, Error> {
        let envelope = terms.sign(&self.key).unwrap().to_json();
        self.commerce.accept_mandate(self.ada, &handle("ada"), &envelope).await
    }

    /// A mandate over ¥80 for ten purchases anywhere.
    pub async fn mandate(&self) -> MandateId {
        self.accept(&self.terms()).await.unwrap().terms.id
    }

    /// A run of a skill of Acme's that somebody asked for and that ended so.
    pub async fn ran(&self, person: PersonId, end: RunState) -> RunId {
        let (now, id) = (self.clock.now(), RunId::new(START));
        let written = self.db.write(move |tx| {
            Box::pin(async move {
                let acme = publishers::by_handle(tx, &handle("acme")).await?.unwrap().id;
                let skill = NewSkill {
                    id: SkillId::new(now),
                    publisher_id: acme,
                    slug: format!("advisor-{id}").parse().unwrap(),
                    look: id.to_string(),
                    visibility: Visibility::Public,
                    facts: Facts {
                        display_name: "Advisor".to_owned(),
                        description: "Compares offers.".to_owned(),
                        description_derived: false,
                        license: None,
                        categories: Vec::new(),
                        keywords: Vec::new(),
                        spec_valid: true,
                    },
                    latest: None,
                    now,
                };
                skills::insert(tx, &skill).await?;
                let run = NewRun {
                    id,
                    publisher_id: acme,
                    person_id: person,
                    skill: "@acme/advisor@1.0.0".to_owned(),
                    skill_id: skill.id,
                    version_id: VersionId::new(now),
                    digest: Digest::of(b"advisor"),
                    entry: "compare".to_owned(),
                    asked: json!({}),
                    job_id: JobId::new(now),
                    retry_of: None,
                    now,
                };
                runs::insert(tx, &run).await?;
                runs::begin(tx, id, "worker").await?;
                runs::prepared(tx, id, 1, &json!({})).await?;
                let came = Executed { result: json!({}), receipt: b"signed".to_vec(), salts: json!({}) };
                runs::executed(tx, id, 1, &came).await?;
                runs::end(tx, id, Some(1), end, None, (now, now)).await?;
                Ok::<_, kontor_db::Error>(())
            })
        });
        written.await.unwrap();
        id
    }

    /// What is in Ada's purse and what of it is free.
    pub async fn purse(&self) -> (i64, i64) {
        let purse = self.commerce.purse(self.ada).await.unwrap();
        let [one] = purse.as_slice() else { panic!("{purse:?}") };
        (one.balance.minor, one.free.minor)
    }

    /// What is left of a mandate, what of it is held, and how often it was used.
    pub async fn left(&self, id: MandateId) -> (i64, i64, u32) {
        let mandate = self.commerce.mandate(self.ada, id).await.unwrap();
        (mandate.left.minor, mandate.held.minor, mandate.used)
    }

    pub async fn state(&self, id: CheckoutId) -> String {
        self.commerce.checkout(self.ada, id).await.unwrap().state.to_string()
    }

    /// The books are in order, and accounts of this kind have this much together.
    pub async fn clean(&self) {
        let ledger = Ledger::start(self.db.clone(), self.clock.clone());
        let findings = ledger.check().await.unwrap();
        assert!(findings.are_clean(), "{findings:?}");
    }

    pub async fn balance(&self, kind: &str, owner: &str) -> i64 {
        let ledger = Ledger::start(self.db.clone(), self.clock.clone());
        let accounts = ledger.accounts_of(&[(kind.to_owned(), owner.to_owned())], 0, 100).await.unwrap();
        accounts.iter().map(kontor_ledger::Account::balance).sum()
    }
}

pub fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>) -> &'static str {
    match outcome {
        Err(Error::Refused(refusal)) => refusal.code(),
        other => panic!("{other:?}"),
    }
}

pub async fn person(db: &Db, name: &str) -> PersonId {
    let (id, handle) = (PersonId::new(START), handle(name));
    let acme = name == "ada";
    db.write(move |tx| {
        Box::pin(async move {
            let person = persons::Person {
                id,
                handle: handle.clone(),
                display_name: handle.to_string(),
                administrator: false,
                created_at: START,
                disabled_at: None,
            };
            persons::insert(tx, &person).await?;
            if acme {
                let publisher = publishers::Publisher {
                    id: PublisherId::new(START),
                    handle: "acme".parse().unwrap(),
                    kind: PublisherKind::Organisation,
                    display_name: "Acme".to_owned(),
                    require_signature: false,
                    created_at: START,
                };
                publishers::insert(tx, &publisher).await?;
            }
            Ok::<_, kontor_db::Error>(())
        })
    })
    .await
    .unwrap();
    id
}
