//! A hub on a database and a blob folder of its own: publishers `acme` (Ada owns it, Bob is a member) and `other` (Eve's).

#![expect(clippy::print_stderr, reason = "what is skipped must be said")]

use std::sync::Arc;
use std::time::Duration;

use kontor_access::Caller;
use kontor_blob::Blobs;
use kontor_crypto::{Keyring, Purpose};
use kontor_db::persons::Person;
use kontor_db::publishers::Publisher;
use kontor_db::{Db, Options, persons, publishers};
use kontor_outbound::{Outbound, Policy};
use kontor_package::{Content, Limits};
use kontor_registry::{Error, Import, Imported, Parts, Publish, Published, Registry};
use kontor_search::Index;
use kontor_translog::{Log, Notary};
use kontor_types::{
    Code, Handle, ManualClock, PersonId, PublisherId, PublisherKind, Role, Scope, SkillRef, Timestamp, Viewer,
};

pub const START: Timestamp = Timestamp::from_micros(1_763_800_000_000_000);

/// Which database a case wants.
#[derive(Debug, Clone, Copy)]
pub enum On {
    Sqlite,
    Postgres,
}

pub struct Hub {
    pub registry: Registry,
    pub db: Db,
    pub blobs: Blobs,
    pub clock: Arc<ManualClock>,
    pub search: Arc<Index>,
    pub acme: PublisherId,
    pub other: PublisherId,
    ada: PersonId,
    bob: PersonId,
    eve: PersonId,
    _folder: tempfile::TempDir,
}

impl Hub {
    /// `None` (said loudly) when there is no Postgres to test on.
    pub async fn new(on: On) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = match on {
            On::Sqlite => Options::sqlite(folder.path().join("test.db")),
            On::Postgres => {
                let Ok(server) = std::env::var("KONTOR_TEST_POSTGRES") else {
                    eprintln!("SKIPPED on Postgres: KONTOR_TEST_POSTGRES is not set (cargo xtask test sets it)");
                    return None;
                };
                Options::url(kontor_db::testing::create_database(&server).await.unwrap())
            }
        };
        let db = Db::open(&options).await.unwrap();
        let blobs = Blobs::open(&folder.path().join("blobs").display().to_string()).await.unwrap();
        let search = Arc::new(Index::in_memory().unwrap());
        let clock = Arc::new(ManualClock::starting_at(START));
        let registry = Registry::new(Parts {
            db: db.clone(),
            blobs: blobs.clone(),
            index: search.clone(),
            clock: clock.clone(),
            outbound: Outbound::new(Policy::default()).unwrap(),
            notary: notary(&db, folder.path(), clock.clone()),
            limits: Limits::default(),
        });
        let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| (PersonId::new(START), name));
        let [acme, other] = ["acme", "other"].map(|name| (PublisherId::new(START), name));
        let people = db.write::<(), kontor_db::Error, _>(move |tx| {
            Box::pin(async move {
                for (id, name) in [ada, bob, eve] {
                    persons::insert(tx, &person(id, name)).await?;
                }
                for (id, name) in [acme, other] {
                    publishers::insert(tx, &publisher(id, name)).await?;
                }
                Ok(())
            })
        });
        people.await.unwrap();
        let (ada, bob, eve, acme, other) = (ada.0, bob.0, eve.0, acme.0, other.0);
        Some(Self { registry, db, blobs, clock, search, acme, other, ada, bob, eve, _folder: folder })
    }

    /// Ada, who owns acme.
    pub fn ada(&self) -> Caller {
        Self::caller(self.ada, "ada", false, vec![(self.acme, Role::Owner)])
    }

    /// Ada with a token for this only.
    pub fn ada_with(&self, scopes: Vec<Scope>) -> Caller {
        Caller::person((self.ada, handle("ada")), false, vec![(self.acme, Role::Owner)], scopes, None)
    }

    /// Bob, who is only a member of acme.
    pub fn bob(&self) -> Caller {
        Self::caller(self.bob, "bob", false, vec![(self.acme, Role::Member)])
    }

    /// Eve, who owns other.
    pub fn eve(&self) -> Caller {
        Self::caller(self.eve, "eve", false, vec![(self.other, Role::Owner)])
    }

    /// Eve as an administrator of the hub.
    pub fn administrator(&self) -> Caller {
        Self::caller(self.eve, "eve", true, vec![])
    }

    fn caller(person: PersonId, name: &str, administrator: bool, roles: Vec<(PublisherId, Role)>) -> Caller {
        Caller::person((person, handle(name)), administrator, roles, Scope::ALL.to_vec(), None)
    }

    /// Publishes, and lets the hub scan and decide, as its work in the background would.
    pub async fn release(&self, caller: &Caller, request: Publish) -> Result<Published, Error> {
        let published = self.registry.publish(caller, request).await;
        self.decide().await;
        published
    }

    /// Imports, and lets the hub scan and decide.
    pub async fn bring(&self, caller: &Caller, request: Import) -> Result<Imported, Error> {
        let imported = self.registry.import(caller, request).await;
        self.decide().await;
        imported
    }

    /// Scans and decides everything that waits; says how many versions that were.
    pub async fn decide(&self) -> usize {
        self.registry.assess_waiting().await.unwrap()
    }

    /// Publishes for acme as Ada.
    pub async fn publish(&self, content: Content) -> Result<Published, Error> {
        self.release(&self.ada(), Publish::new(handle("acme"), content)).await
    }

    /// Publishes for other as Eve.
    pub async fn publish_other(&self, content: Content) -> Result<Published, Error> {
        self.release(&self.eve(), Publish::new(handle("other"), content)).await
    }

    /// The registry of another process over the same database and blobs.
    pub fn elsewhere(&self) -> Registry {
        self.elsewhere_with(&Arc::new(Index::in_memory().unwrap()))
    }

    /// The same with this search index, as after a new start.
    pub fn elsewhere_with(&self, index: &Arc<Index>) -> Registry {
        Registry::new(Parts {
            db: self.db.clone(),
            blobs: self.blobs.clone(),
            index: Arc::clone(index),
            clock: self.clock.clone(),
            outbound: Outbound::new(Policy::default()).unwrap(),
            notary: self.registry.log().clone(),
            limits: Limits::default(),
        })
    }

    /// Lets the search index catch up.
    pub async fn index(&self) {
        while self.registry.catch_up().await.unwrap() > 0 {}
    }

    /// How many skills the index itself finds.
    pub fn found_by_index(&self, words: &str, viewer: &Viewer) -> usize {
        self.search.search(&kontor_search::Query::new(words, viewer)).unwrap().items.len()
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// What `latest` points to for the viewer.
    pub async fn latest(&self, viewer: &Viewer, name: &str) -> String {
        match self.registry.version(viewer, &reference(name)).await {
            Ok(found) => found.version.number.to_string(),
            Err(error) => error.problem().code.to_string(),
        }
    }
}

