//! Every query of a request finds its rows by an index: what the databases themselves say of the statements that the
//! modules make.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod asked;
mod explain;
mod heard;
mod stocked;

use kontor_db::{Backend, Db, Options};
use rstest::rstest;
use tokio::sync::Mutex;

/// What is heard is heard from the whole process, so the cases take turns.
static TURN: Mutex<()> = Mutex::const_new(());

#[rstest]
#[tokio::test]
async fn requests_find_their_rows_by_an_index(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let options = match (backend, std::env::var("KONTOR_TEST_POSTGRES")) {
        (Backend::Sqlite, _) => Options::sqlite(folder.path().join("test.db")),
        (Backend::Postgres, Ok(server)) => Options::url(kontor_db::testing::create_database(&server).await.unwrap()),
        (Backend::Postgres, Err(_)) => {
            use std::io::Write as _;
            writeln!(std::io::stderr(), "SKIPPED on Postgres: KONTOR_TEST_POSTGRES is not set").unwrap();
            return;
        }
    };
    let db = Db::open(&options).await.unwrap();
    let stock = stocked::fill(&db).await;
    heard::begin();
    asked::everything(&db, &stock).await;
    let statements = heard::end();
    assert!(statements.len() > 60, "only {} statements were heard: {statements:#?}", statements.len());
    let scans = match backend {
        Backend::Sqlite => explain::on_sqlite(&options.url, &statements).await,
        Backend::Postgres => explain::on_postgres(&options.url, &statements).await,
    };
    assert!(scans.is_empty(), "these look at every row of a table:\n{}", scans.join("\n"));
}
