//! A database with people, a clock that stands still, and a book of what steps did.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kontor_access::Caller;
pub use kontor_db::testing::On;
use kontor_db::{Db, Options, persons, publishers, testing};
use kontor_types::{
    Clock as _, Handle, ManualClock, PersonId, PublisherId, PublisherKind, Role, Scope, Timestamp, WorkflowId,
};
use kontor_workflow::{
    Attempt, Definition, Entry, EntryKind, Journal, Owner, Parts, Settings, Start, StepError, Stop, Workflow,
    Workflows, define,
};
use serde_json::{Value, json};

pub const START: Timestamp = Timestamp::from_micros(1_763_800_000_000_000);

pub struct Stage {
    pub flows: Workflows,
    pub clock: Arc<ManualClock>,
    pub db: Db,
    pub address: String,
    pub acme: PublisherId,
    pub people: BTreeMap<&'static str, PersonId>,
    /// How often each step was done, by name and key.
    pub book: Book,
    _folder: tempfile::TempDir,
}

/// What steps did outside.
#[derive(Clone, Default)]
pub struct Book(Arc<Mutex<Vec<(String, String)>>>);

impl Book {
    pub fn write(&self, name: &str, attempt: &Attempt) {
        self.0.lock().unwrap().push((name.to_owned(), attempt.key.clone()));
    }

    pub fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(name, _)| name.clone()).collect()
    }

    pub fn keys(&self, name: &str) -> Vec<String> {
        self.0.lock().unwrap().iter().filter(|(of, _)| of == name).map(|(_, key)| key.clone()).collect()
    }
}

impl Stage {
    pub async fn set(on: On) -> Option<Self> {
        Self::with(on, |_| {}).await
    }

    pub async fn with(on: On, change: impl FnOnce(&mut Settings)) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let address = on.address(folder.path()).await.unwrap()?;
        let db = Db::open(&Options::url(address.as_str())).await.unwrap();
        let clock = Arc::new(ManualClock::starting_at(START));
        let mut settings = Settings::default();
        change(&mut settings);
        let flows = open(&db, &clock, settings);
        let acme = publisher(&db).await;
        let mut people = BTreeMap::new();
        for name in ["mia", "sam", "eve", "root"] {
            people.insert(name, person(&db, name).await);
        }
        let table = "create table effect (name text not null, workflow text not null)";
        db.write(move |tx| Box::pin(async move { testing::run(tx, table.to_owned()).await })).await.unwrap();
        Some(Self { flows, clock, db, address, acme, people, book: Book::default(), _folder: folder })
    }

    /// Workflows on the same database as another process would have them; SQLite has one process.
    pub async fn another(&self) -> Workflows {
        let postgres = self.address.starts_with("postgres");
        let db = if postgres { Db::open(&Options::url(self.address.as_str())).await.unwrap() } else { self.db.clone() };
        open(&db, &self.clock, Settings::default())
    }

    pub fn define<D: Definition>(&self, definition: D) {
        self.flows.define(definition);
    }

    /// A definition whose steps write their names into the book, one after the other.
    pub fn steps(&self, names: &'static [&'static str]) -> impl Definition + use<> {
        let book = self.book.clone();
        define("steps", 1, move |journal: Journal, input: Value| {
            let book = book.clone();
            async move {
                for name in names {
                    noted(&journal, &book, name).await?;
                }
                Ok(input)
            }
        })
    }

    pub fn owner(&self) -> Owner {
        Owner { person: self.people["mia"], publisher: Some(self.acme) }
    }

    pub fn asked(&self, kind: &str, key: &str) -> Start {
        let (key, kind) = (key.to_owned(), kind.to_owned());
        Start { key, kind, owner: self.owner(), title: "a test".to_owned(), input: json!({ "a": 1 }) }
    }

    pub async fn start(&self, kind: &str) -> WorkflowId {
        self.flows.start(self.asked(kind, "key")).await.unwrap().id
    }

    /// Mia owns, Sam is an admin of the publisher, Eve is nobody in particular, Root administers the hub.
    pub fn caller(&self, name: &str) -> Caller {
        let memberships = if name == "sam" { vec![(self.acme, Role::Admin)] } else { Vec::new() };
        let who = (self.people[name], Handle::parse(name).unwrap());
        Caller::person(who, name == "root", memberships, Scope::ALL.to_vec(), None)
    }

    pub fn mia(&self) -> Caller {
        self.caller("mia")
    }

    pub async fn work(&self) -> usize {
        self.flows.run_due().await.unwrap()
    }

    /// Lets so much time pass that leases end and what failed is tried again.
    pub fn pass(&self) {
        self.clock.advance(Duration::from_mins(10));
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub async fn show(&self, id: WorkflowId) -> Workflow {
        self.flows.show(&self.mia(), id).await.unwrap()
    }

    pub async fn entries(&self, id: WorkflowId) -> Vec<Entry> {
        let entries = self.flows.entries(&self.mia(), id, 0, 10_000).await.unwrap();
        let shown = self.show(id).await;
        assert_eq!(kontor_workflow::verify(id, &entries), Ok(shown.head), "the chain holds");
        entries
    }

    pub async fn kinds(&self, id: WorkflowId) -> Vec<EntryKind> {
        self.entries(id).await.into_iter().map(|entry| entry.kind).collect()
    }

    /// The names under which steps have left effects in the database.
    pub async fn effects(&self) -> Vec<String> {
        let mut conn = self.db.read().await.unwrap();
        testing::texts(&mut conn, "select name from effect order by name".to_owned()).await.unwrap()
    }
}