fn person(id: PersonId, name: &str) -> Person {
    Person {
        id,
        handle: handle(name),
        display_name: name.to_owned(),
        administrator: false,
        created_at: START,
        disabled_at: None,
    }
}

fn publisher(id: PublisherId, name: &str) -> Publisher {
    Publisher {
        id,
        handle: handle(name),
        kind: PublisherKind::Organisation,
        display_name: name.to_owned(),
        created_at: START,
        require_signature: false,
    }
}

pub fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

pub fn reference(text: &str) -> SkillRef {
    text.parse().unwrap()
}

/// A skill of this name whose instructions are `text`.
pub fn skill(name: &str, text: &str) -> Content {
    files(&[("SKILL.md", &format!("---\nname: {name}\ndescription: What {name} does.\n---\n{text}\n"))])
}

/// A skill of this name with a version in its front matter.
pub fn numbered(name: &str, version: &str, text: &str) -> Content {
    let front = format!("name: {name}\ndescription: What {name} does.\nversion: {version}");
    files(&[("SKILL.md", &format!("---\n{front}\n---\n{text}\n"))])
}

pub fn files(files: &[(&str, &str)]) -> Content {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    Content::from_files(files, &Limits::default()).unwrap()
}

/// The stable name of what went wrong.
pub fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> Code {
    result.unwrap_err().problem().code
}

/// A hub that signs with fresh keys; nobody sequences its log.
fn notary(db: &Db, folder: &std::path::Path, clock: Arc<ManualClock>) -> Notary {
    let mut keys = Keyring::open(&folder.join("keys")).unwrap();
    keys.ensure(&[Purpose::Attestation, Purpose::Log], START).unwrap();
    let log = Log::new(db.clone(), clock, kontor_translog::Options::new(folder.join("log"), "test"));
    let key = keys.signing_key(Purpose::Attestation).unwrap();
    Notary::new(log, key, keys.history().clone(), "hub.example/log")
}
