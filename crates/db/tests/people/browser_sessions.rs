//! Browser sessions: found by the cookie's hash, ended once, forgotten later.

use std::time::Duration;

use kontor_db::browser_sessions::{self, NewSession, OpenedBy};
use kontor_types::{Digest, Scope, SessionId};
use rstest::rstest;

use crate::fixtures::{NOW, a_person, add_person};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_session_is_found_used_and_ended(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let ada = a_person("ada");
    add_person(&test.db, &ada).await.unwrap();
    let (end, later) = (NOW.after(Duration::from_hours(1)), NOW.after(Duration::from_mins(1)));
    let add = |name: &'static [u8]| {
        let session = NewSession {
            id: SessionId::new(NOW),
            hash: Digest::of(name),
            person_id: ada.id,
            label: "Firefox".to_owned(),
            scopes: vec![Scope::Read],
            created_at: NOW,
            expires_at: end,
            opened_by: OpenedBy::Link,
        };
        let id = session.id;
        let done = test.db.write(move |tx| Box::pin(async move { browser_sessions::insert(tx, &session).await }));
        async move { done.await.map(|()| id) }
    };
    let id = add(b"cookie").await.unwrap();
    add(b"second").await.unwrap();
    test.db.write(move |tx| Box::pin(async move { browser_sessions::touch(tx, id, later).await })).await.unwrap();
    let revoke = || test.db.write(move |tx| Box::pin(async move { browser_sessions::revoke(tx, id, later).await }));
    assert!(revoke().await.unwrap());
    assert!(!revoke().await.unwrap());
    let mut conn = test.db.read().await.unwrap();
    let found = browser_sessions::by_hash(&mut conn, &Digest::of(b"cookie")).await.unwrap().unwrap();
    assert_eq!((found.id, found.person_id, found.handle, found.scopes), (id, ada.id, ada.handle, vec![Scope::Read]));
    assert_eq!((found.last_seen_at, found.revoked_at, found.expires_at), (later, Some(later), end));
    assert_eq!(browser_sessions::by_hash(&mut conn, &Digest::of(b"other")).await.unwrap(), None);
    drop(conn);
    let person = ada.id;
    let end_all = |except| {
        test.db.write(move |tx| Box::pin(async move { browser_sessions::revoke_all(tx, person, except, later).await }))
    };
    assert_eq!(end_all(None).await.unwrap(), 1);
    let purge = |before| test.db.write(move |tx| Box::pin(async move { browser_sessions::purge(tx, before).await }));
    assert_eq!(purge(later).await.unwrap(), 0);
    assert_eq!(purge(end).await.unwrap(), 2);
}

#[rstest]
#[tokio::test]
async fn the_working_sessions_of_a_person_are_listed_and_ended_together(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let (ada, bob) = (a_person("ada"), a_person("bob"));
    add_person(&test.db, &ada).await.unwrap();
    add_person(&test.db, &bob).await.unwrap();
    let minutes = |count: u64| NOW.after(Duration::from_mins(count));
    let mut ids = Vec::new();
    for (name, person, end) in [("a", ada.id, 60), ("b", ada.id, 60), ("c", ada.id, 2), ("d", bob.id, 60)] {
        let session = NewSession {
            id: SessionId::new(NOW),
            hash: Digest::of(name.as_bytes()),
            person_id: person,
            label: name.to_owned(),
            scopes: vec![Scope::Read],
            created_at: NOW,
            expires_at: minutes(end),
            opened_by: OpenedBy::Password,
        };
        ids.push(session.id);
        test.db.write(move |tx| Box::pin(async move { browser_sessions::insert(tx, &session).await })).await.unwrap();
    }
    let (first, gone) = (ids[0], ids[2]);
    let touched =
        test.db.write(move |tx| Box::pin(async move { browser_sessions::touch(tx, first, minutes(1)).await }));
    touched.await.unwrap();
    let listed = async |at, limit| {
        let mut conn = test.db.read().await.unwrap();
        let rows = browser_sessions::of_person(&mut conn, ada.id, at, limit).await.unwrap();
        rows.into_iter().map(|row| row.label).collect::<String>()
    };
    assert_eq!(listed(NOW, 10).await, "acb", "the one used last first, then the youngest");
    assert_eq!(listed(NOW, 2).await, "ac");
    assert_eq!(listed(minutes(2), 10).await, "ab", "one has ended by itself");
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(browser_sessions::by_id(&mut conn, gone).await.unwrap().unwrap().label, "c");
    assert!(browser_sessions::by_id(&mut conn, SessionId::new(NOW)).await.unwrap().is_none());
    drop(conn);
    let (person, kept) = (ada.id, ids[1]);
    let ended = test.db.write(move |tx| {
        Box::pin(async move { browser_sessions::revoke_all(tx, person, Some(kept), minutes(2)).await })
    });
    assert_eq!(ended.await.unwrap(), 1, "neither the kept one, nor one that is over, nor somebody else's");
    assert_eq!(listed(minutes(2), 10).await, "b");
}
