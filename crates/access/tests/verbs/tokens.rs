//! Tokens: what they may do, how long, and how they end.

use std::time::Duration;

use kontor_access::{Caller, Error, ExposeSecret as _, IssuedToken, Lifetime, NewToken, secret};
use kontor_db::tokens;
use kontor_types::{Code, Scope};
use rstest::rstest;

use crate::support::{Hub, On, handle};

const DAY: Duration = Duration::from_hours(24);

async fn make(hub: &Hub, by: &Caller, scopes: &[Scope], lifetime: Lifetime) -> Result<IssuedToken, Error> {
    let new = NewToken { label: "ci".to_owned(), scopes: scopes.to_vec(), lifetime, publishers: Vec::new() };
    hub.access.create_token(by, new).await
}

#[rstest]
#[tokio::test]
async fn a_token_ends_by_itself_after_ninety_days(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let issued = make(&hub, &hub.admin, &[], Lifetime::Usual).await.unwrap();
    assert!(secret::is_token(issued.secret.expose_secret()));
    assert_eq!(issued.own.token.scopes, [Scope::Read], "reading is what a token may do unless told");
    hub.clock.advance(89 * DAY);
    assert!(hub.access.authenticate(&issued.secret).await.is_ok());
    hub.clock.advance(DAY);
    assert!(matches!(hub.access.authenticate(&issued.secret).await, Err(Error::Unauthenticated)));
}

#[rstest]
#[tokio::test]
async fn a_revoked_token_is_refused_by_the_very_next_request(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, secret) = hub.person("ada", &[Scope::Publish]).await;
    for _ in 0..3 {
        assert!(hub.access.authenticate(&secret).await.is_ok());
    }
    hub.access.revoke_token(&ada, ada.token.unwrap()).await.unwrap();
    assert!(matches!(hub.access.authenticate(&secret).await, Err(Error::Unauthenticated)));
}

#[rstest]
#[tokio::test]
async fn a_token_begets_no_stronger_and_no_longer_one(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", &[Scope::Publish]).await;
    let scope = make(&hub, &ada, &[Scope::Admin], Lifetime::Usual).await;
    assert!(matches!(scope, Err(Error::Scope { scope: Scope::Admin })), "{scope:?}");
    assert!(matches!(make(&hub, &ada, &[], Lifetime::Days(91)).await, Err(Error::Outlives)));
    assert!(matches!(make(&hub, &ada, &[], Lifetime::Endless).await, Err(Error::Outlives)));
    hub.clock.advance(10 * DAY);
    let child = make(&hub, &ada, &[Scope::Publish], Lifetime::Usual).await.unwrap();
    let own = hub.access.token_end(&ada).await.unwrap();
    assert_eq!(child.own.token.expires_at, own, "it ends with the token that made it");
    for days in [0, 3651] {
        assert!(matches!(make(&hub, &hub.admin, &[], Lifetime::Days(days)).await, Err(Error::Invalid { .. })));
    }
    assert!(make(&hub, &hub.admin, &[], Lifetime::Endless).await.unwrap().own.token.expires_at.is_none());
}

#[rstest]
#[tokio::test]
async fn a_bound_token_stays_within_its_publishers(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, secret) = hub.person("ada", Scope::ALL).await;
    for name in ["acme", "other"] {
        hub.access.create_organisation(&ada, &handle(name), None).await.unwrap();
    }
    let ada = hub.again(&secret).await;
    let bound_to = |names: &[&str]| NewToken {
        label: "bound".to_owned(),
        scopes: Scope::ALL.to_vec(),
        publishers: names.iter().map(|name| handle(name)).collect(),
        lifetime: Lifetime::Usual,
    };
    let issued = hub.access.create_token(&ada, bound_to(&["acme"])).await.unwrap();
    assert_eq!(issued.own.publishers, [handle("acme")]);
    let bound = hub.again(&issued.secret).await;
    assert!(hub.access.publisher(bound.viewer(), &handle("acme")).await.is_ok());
    assert!(hub.access.publisher(bound.viewer(), &handle("other")).await.is_err());
    assert!(matches!(hub.access.create_organisation(&bound, &handle("third"), None).await, Err(Error::Bound)));
    assert!(hub.access.create_token(&bound, bound_to(&["other"])).await.is_err());
    let child = hub.access.create_token(&bound, bound_to(&[])).await.unwrap();
    assert_eq!(child.own.publishers, [handle("acme")], "bounds are inherited");
    let other = hub.access.revoke_token(&bound, ada.token.unwrap()).await;
    assert!(matches!(other, Err(Error::Bound)), "{other:?}");
}

