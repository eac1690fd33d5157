//! The transparency log's rows, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod support;

use kontor_db::log_entries::{self, Entry, Head};
use kontor_db::{Db, Error};
use kontor_types::{Digest, LogEntryId, Timestamp, VersionId};
use rstest::rstest;
use support::On;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
const LATER: Timestamp = Timestamp::from_micros(2_000_000);

fn entry(number: u8) -> Entry {
    Entry {
        id: LogEntryId::new(NOW),
        kind: "scan".to_owned(),
        subject: (number < 2).then(|| Digest::of(b"version")),
        version: (number == 1).then(|| VersionId::new(NOW)),
        statement: vec![number; 3],
        salt: vec![number; 32],
        leaf: Digest::of(&[number]),
        created_at: NOW,
        log: None,
        place: None,
    }
}

async fn insert(db: &Db, count: u16) -> Vec<Entry> {
    let entries: Vec<_> = (0..count).map(|number| entry(number.to_le_bytes()[0])).collect();
    let kept = entries.clone();
    db.write(move |tx| {
        Box::pin(async move {
            for entry in &entries {
                log_entries::insert(tx, entry).await?;
            }
            Ok::<_, Error>(())
        })
    })
    .await
    .unwrap();
    kept
}

async fn start(db: &Db, origin: &'static str) -> i64 {
    db.write(move |tx| Box::pin(async move { log_entries::start(tx, origin, NOW).await })).await.unwrap().number
}

async fn acquire(db: &Db, log: i64, holder: &'static str, now: Timestamp) -> Option<i64> {
    let until = Timestamp::from_micros(now.micros() + 500_000);
    let taken = db.write(move |tx| Box::pin(async move { log_entries::acquire(tx, log, holder, now, until).await }));
    taken.await.unwrap()
}

async fn hold(db: &Db, log: i64, token: i64) -> bool {
    db.write(move |tx| Box::pin(async move { log_entries::hold(tx, log, token, LATER).await })).await.unwrap()
}

async fn place(db: &Db, log: i64, first: u64, entries: &[Entry]) -> u64 {
    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    db.write(move |tx| Box::pin(async move { log_entries::place(tx, log, first, &ids).await })).await.unwrap()
}

async fn add_head(db: &Db, log: i64, size: u64) -> Result<(), Error> {
    let head = Head { log, size, root: Digest::of(b"root"), peaks: vec![1; 32], note: None };
    db.write(move |tx| Box::pin(async move { log_entries::add_head(tx, &head, 1, NOW).await })).await
}

#[rstest]
#[tokio::test]
async fn entries_wait_get_their_places_and_are_found(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let log = start(&test.db, "log.example").await;
    let entries = insert(&test.db, 600).await;
    let mut conn = test.db.read().await.unwrap();
    let waiting = log_entries::waiting(&mut conn, 1000).await.unwrap();
    assert_eq!(
        waiting.iter().map(|entry| entry.id).collect::<Vec<_>>(),
        entries.iter().map(|e| e.id).collect::<Vec<_>>()
    );
    assert_eq!(log_entries::waiting(&mut conn, 7).await.unwrap().len(), 7);
    drop(conn);
    assert_eq!(place(&test.db, log, 0, &entries[..590]).await, 590);
    assert_eq!(place(&test.db, log, 590, &entries[588..]).await, 10, "a place is given once");

    let mut conn = test.db.read().await.unwrap();
    assert!(log_entries::waiting(&mut conn, 1).await.unwrap().is_empty());
    let found = log_entries::find(&mut conn, entries[300].id).await.unwrap().unwrap();
    assert_eq!(found, Entry { log: Some(log), place: Some(300), ..entries[300].clone() });
    let about = log_entries::about(&mut conn, &Digest::of(b"version"), 10).await.unwrap();
    let expected: Vec<_> = entries.iter().filter(|entry| entry.subject.is_some()).map(|entry| entry.id).collect();
    assert_eq!(about.iter().map(|entry| entry.id).collect::<Vec<_>>(), expected);
    let (one, digest) = (entries[1].version.unwrap(), Digest::of(b"version"));
    let of_one = log_entries::about_version(&mut conn, &digest, one, 10).await.unwrap();
    assert_eq!(of_one.iter().map(|entry| entry.id).collect::<Vec<_>>(), [entries[1].id]);
    let other = VersionId::new(NOW);
    assert!(log_entries::about_version(&mut conn, &digest, other, 10).await.unwrap().is_empty());
    let leaves = log_entries::leaves(&mut conn, log, 254, 4).await.unwrap();
    assert_eq!(leaves, entries[254..258].iter().map(|entry| entry.leaf).collect::<Vec<_>>());
}

