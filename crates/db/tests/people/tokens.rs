//! Tokens: found by the hash of the secret, ended once, counted while they work.

use std::time::Duration;

use kontor_db::tokens::{self, Token};
use kontor_types::{Digest, PersonId, PublisherId, Scope, TokenId};
use rstest::rstest;

use crate::fixtures::{NOW, a_person, add_person};
use crate::support::{On, TestDb};

fn a_token(person: PersonId, label: &str) -> Token {
    Token {
        id: TokenId::new(NOW),
        person_id: person,
        label: label.to_owned(),
        scopes: vec![Scope::Read, Scope::Publish],
        publishers: None,
        created_at: NOW,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    }
}

async fn add(test: &TestDb, token: &Token, hash: Digest) {
    let token = token.clone();
    test.db.write(move |tx| Box::pin(async move { tokens::insert(tx, &token, &hash).await })).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_token_is_found_by_its_hash_with_its_person(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let ada = a_person("ada");
    add_person(&test.db, &ada).await.unwrap();
    let mut bound = a_token(ada.id, "bound");
    bound.publishers = Some(vec![PublisherId::new(NOW), PublisherId::new(NOW)]);
    bound.expires_at = Some(NOW.after(Duration::from_secs(1)));
    add(&test, &bound, Digest::of(b"one")).await;
    let mut conn = test.db.read().await.unwrap();
    let found = tokens::by_hash(&mut conn, &Digest::of(b"one")).await.unwrap().unwrap();
    assert_eq!((found.token, found.handle, found.administrator), (bound.clone(), ada.handle, false));
    assert_eq!(tokens::by_hash(&mut conn, &Digest::of(b"two")).await.unwrap(), None);
    assert_eq!(tokens::by_id(&mut conn, bound.id).await.unwrap(), Some(bound));
}

#[rstest]
#[tokio::test]
async fn a_token_ends_once_and_use_is_noted(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let ada = a_person("ada");
    add_person(&test.db, &ada).await.unwrap();
    let later = NOW.after(Duration::from_mins(1));
    let (first, mut short) = (a_token(ada.id, "first"), a_token(ada.id, "short"));
    short.expires_at = Some(later);
    short.created_at = NOW.after(Duration::from_secs(1));
    add(&test, &first, Digest::of(b"one")).await;
    add(&test, &short, Digest::of(b"two")).await;
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(tokens::active(&mut conn, ada.id, NOW).await.unwrap(), 2);
    assert_eq!(tokens::active(&mut conn, ada.id, later).await.unwrap(), 1);
    drop(conn);
    let id = first.id;
    let revoke = || test.db.write(move |tx| Box::pin(async move { tokens::revoke(tx, id, later).await }));
    assert!(revoke().await.unwrap());
    assert!(!revoke().await.unwrap(), "it had ended before");
    test.db.write(move |tx| Box::pin(async move { tokens::touch(tx, id, later).await })).await.unwrap();
    let mut conn = test.db.read().await.unwrap();
    let all = tokens::of_person(&mut conn, ada.id, 10).await.unwrap();
    assert_eq!(all.iter().map(|token| token.label.as_str()).collect::<Vec<_>>(), ["short", "first"]);
    assert_eq!((all[1].revoked_at, all[1].last_used_at), (Some(later), Some(later)));
    drop(conn);
    let person = ada.id;
    let ended = test.db.write(move |tx| Box::pin(async move { tokens::revoke_all(tx, person, later).await })).await;
    assert_eq!(ended.unwrap(), 1);
}
