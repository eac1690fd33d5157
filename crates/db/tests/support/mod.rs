//! Both databases for every test: SQLite in a temporary folder, Postgres where `KONTOR_TEST_POSTGRES` names a server.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a broken test set-up should stop the test")]

use kontor_db::{Db, Options};

/// Which database a case wants.
#[derive(Debug, Clone, Copy)]
pub enum On {
    Sqlite,
    Postgres,
}

/// A fresh, migrated database that lives as long as the test.
pub struct TestDb {
    pub db: Db,
    _folder: tempfile::TempDir,
}

impl On {
    /// Opens it; `None` (said loudly) when there is no Postgres to test on.
    pub async fn open(self) -> Option<TestDb> {
        let folder = tempfile::tempdir().unwrap();
        let options = match self {
            Self::Sqlite => Options::sqlite(folder.path().join("test.db")),
            Self::Postgres => {
                let Ok(server) = std::env::var("KONTOR_TEST_POSTGRES") else {
                    eprintln!("SKIPPED on Postgres: KONTOR_TEST_POSTGRES is not set (cargo xtask test sets it)");
                    return None;
                };
                Options::url(kontor_db::testing::create_database(&server).await.unwrap())
            }
        };
        Some(TestDb { db: Db::open(&options).await.unwrap(), _folder: folder })
    }
}
