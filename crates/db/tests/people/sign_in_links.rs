//! One-time links: used once, before they expire.

use std::time::Duration;

use kontor_db::sign_in_links;
use kontor_types::{Digest, Scope, Timestamp};
use rstest::rstest;

use crate::fixtures::{NOW, a_person, add_person};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_link_signs_in_once_and_only_in_time(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let ada = a_person("ada");
    add_person(&test.db, &ada).await.unwrap();
    let end = NOW.after(Duration::from_mins(15));
    let (person, hash, late) = (ada.id, Digest::of(b"code"), Digest::of(b"late"));
    let add = |hash: Digest| {
        let unit = test.db.clone();
        async move {
            unit.write(move |tx| {
                Box::pin(async move { sign_in_links::insert(tx, &hash, person, &[Scope::Publish], (NOW, end)).await })
            })
            .await
        }
    };
    add(hash).await.unwrap();
    add(late).await.unwrap();
    let db = test.db.clone();
    let redeem = |hash: Digest, at: Timestamp| {
        let db = db.clone();
        async move { db.write(move |tx| Box::pin(async move { sign_in_links::redeem(tx, &hash, at).await })).await }
    };
    assert!(redeem(hash, NOW).await.unwrap());
    assert!(!redeem(hash, NOW).await.unwrap(), "used before");
    assert!(!redeem(late, end).await.unwrap(), "too late");
    assert!(!redeem(Digest::of(b"other"), NOW).await.unwrap(), "unknown");
    let mut conn = db.read().await.unwrap();
    let link = sign_in_links::by_hash(&mut conn, &hash).await.unwrap().unwrap();
    assert_eq!(link.scopes, [Scope::Publish]);
    assert_eq!((link.person_id, link.handle, link.expires_at, link.used_at), (ada.id, ada.handle, end, Some(NOW)));
    drop(conn);
    let after = end.after(Duration::from_secs(1));
    let gone = db.write(move |tx| Box::pin(async move { sign_in_links::purge(tx, after).await })).await;
    assert_eq!(gone.unwrap(), 2);
}