#[rstest]
#[tokio::test]
async fn a_token_manages_its_own_persons_tokens_only(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", &[Scope::Publish]).await;
    let (bob, secret) = hub.person("bob", &[Scope::Read]).await;
    let theirs = hub.access.revoke_token(&ada, bob.token.unwrap()).await.unwrap_err();
    let none = hub.access.revoke_token(&ada, kontor_types::TokenId::new(0.into())).await.unwrap_err();
    assert_eq!(theirs.problem(), none.problem());
    assert_eq!(theirs.problem().code, Code::NotFound);
    let (strong, _) = hub.sign_in("ada", Scope::ALL).await;
    let refused = hub.access.revoke_token(&ada, strong.token.unwrap()).await;
    assert!(matches!(refused, Err(Error::Scope { .. })), "a weak token ends no strong one: {refused:?}");
    hub.access.revoke_token(&strong, ada.token.unwrap()).await.unwrap();
    hub.access.revoke_token(&hub.admin, bob.token.unwrap()).await.unwrap();
    assert!(hub.access.authenticate(&secret).await.is_err());
    let listed = hub.access.tokens(&strong).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed.iter().filter(|own| own.token.revoked_at.is_some()).count(), 1);
}

#[rstest]
#[tokio::test]
async fn use_is_noted_but_not_at_every_request(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, secret) = hub.person("ada", &[Scope::Read]).await;
    let first = wait_for_use(&hub, &ada).await;
    hub.clock.advance(Duration::from_mins(4));
    hub.again(&secret).await;
    // Whatever was noted is in the queue before this write.
    hub.db.write(|_| Box::pin(async { Ok::<_, kontor_db::Error>(()) })).await.unwrap();
    assert_eq!(wait_for_use(&hub, &ada).await, first);
}

async fn wait_for_use(hub: &Hub, caller: &Caller) -> kontor_types::Timestamp {
    loop {
        let mut conn = hub.db.read().await.unwrap();
        let token = tokens::by_id(&mut conn, caller.token.unwrap()).await.unwrap().unwrap();
        if let Some(used) = token.last_used_at {
            return used;
        }
        drop(conn);
        tokio::task::yield_now().await;
    }
}

#[rstest]
#[case::empty("")]
#[case::unknown("kontor_unknown")]
#[case::misspelt("kontor_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
#[case::long("x")]
#[tokio::test]
async fn an_unknown_secret_is_nobodys(#[case] text: &str) {
    let Some(hub) = Hub::start(On::Sqlite).await else { return };
    let text = if text == "x" { "x".repeat(100_000) } else { text.to_owned() };
    assert!(matches!(hub.access.authenticate(&text.clone().into()).await, Err(Error::Unauthenticated)));
    assert!(matches!(hub.access.session(&text.into()).await, Err(Error::Unauthenticated)));
}

#[rstest]
#[tokio::test]
async fn an_administrators_token_without_the_scope_ends_no_token_of_others(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (_, secret) = hub.person("ada", Scope::ALL).await;
    let ada = hub.again(&secret).await;
    let theirs = ada.token.unwrap();
    let (reader, _) = hub.sign_in("admin", &[Scope::Read]).await;
    assert!(matches!(hub.access.revoke_token(&reader, theirs).await, Err(Error::TokenNotFound)));
    hub.access.revoke_token(&hub.admin, theirs).await.unwrap();
    assert!(matches!(hub.access.authenticate(&secret).await, Err(Error::Unauthenticated)));
}
