//! Bells: heard once the ringing transaction is committed, where processes share a database.

use kontor_db::bell;
use rstest::rstest;

use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_bell_is_heard_by_whoever_listens(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let heard = test.db.bell("tests").await.unwrap();
    test.db.write(|tx| Box::pin(async move { bell::ring(tx, "tests").await })).await.unwrap();
    match (on, heard) {
        (On::Sqlite, heard) => assert!(heard.is_none(), "one process has the file"),
        (On::Postgres, heard) => heard.unwrap().rung().await.unwrap(),
    }
}
