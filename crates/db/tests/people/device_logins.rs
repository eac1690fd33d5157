//! Device sign-ins: one decision, one collection, counted attempts.

use std::time::Duration;

use kontor_db::device_logins::{self, DeviceLogin};
use kontor_db::{Db, Error};
use kontor_types::{DeviceLoginId, Digest, Scope};
use rstest::rstest;

use crate::fixtures::{NOW, a_person, add_person};
use crate::support::On;

fn a_login(code: &str) -> DeviceLogin {
    DeviceLogin {
        id: DeviceLoginId::new(NOW),
        user_code: code.to_owned(),
        label: "laptop".to_owned(),
        scopes: vec![Scope::Read, Scope::Publish],
        decision: None,
        person_id: None,
        created_at: NOW,
        expires_at: NOW.after(Duration::from_mins(10)),
        poll_seconds: 5,
        last_polled_at: None,
        collected_at: None,
    }
}

async fn add(db: &Db, login: &DeviceLogin, device: &'static [u8]) -> Result<(), Error> {
    let login = login.clone();
    db.write(move |tx| Box::pin(async move { device_logins::insert(tx, &login, &Digest::of(device)).await })).await
}

#[rstest]
#[tokio::test]
async fn a_sign_in_is_decided_once_and_collected_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let (ada, login) = (a_person("ada"), a_login("BCDFGHJK"));
    add_person(&test.db, &ada).await.unwrap();
    add(&test.db, &login, b"device").await.unwrap();
    assert!(add(&test.db, &a_login("BCDFGHJK"), b"another").await.unwrap_err().is_duplicate());
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(device_logins::waiting(&mut conn, "BCDFGHJK", NOW).await.unwrap(), Some(login.clone()));
    assert_eq!(device_logins::waiting(&mut conn, "BCDFGHJK", login.expires_at).await.unwrap(), None);
    assert_eq!(device_logins::waiting_count(&mut conn, NOW).await.unwrap(), 1);
    drop(conn);
    let (id, person) = (login.id, ada.id);
    let collect = || test.db.write(move |tx| Box::pin(async move { device_logins::collect(tx, id, NOW).await }));
    assert!(!collect().await.unwrap(), "nobody has approved it");
    let decide =
        |yes| test.db.write(move |tx| Box::pin(async move { device_logins::decide(tx, id, person, yes).await }));
    assert!(decide(true).await.unwrap());
    assert!(!decide(false).await.unwrap(), "decided before");
    test.db.write(move |tx| Box::pin(async move { device_logins::polled(tx, id, 10, NOW).await })).await.unwrap();
    assert!(collect().await.unwrap());
    assert!(!collect().await.unwrap(), "taken before");
    let mut conn = test.db.read().await.unwrap();
    let found = device_logins::by_device_hash(&mut conn, &Digest::of(b"device")).await.unwrap().unwrap();
    assert_eq!((found.decision.as_deref(), found.person_id), (Some("approved"), Some(ada.id)));
    assert_eq!((found.poll_seconds, found.last_polled_at, found.collected_at), (10, Some(NOW), Some(NOW)));
    assert_eq!(device_logins::waiting(&mut conn, "BCDFGHJK", NOW).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn attempts_are_counted_per_person_and_forgotten(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let (ada, bob) = (a_person("ada"), a_person("bob"));
    add_person(&test.db, &ada).await.unwrap();
    add_person(&test.db, &bob).await.unwrap();
    add(&test.db, &a_login("BCDFGHJK"), b"device").await.unwrap();
    for (person, second) in [(ada.id, 0), (ada.id, 100), (bob.id, 100)] {
        let at = NOW.after(Duration::from_secs(second));
        test.db
            .write(move |tx| Box::pin(async move { device_logins::record_attempt(tx, person, at).await }))
            .await
            .unwrap();
    }
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(device_logins::attempts(&mut conn, ada.id, NOW).await.unwrap(), 1, "the first is too old");
    assert_eq!(device_logins::attempts(&mut conn, ada.id, NOW.before(Duration::from_secs(1))).await.unwrap(), 2);
    drop(conn);
    let late = NOW.after(Duration::from_hours(1));
    let gone = test.db.write(move |tx| Box::pin(async move { device_logins::purge(tx, late).await })).await.unwrap();
    assert_eq!(gone, 4);
}
