//! Single facts about the hub, on both databases.

mod support;

use kontor_db::settings;
use rstest::rstest;
use support::On;

#[rstest]
#[tokio::test]
async fn a_setting_holds_what_was_set_last(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    assert_eq!(settings::get(&mut test.db.read().await.unwrap(), "hub.id").await.unwrap(), None);
    for value in ["one", "two"] {
        test.db.write(move |tx| Box::pin(async move { settings::set(tx, "hub.id", value).await })).await.unwrap();
        let found = settings::get(&mut test.db.read().await.unwrap(), "hub.id").await.unwrap();
        assert_eq!(found.as_deref(), Some(value));
    }
}

#[rstest]
#[tokio::test]
async fn a_setting_that_is_kept_holds_what_was_set_first(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    for value in ["one", "two"] {
        let kept = test.db.write(move |tx| Box::pin(async move { settings::keep(tx, "salt", value).await }));
        assert_eq!(kept.await.unwrap(), "one");
    }
}