#[rstest]
#[tokio::test]
async fn one_sequencer_holds_the_lease_and_an_older_token_is_void(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let log = start(&test.db, "log.example").await;
    let first = acquire(&test.db, log, "one", NOW).await.unwrap();
    assert_eq!(acquire(&test.db, log, "two", NOW).await, None, "the lease is taken");
    assert!(hold(&test.db, log, first).await);
    let second = acquire(&test.db, log, "two", LATER).await.unwrap();
    assert!(second > first);
    assert!(!hold(&test.db, log, first).await, "whoever was late is fenced off");
    assert!(hold(&test.db, log, second).await);
    let again = acquire(&test.db, log, "two", NOW).await.unwrap();
    assert!(again > second, "its own lease is taken back at once");
    let released = test.db.write(move |tx| Box::pin(async move { log_entries::release(tx, log, again).await }));
    released.await.unwrap();
    assert!(acquire(&test.db, log, "one", NOW).await.is_some());
}

#[rstest]
#[tokio::test]
async fn a_new_history_shuts_the_old_one_and_takes_over_what_was_never_signed(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(test) = on.open().await else { return };
    let log = start(&test.db, "log.example").await;
    let token = acquire(&test.db, log, "one", NOW).await.unwrap();
    let entries = insert(&test.db, 5).await;
    place(&test.db, log, 0, &entries[..2]).await;
    add_head(&test.db, log, 2).await.unwrap();
    assert!(add_head(&test.db, log, 2).await.unwrap_err().is_duplicate(), "a size has one head");
    let signed = test.db.write(move |tx| {
        Box::pin(async move {
            assert!(!log_entries::sign_head(tx, log, 3, "no such head").await?);
            log_entries::sign_head(tx, log, 2, "note").await
        })
    });
    assert!(signed.await.unwrap_or_else(|error: Error| panic!("{error}")));
    place(&test.db, log, 2, &entries[2..4]).await;
    add_head(&test.db, log, 4).await.unwrap();
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(log_entries::newest_head(&mut conn, log).await.unwrap().unwrap().size, 4);
    let head = log_entries::newest_signed(&mut conn, log).await.unwrap().unwrap();
    assert_eq!((head.size, head.note.as_deref()), (2, Some("note")));
    drop(conn);

    let next = start(&test.db, "log.example/2").await;
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(log_entries::newest(&mut conn).await.unwrap().unwrap().origin, "log.example/2");
    let histories = log_entries::histories(&mut conn).await.unwrap();
    assert_eq!(histories.iter().map(|history| history.number).collect::<Vec<_>>(), [log, next]);
    let waiting = log_entries::waiting(&mut conn, 10).await.unwrap();
    assert_eq!(
        waiting.iter().map(|entry| entry.id).collect::<Vec<_>>(),
        entries[2..].iter().map(|e| e.id).collect::<Vec<_>>()
    );
    assert_eq!(log_entries::newest_head(&mut conn, log).await.unwrap().unwrap().size, 2);
    drop(conn);
    assert!(!hold(&test.db, log, token).await);
    assert_eq!(acquire(&test.db, log, "one", LATER).await, None, "an older history has no sequencer");
    assert!(acquire(&test.db, next, "one", LATER).await.is_some());
}
