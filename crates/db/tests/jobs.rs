//! The rows of the durable queue, on both databases; `crates/jobs` holds the workers to their promises.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod support;

use kontor_db::Db;
use kontor_db::jobs::{self, Claimed, Counts, NewJob};
use kontor_types::Timestamp;
use rstest::rstest;
use support::On;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn job(key: Option<&str>, run_at: Timestamp) -> NewJob {
    NewJob {
        kind: "index".to_owned(),
        key: key.map(str::to_owned),
        payload: serde_json::json!({ "version": 7 }),
        run_at,
        max_attempts: 3,
    }
}

async fn claim(db: &Db, now: Timestamp, until: Timestamp) -> Option<Claimed> {
    db.write(move |tx| Box::pin(async move { jobs::claim(tx, &["index"], "worker", now, until).await })).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn a_job_is_claimed_once_and_only_by_its_attempt(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let db = &test.db;
    let queue = |key| db.write(move |tx| Box::pin(async move { jobs::enqueue(tx, &job(key, at(10)), at(1)).await }));
    let id = queue(Some("one")).await.unwrap().unwrap();
    assert_eq!(queue(Some("one")).await.unwrap(), None, "a job of this key waits");
    assert_eq!(claim(db, at(9), at(19)).await, None, "it is not due");
    let first = claim(db, at(10), at(20)).await.unwrap();
    assert_eq!((first.id, first.payload["version"].as_i64()), (id, Some(7)));
    assert_eq!(claim(db, at(11), at(21)).await, None, "another worker holds it");
    let second = claim(db, at(20), at(30)).await.unwrap();
    let stale = first.clone();
    let late = db.write(move |tx| Box::pin(async move { jobs::complete(tx, &stale, at(21)).await })).await.unwrap();
    assert!(!late, "the lease of the first attempt has ended");
    let done = db.write(move |tx| Box::pin(async move { jobs::complete(tx, &second, at(21)).await })).await.unwrap();
    assert!(done);
    assert!(queue(Some("one")).await.unwrap().is_some(), "the key is free again");
    let forgotten = db.write(|tx| Box::pin(async move { jobs::forget_done(tx, at(22)).await })).await.unwrap();
    assert_eq!(forgotten, 1);
}

#[rstest]
#[tokio::test]
async fn a_buried_job_is_shown_and_can_be_revived(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let db = &test.db;
    let queued = db.write(|tx| Box::pin(async move { jobs::enqueue(tx, &job(None, at(1)), at(1)).await }));
    let id = queued.await.unwrap().unwrap();
    let held = claim(db, at(1), at(11)).await.unwrap();
    assert!(db.write(move |tx| Box::pin(async move { jobs::bury(tx, &held, at(2), "broken").await })).await.unwrap());
    let mut conn = db.read().await.unwrap();
    let buried = jobs::buried(&mut conn, 10).await.unwrap();
    assert_eq!((buried.len(), buried[0].id, buried[0].error.as_str()), (1, id, "broken"));
    assert_eq!(jobs::counts(&mut conn).await.unwrap(), Counts { ready: 0, running: 0, dead: 1 });
    drop(conn);
    let later = db.write(|tx| {
        Box::pin(async move {
            jobs::enqueue(tx, &job(None, at(5)), at(1)).await?;
            jobs::enqueue(tx, &NewJob { kind: "webhook".to_owned(), ..job(None, at(3)) }, at(1)).await
        })
    });
    later.await.unwrap();
    let kinds = jobs::by_kind(&mut db.read().await.unwrap(), at(4)).await.unwrap();
    let kinds: Vec<_> =
        kinds.iter().map(|kind| (kind.kind.as_str(), kind.ready, kind.running, kind.dead, kind.oldest)).collect();
    assert_eq!(kinds, [("index", 1, 0, 1, None), ("webhook", 1, 0, 0, Some(at(3)))], "one is not due yet");
    db.write(|tx| Box::pin(async move { jobs::claim(tx, &["index"], "other", at(5), at(50)).await })).await.unwrap();
    assert!(db.write(move |tx| Box::pin(async move { jobs::revive(tx, id, at(3)).await })).await.unwrap());
    let again = claim(db, at(3), at(13)).await.unwrap();
    assert!(db.write(move |tx| Box::pin(async move { jobs::retry(tx, &again, at(9), "later").await })).await.unwrap());
    assert!(!jobs::any_due(&mut db.read().await.unwrap(), &["index"], at(8)).await.unwrap());
    assert!(jobs::any_due(&mut db.read().await.unwrap(), &["index"], at(9)).await.unwrap());
}
