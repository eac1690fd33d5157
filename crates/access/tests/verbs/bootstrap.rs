//! The first administrator.

use std::time::Duration;

use kontor_access::Error;
use kontor_types::Scope;
use rstest::rstest;

use crate::support::{Hub, On, PRESET, handle};

#[rstest]
#[tokio::test]
async fn the_first_administrator_has_every_right_without_end(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    assert!(hub.admin.viewer().is_administrator());
    assert_eq!(hub.admin.scopes, Scope::ALL);
    assert!(!hub.access.needs_administrator().await.unwrap());
    hub.clock.advance(Duration::from_hours(24 * 3650));
    assert!(hub.access.authenticate(&PRESET.into()).await.is_ok());
    let own = hub.access.publisher(hub.admin.viewer(), &handle("admin")).await.unwrap();
    assert_eq!(own.role, Some(kontor_types::Role::Owner), "with a publisher of their own");
}

#[rstest]
#[tokio::test]
async fn starting_again_makes_nobody_new_and_revives_no_token(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let again = hub.access.bootstrap(&handle("other"), &PRESET.into()).await.unwrap();
    assert!(!again.created);
    assert_eq!(again.person.handle, handle("admin"));
    let second = "another-token-that-was-preset-later";
    hub.access.bootstrap(&handle("other"), &second.into()).await.unwrap();
    let admin = hub.access.authenticate(&second.into()).await.unwrap();
    hub.access.revoke_token(&admin, hub.admin.token.unwrap()).await.unwrap();
    hub.access.bootstrap(&handle("other"), &PRESET.into()).await.unwrap();
    let refused = hub.access.authenticate(&PRESET.into()).await;
    assert!(matches!(refused, Err(Error::Unauthenticated)), "{refused:?}");
}

#[rstest]
#[case::short("1234567")]
#[case::spaces("with spaces in between")]
#[tokio::test]
async fn a_preset_that_is_no_token_is_refused(#[case] preset: &str) {
    let Some(hub) = Hub::start(On::Sqlite).await else { return };
    let refused = hub.access.bootstrap(&handle("admin"), &preset.into()).await;
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
}

#[rstest]
#[tokio::test]
async fn several_nodes_may_start_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let token = "the-token-that-all-nodes-were-given".into();
    let name = handle("admin");
    let started = futures::future::join_all((0..4).map(|_| hub.access.bootstrap(&name, &token))).await;
    assert!(started.into_iter().all(|outcome| outcome.is_ok_and(|outcome| !outcome.created)));
    assert!(hub.access.authenticate(&token).await.is_ok());
}
