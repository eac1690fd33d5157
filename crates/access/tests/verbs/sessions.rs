//! One-time links and the sessions they open.

use std::time::Duration;

use kontor_access::{Caller, Error, PersonChange};
use kontor_types::Scope;
use rstest::rstest;

use crate::support::{Hub, On, handle};

#[rstest]
#[tokio::test]
async fn a_link_opens_one_session_with_the_rights_of_its_maker(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", &[Scope::Publish]).await;
    let link = hub.access.create_sign_in_link(&ada, None).await.unwrap();
    assert_eq!(hub.access.sign_in_link(&link.code).await.unwrap(), handle("ada"));
    let nobody = Caller::anonymous();
    let (one, other) = tokio::join!(
        hub.access.open_session(&link.code, "Firefox", &nobody),
        hub.access.open_session(&link.code, "Firefox", &nobody),
    );
    assert!(one.is_ok() != other.is_ok(), "used once");
    let opened = one.or(other).unwrap();
    let session = hub.access.session(&opened.cookie).await.unwrap();
    assert_eq!((session.caller.person.clone(), session.caller.scopes.clone()), (ada.person, vec![Scope::Publish]));
    assert!(hub.access.authenticate(&opened.cookie).await.is_err(), "a cookie is no token");
    hub.access.close_session(&session).await.unwrap();
    assert!(matches!(hub.access.session(&opened.cookie).await, Err(Error::Unauthenticated)));
}

#[rstest]
#[tokio::test]
async fn a_session_ends_after_two_weeks(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let link = hub.access.create_sign_in_link(&hub.admin, None).await.unwrap();
    let opened = hub.access.open_session(&link.code, "Firefox", &Caller::anonymous()).await.unwrap();
    assert!(hub.access.session(&opened.cookie).await.unwrap().caller.viewer().is_administrator());
    hub.clock.advance(Duration::from_hours(14 * 24));
    assert!(matches!(hub.access.session(&opened.cookie).await, Err(Error::Unauthenticated)));
    assert!(hub.access.sweep().await.is_ok());
}

#[rstest]
#[tokio::test]
async fn only_administrators_make_links_for_others(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", Scope::ALL).await;
    hub.person("bob", Scope::ALL).await;
    let refused = hub.access.create_sign_in_link(&ada, Some(&handle("bob"))).await;
    assert!(matches!(refused, Err(Error::Administrator)), "{refused:?}");
    let link = hub.access.create_sign_in_link(&hub.admin, Some(&handle("bob"))).await.unwrap();
    let shut = PersonChange { disabled: Some(true), ..PersonChange::default() };
    hub.access.update_person(&hub.admin, &handle("bob"), shut).await.unwrap();
    let refused = hub.access.open_session(&link.code, "Firefox", &Caller::anonymous()).await;
    assert!(matches!(refused, Err(Error::Link)), "whoever is shut out cannot come in by an older link");
}