fn open(db: &Db, clock: &Arc<ManualClock>, settings: Settings) -> Workflows {
    Workflows::new(Parts { db: db.clone(), clock: clock.clone(), settings, worker: "test".to_owned() })
}

pub async fn person(db: &Db, name: &str) -> PersonId {
    let row = persons::Person {
        id: PersonId::new(START),
        handle: Handle::parse(name).unwrap(),
        display_name: name.to_owned(),
        administrator: false,
        created_at: START,
        disabled_at: None,
    };
    let id = row.id;
    db.write(move |tx| Box::pin(async move { persons::insert(tx, &row).await })).await.unwrap();
    id
}

async fn publisher(db: &Db) -> PublisherId {
    let row = publishers::Publisher {
        id: PublisherId::new(START),
        handle: Handle::parse("acme").unwrap(),
        kind: PublisherKind::Organisation,
        display_name: "Acme".to_owned(),
        created_at: START,
        require_signature: false,
    };
    let id = row.id;
    db.write(move |tx| Box::pin(async move { publishers::insert(tx, &row).await })).await.unwrap();
    id
}

/// A step that writes its name into the book.
pub async fn noted(journal: &Journal, book: &Book, name: &str) -> Result<String, Stop> {
    let book = book.clone();
    let named = name.to_owned();
    journal
        .step(name, &named.clone(), move |attempt| {
            let (book, name) = (book.clone(), named.clone());
            async move {
                book.write(&name, &attempt);
                Ok::<_, StepError>(format!("{name} done"))
            }
        })
        .await
}

/// A step that leaves an effect in the database, in its own transaction.
pub async fn effect(journal: &Journal, name: &'static str) -> Result<(), Stop> {
    let id = journal.workflow();
    journal
        .step_in_tx(name, &name, move |tx, _| {
            Box::pin(async move {
                testing::run(tx, format!("insert into effect (name, workflow) values ('{name}', '{id}')")).await?;
                Ok::<_, StepError>(())
            })
        })
        .await
}

/// Registers that something is to be taken back, and does it as a step.
pub async fn reversible(journal: &Journal, book: &Book, name: &str) -> Result<String, Stop> {
    let (undoing, undo) = (book.clone(), format!("undo {name}"));
    let named = undo.clone();
    journal.undo(&undo, &name, move |attempt| {
        let (book, name) = (undoing.clone(), named.clone());
        async move {
            book.write(&name, &attempt);
            Ok(())
        }
    });
    noted(journal, book, name).await
}
