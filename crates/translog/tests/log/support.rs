//! A log in a temporary folder, on either database.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a broken test set-up should stop the test")]

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kontor_crypto::{Keyring, NoteVerifier, PrivateFolder, Purpose, SigningKey, Statement, Subject};
use kontor_db::{Db, Options as DbOptions};
use kontor_translog::{Entry, Error, Log, Options, Placed, Sequencer, Signer, Tiles};
use kontor_types::{Digest, LogEntryId, SystemClock, Timestamp};
use serde_json::json;
use tempfile::TempDir;

pub const ORIGIN: &str = "skills.example.com/log";
pub const NOW: Timestamp = Timestamp::from_micros(1_763_800_000_000_000);

/// Which database a case wants.
#[derive(Debug, Clone, Copy)]
pub enum On {
    Sqlite,
    Postgres,
}

pub struct World {
    pub folder: TempDir,
    pub db: Db,
    pub log: Log,
}

impl On {
    /// A fresh log; `None` (said loudly) when there is no Postgres to test on.
    pub async fn world(self) -> Option<World> {
        let folder = TempDir::new().unwrap();
        let options = match self {
            Self::Sqlite => DbOptions::sqlite(folder.path().join("test.db")),
            Self::Postgres => {
                let Ok(server) = std::env::var("KONTOR_TEST_POSTGRES") else {
                    eprintln!("SKIPPED on Postgres: KONTOR_TEST_POSTGRES is not set (cargo xtask test sets it)");
                    return None;
                };
                DbOptions::url(kontor_db::testing::create_database(&server).await.unwrap())
            }
        };
        let db = Db::open(&options).await.unwrap();
        let log = open_log(db.clone(), folder.path(), "one");
        log.begin(ORIGIN).await.unwrap();
        Some(World { folder, db, log })
    }
}

/// A process that calls itself `holder`.
pub fn open_log(db: Db, folder: &Path, holder: &str) -> Log {
    Log::new(db, Arc::new(SystemClock), Options::new(folder.join("tiles"), holder))
}

pub fn keyring(folder: &Path) -> Keyring {
    let mut keys = Keyring::open(&folder.join("keys")).unwrap();
    keys.ensure(&[Purpose::Log, Purpose::Attestation], NOW).unwrap();
    keys
}

pub fn signer(folder: &Path, origin: &str) -> Signer {
    let key = keyring(folder).signing_key(Purpose::Log).unwrap();
    Signer::new(PrivateFolder::open(&folder.join("keys")).unwrap(), origin, key).unwrap()
}

impl World {
    pub async fn sequencer(&self) -> Result<Sequencer, Error> {
        Sequencer::new(self.log.clone(), signer(self.folder.path(), ORIGIN), Vec::new()).await
    }

    pub fn attester(&self) -> SigningKey {
        keyring(self.folder.path()).signing_key(Purpose::Attestation).unwrap()
    }

    pub fn known(&self) -> Vec<NoteVerifier> {
        vec![signer(self.folder.path(), ORIGIN).verifier().clone()]
    }

    pub fn tiles(&self) -> Tiles {
        self.log.tiles(1)
    }

    /// Puts entries into the published log, in rounds of their own.
    pub async fn fill(&self, rounds: &[u64]) -> Vec<Placed> {
        let mut sequencer = self.sequencer().await.unwrap();
        let mut placed = Vec::new();
        for count in rounds {
            let first = placed.len() as u64;
            let ids = self.hand_in_many(first..first + count).await;
            let mut added = 0;
            while let Some(round) = sequencer.round().await.unwrap() {
                added += round.added;
            }
            assert_eq!(added, *count);
            placed.extend(ids.into_iter().zip(first..).map(|(id, place)| Placed { id, place }));
        }
        placed
    }

    pub async fn hand_in(&self, number: u64) -> LogEntryId {
        self.hand_in_many(number..number + 1).await[0]
    }

    /// Hands entries in together, so that the disk is waited for once.
    pub async fn hand_in_many(&self, numbers: Range<u64>) -> Vec<LogEntryId> {
        let key = self.attester();
        let entries: Vec<_> = numbers.map(|number| entry(number, &key)).collect();
        let handed_in = self.db.write(move |tx| {
            Box::pin(async move {
                let mut ids = Vec::new();
                for entry in entries {
                    ids.push(Log::enqueue(tx, entry, NOW).await?);
                }
                Ok::<_, kontor_db::Error>(ids)
            })
        });
        handed_in.await.unwrap()
    }

    /// A copy of the published log, to be tampered with.
    pub fn copy(&self) -> TempDir {
        let copy = TempDir::new().unwrap();
        copy_folder(self.tiles().folder(), copy.path());
        copy
    }
}

pub fn version(number: u64) -> Digest {
    Digest::of(format!("version {number}").as_bytes())
}

/// A statement about a private skill, whose name must never be public.
pub fn entry(number: u64, key: &SigningKey) -> Entry {
    let subject = Subject::new(format!("@secret-agency/skill-{number}@1.0.0"), &version(number));
    let statement = Statement::new(vec![subject], "https://example.com/scan/v1", json!({"verdict": "clean"}));
    Entry {
        kind: "scan".to_owned(),
        subject: Some(version(number)),
        version: None,
        statement: statement.sign(&[key]).to_json(),
    }
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copy_folder(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(path, target).unwrap();
    }
}
