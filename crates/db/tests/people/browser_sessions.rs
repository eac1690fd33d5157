//! Browser sessions: found by the cookie's hash, ended once, forgotten later.

use std::time::Duration;

use kontor_db::browser_sessions::{self, NewSession};
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
    let ended = test.db.write(move |tx| Box::pin(async move { browser_sessions::revoke_all(tx, person, later).await }));
    assert_eq!(ended.await.unwrap(), 1);
    let purge = |before| test.db.write(move |tx| Box::pin(async move { browser_sessions::purge(tx, before).await }));
    assert_eq!(purge(later).await.unwrap(), 0);
    assert_eq!(purge(end).await.unwrap(), 2);
}
