//! A small hub: publishers `acme` and `other`, the persons Ada, Bob and Eve, and runs that one of them asked for.

use kontor_db::persons::Person;
use kontor_db::publishers::Publisher;
use kontor_db::runs::{NewRun, Run};
use kontor_db::{Conn, Db, persons, publishers, runs};
use kontor_types::{Digest, Handle, JobId, PersonId, PublisherId, PublisherKind, RunId, SkillId, Timestamp, VersionId};
use serde_json::json;

use crate::support::{On, TestDb};

pub const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

/// Runs a unit of writing that must succeed.
macro_rules! write {
    ($db:expr, |$tx:ident| $unit:expr) => {
        $db.write(move |$tx| Box::pin(async move { $unit.await })).await.unwrap()
    };
}

pub struct World {
    test: TestDb,
    pub acme: PublisherId,
    pub other: PublisherId,
    pub ada: PersonId,
    pub bob: PersonId,
    pub eve: PersonId,
}

pub fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

pub fn later(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.micros() + seconds * 1_000_000)
}

impl World {
    pub async fn new(on: On) -> Option<Self> {
        let test = on.open().await?;
        let (ada, bob, eve) = (PersonId::new(NOW), PersonId::new(NOW), PersonId::new(NOW));
        for (id, name) in [(ada, "ada"), (bob, "bob"), (eve, "eve")] {
            let person = Person {
                id,
                handle: handle(name),
                display_name: name.to_owned(),
                administrator: false,
                created_at: NOW,
                disabled_at: None,
            };
            write!(test.db, |tx| persons::insert(tx, &person));
        }
        let (acme, other) = (PublisherId::new(NOW), PublisherId::new(NOW));
        for (id, name) in [(acme, "acme"), (other, "other")] {
            let publisher = Publisher {
                id,
                handle: handle(name),
                kind: PublisherKind::Organisation,
                display_name: name.to_owned(),
                created_at: NOW,
                require_signature: false,
            };
            write!(test.db, |tx| publishers::insert(tx, &publisher));
        }
        Some(Self { test, acme, other, ada, bob, eve })
    }

    pub fn db(&self) -> &Db {
        &self.test.db
    }

    pub async fn conn(&self) -> Conn {
        self.test.db.read().await.unwrap()
    }

    /// A run that waits for a worker; no job stands behind it.
    pub async fn run(&self, person: PersonId, publisher: PublisherId, now: Timestamp) -> RunId {
        let run = a_run(person, publisher, now);
        let id = run.id;
        write!(self.db(), |tx| runs::insert(tx, &run));
        id
    }

    /// The run as it stands now.
    pub async fn shown(&self, id: RunId) -> Run {
        runs::by_id(&mut self.conn().await, id).await.unwrap().unwrap()
    }
}

pub fn a_run(person: PersonId, publisher: PublisherId, now: Timestamp) -> NewRun {
    NewRun {
        id: RunId::new(now),
        publisher_id: publisher,
        person_id: person,
        skill: "@acme/pdf@1.0.0".to_owned(),
        skill_id: SkillId::new(now),
        version_id: VersionId::new(now),
        digest: Digest::of(b"pdf"),
        entry: "extract".to_owned(),
        asked: json!({"input": {"pages": [1, "二"]}, "limit": null}),
        job_id: JobId::new(now),
        retry_of: None,
        now,
    }
}
