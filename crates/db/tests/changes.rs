//! The change feed and the group-committing writer, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod support;

use futures::future::join_all;
use kontor_db::changes::{self, ChangeKind};
use kontor_db::{Error, settings};
use kontor_types::{SkillId, Timestamp};
use rstest::rstest;
use support::On;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

#[rstest]
#[tokio::test]
async fn the_feed_is_gapless_under_concurrent_writers(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let writes = (0..40).map(|number: u32| {
        test.db.write(move |tx| {
            Box::pin(async move {
                changes::record(tx, ChangeKind::Skill, SkillId::new(NOW).uuid(), NOW).await?;
                // Every fifth unit fails after it took its number: the number must not be lost.
                if number.is_multiple_of(5) { Err(Error::Closed) } else { Ok(()) }
            })
        })
    });
    let kept = join_all(writes).await.into_iter().flatten().count();
    assert_eq!(kept, 32);
    let mut conn = test.db.read().await.unwrap();
    let seqs: Vec<i64> =
        changes::after(&mut conn, 0, 100).await.unwrap().into_iter().map(|change| change.seq).collect();
    assert_eq!(seqs, (1..=32).collect::<Vec<_>>());
    assert_eq!(changes::newest(&mut conn).await.unwrap(), 32);
}

#[rstest]
#[tokio::test]
async fn the_feed_says_what_kind_of_thing_changed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let kinds = [ChangeKind::Skill, ChangeKind::Use, ChangeKind::Publisher];
    let record = test.db.write(move |tx| {
        Box::pin(async move {
            for kind in kinds {
                changes::record(tx, kind, SkillId::new(NOW).uuid(), NOW).await?;
            }
            Ok::<_, Error>(())
        })
    });
    record.await.unwrap();
    let told = changes::after(&mut test.db.read().await.unwrap(), 0, 10).await.unwrap();
    assert_eq!(told.into_iter().map(|change| change.kind).collect::<Vec<_>>(), kinds.map(Some));
}

/// Records this many changes at each of these moments.
async fn recorded(test: &support::TestDb, moments: &[(i64, usize)]) {
    for (moment, count) in moments {
        let at = Timestamp::from_micros(*moment);
        for _ in 0..*count {
            let record = test.db.write(move |tx| {
                Box::pin(async move { changes::record(tx, ChangeKind::Skill, SkillId::new(at).uuid(), at).await })
            });
            record.await.unwrap();
        }
    }
}

async fn places(test: &support::TestDb) -> Vec<i64> {
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(changes::missing(&mut conn).await.unwrap(), 0);
    changes::after(&mut conn, 0, 100).await.unwrap().into_iter().map(|change| change.seq).collect()
}

#[rstest]
#[tokio::test]
async fn the_beginning_of_the_feed_is_forgotten_without_gaps(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let prune = |before: i64, limit: u32| {
        let before = Timestamp::from_micros(before);
        test.db.write(move |tx| Box::pin(async move { changes::prune(tx, before, limit).await }))
    };
    assert_eq!(prune(100, 10).await.unwrap(), 0, "there is nothing");
    // A clock that went back: the fifth change is older than the fourth.
    recorded(&test, &[(10, 3), (30, 1), (20, 1), (40, 2)]).await;
    assert_eq!(prune(25, 2).await.unwrap(), 2, "no more than the limit");
    assert_eq!(prune(25, 10).await.unwrap(), 1, "what stands behind a younger one stays");
    assert_eq!(places(&test).await, [4, 5, 6, 7]);
    assert_eq!(prune(100, 10).await.unwrap(), 4);
    assert!(places(&test).await.is_empty());
    assert_eq!(changes::newest(&mut test.db.read().await.unwrap()).await.unwrap(), 7);
    recorded(&test, &[(50, 1)]).await;
    assert_eq!(places(&test).await, [8]);
}

#[rstest]
#[tokio::test]
async fn a_feed_that_begins_anew_skips_a_place(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    recorded(&test, &[(10, 3)]).await;
    test.db.write(|tx| Box::pin(async move { changes::begin_anew(tx).await })).await.unwrap();
    recorded(&test, &[(10, 1)]).await;
    assert_eq!(places(&test).await, [5]);
}

#[rstest]
#[tokio::test]
async fn a_failed_unit_leaves_nothing_and_its_neighbours_everything(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let set = |name: &'static str, fail: bool| {
        test.db.write(move |tx| {
            Box::pin(async move {
                settings::set(tx, name, "x").await?;
                if fail { Err(Error::Closed) } else { Ok(()) }
            })
        })
    };
    let (first, second, third) = tokio::join!(set("a", false), set("b", true), set("c", false));
    assert!(first.is_ok() && second.is_err() && third.is_ok());
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(settings::get(&mut conn, "a").await.unwrap().as_deref(), Some("x"));
    assert_eq!(settings::get(&mut conn, "b").await.unwrap(), None);
    assert_eq!(settings::get(&mut conn, "c").await.unwrap().as_deref(), Some("x"));
}

#[rstest]
#[tokio::test]
async fn a_panicking_unit_does_not_stop_the_writer(#[values(On::Sqlite)] on: On) {
    let Some(test) = on.open().await else { return };
    let broken: Result<(), Error> = test.db.write(|_| Box::pin(async { panic!("on purpose") })).await;
    assert!(broken.is_err());
    test.db.write(|tx| Box::pin(async move { settings::set(tx, "after", "x").await })).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = kontor_db::Options::sqlite(folder.path().join("test.db"));
    kontor_db::Db::open(&options).await.unwrap().close().await;
    kontor_db::testing::pretend_newer_schema(&options.url).await.unwrap();
    let error = kontor_db::Db::open(&options).await.unwrap_err();
    assert!(matches!(error, Error::NewerSchema { found: 9999, .. }), "{error:?}");
}
