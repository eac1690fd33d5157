//! Passwords: kept as hashes, replaced, and wrong ones counted by account and by network.

use std::time::Duration;

use kontor_db::{Error, Tx, passwords};
use kontor_types::{Digest, Timestamp};
use rstest::rstest;

use crate::fixtures::{NOW, a_person, add_person};
use crate::support::{On, TestDb};

const HOME: &str = "192.0.2.1";
const AWAY: &str = "2001:db8::";

fn minutes(count: u64) -> Timestamp {
    NOW.after(Duration::from_mins(count))
}

async fn write<T: Send + 'static>(
    test: &TestDb,
    unit: impl for<'t> Fn(&'t mut Tx) -> futures::future::BoxFuture<'t, Result<T, Error>> + Send + Sync + 'static,
) -> T {
    test.db.write(unit).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn a_password_is_set_replaced_and_hashed_anew(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let ada = a_person("ada");
    add_person(&test.db, &ada).await.unwrap();
    let person = ada.id;
    let kept = async || {
        let found = passwords::of_person(&mut test.db.read().await.unwrap(), person).await.unwrap();
        found.map(|password| (password.hash, password.changed_at))
    };
    assert_eq!(kept().await, None);
    write(&test, move |tx| Box::pin(passwords::put(tx, person, "first", NOW))).await;
    assert_eq!(kept().await, Some(("first".to_owned(), NOW)));
    write(&test, move |tx| Box::pin(passwords::put(tx, person, "second", minutes(1)))).await;
    assert!(!write(&test, move |tx| Box::pin(passwords::rehash(tx, person, "first", "stale"))).await);
    assert!(write(&test, move |tx| Box::pin(passwords::rehash(tx, person, "second", "third"))).await);
    assert_eq!(kept().await, Some(("third".to_owned(), minutes(1))), "the same password, set when it was");
}

#[rstest]
#[tokio::test]
async fn wrong_passwords_are_counted_forgiven_and_forgotten(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let (ada, bob) = (Digest::of(b"ada"), Digest::of(b"bob"));
    for (account, network, minute) in [(ada, HOME, 0), (ada, HOME, 1), (ada, AWAY, 2), (bob, HOME, 3)] {
        write(&test, move |tx| Box::pin(async move { passwords::tried(tx, &account, network, minutes(minute)).await }))
            .await;
    }
    let of = async |account: &Digest, network: Option<&str>, since| {
        let mut conn = test.db.read().await.unwrap();
        let tried = passwords::tried_of(&mut conn, account, network, since).await.unwrap();
        (tried.count, tried.first)
    };
    let before = Timestamp::from_micros(0);
    assert_eq!(of(&ada, None, before).await, (3, Some(NOW)));
    assert_eq!(of(&ada, Some(HOME), before).await, (2, Some(NOW)));
    assert_eq!(of(&ada, Some(HOME), NOW).await, (1, Some(minutes(1))));
    assert_eq!(of(&ada, Some(HOME), minutes(1)).await, (0, None));
    let from = async || passwords::tried_from(&mut test.db.read().await.unwrap(), HOME, before).await.unwrap().count;
    assert_eq!(from().await, 3);
    assert_eq!(write(&test, move |tx| Box::pin(async move { passwords::forgive(tx, &ada, HOME).await })).await, 2);
    assert_eq!((from().await, of(&ada, None, before).await.0), (1, 1));
    assert_eq!(write(&test, |tx| Box::pin(passwords::purge(tx, minutes(3), NOW))).await, 1);
    assert_eq!((from().await, of(&ada, None, before).await.0), (1, 0));
}

#[rstest]
#[tokio::test]
async fn places_are_remembered_while_they_are_used(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let ada = a_person("ada");
    add_person(&test.db, &ada).await.unwrap();
    let person = ada.id;
    let known =
        async |network| passwords::is_place_of(&mut test.db.read().await.unwrap(), person, network).await.unwrap();
    assert!(!known(HOME).await);
    for minute in [0, 5] {
        write(&test, move |tx| Box::pin(passwords::came_from(tx, person, HOME, minutes(minute)))).await;
    }
    assert!(known(HOME).await && !known(AWAY).await);
    write(&test, |tx| Box::pin(passwords::purge(tx, NOW, minutes(4)))).await;
    assert!(known(HOME).await, "somebody was there since");
    write(&test, |tx| Box::pin(passwords::purge(tx, NOW, minutes(6)))).await;
    assert!(!known(HOME).await);
}
