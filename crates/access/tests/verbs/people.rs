//! People: made by administrators, with a publisher of their own.

use kontor_access::{Error, NewPerson, PersonChange};
use kontor_types::{Code, PageSize, Role, Scope};
use rstest::rstest;

use crate::support::{Hub, On, PRESET, handle};

#[rstest]
#[tokio::test]
async fn a_person_comes_with_a_publisher_of_the_same_name(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", &[Scope::Publish]).await;
    let own = hub.access.publisher(ada.viewer(), &handle("ada")).await.unwrap();
    assert!(ada.require_role(own.publisher.id, Role::Owner, Scope::Publish).is_ok());
    assert_eq!(hub.access.memberships(&ada).await.unwrap().len(), 1);
    let again = NewPerson { handle: handle("ada"), display_name: "Ada".to_owned(), administrator: false };
    assert!(matches!(hub.access.create_person(&hub.admin, again).await, Err(Error::NameTaken { .. })));
}

#[rstest]
#[tokio::test]
async fn an_organisation_and_a_person_cannot_share_a_name(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    hub.access.create_organisation(&hub.admin, &handle("acme"), None).await.unwrap();
    let new = NewPerson { handle: handle("acme"), display_name: "Acme".to_owned(), administrator: false };
    assert!(matches!(hub.access.create_person(&hub.admin, new).await, Err(Error::NameTaken { .. })));
    let listed = hub.access.people(&hub.admin, None, PageSize::default()).await.unwrap();
    assert_eq!(listed.items.len(), 1, "the refused person left nothing behind");
}

#[rstest]
#[tokio::test]
async fn whoever_is_shut_out_is_nobody_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (_, secret) = hub.person("ada", &[Scope::Read]).await;
    let shut = |disabled| PersonChange { disabled: Some(disabled), ..PersonChange::default() };
    hub.access.update_person(&hub.admin, &handle("ada"), shut(true)).await.unwrap();
    assert!(matches!(hub.access.authenticate(&secret).await, Err(Error::Unauthenticated)));
    hub.access.update_person(&hub.admin, &handle("ada"), shut(false)).await.unwrap();
    assert!(hub.access.authenticate(&secret).await.is_ok());
}

#[rstest]
#[tokio::test]
async fn the_last_administrator_stays(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    for change in [
        PersonChange { administrator: Some(false), ..PersonChange::default() },
        PersonChange { disabled: Some(true), ..PersonChange::default() },
    ] {
        let refused = hub.access.update_person(&hub.admin, &handle("admin"), change).await;
        assert!(matches!(refused, Err(Error::LastAdministrator)), "{refused:?}");
    }
    assert!(hub.again(&PRESET.into()).await.viewer().is_administrator(), "nothing was changed");
    let (_, secret) = hub.person("ada", Scope::ALL).await;
    let promote = PersonChange { administrator: Some(true), ..PersonChange::default() };
    hub.access.update_person(&hub.admin, &handle("ada"), promote).await.unwrap();
    let ada = hub.again(&secret).await;
    let demote = PersonChange { administrator: Some(false), ..PersonChange::default() };
    hub.access.update_person(&ada, &handle("admin"), demote).await.unwrap();
    assert!(!hub.again(&PRESET.into()).await.viewer().is_administrator());
}

#[rstest]
#[tokio::test]
async fn only_administrators_manage_people_but_everyone_their_own_name(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::start(on).await else { return };
    let (ada, _) = hub.person("ada", Scope::ALL).await;
    let new = NewPerson { handle: handle("bob"), display_name: "Bob".to_owned(), administrator: false };
    assert_eq!(hub.access.create_person(&ada, new).await.unwrap_err().problem().code, Code::Forbidden);
    assert!(hub.access.people(&ada, None, PageSize::default()).await.is_err());
    let name = |text: &str| PersonChange { display_name: Some(text.to_owned()), ..PersonChange::default() };
    assert!(hub.access.update_person(&ada, &handle("admin"), name("x")).await.is_err());
    let promote = PersonChange { administrator: Some(true), ..name("Ada") };
    assert!(hub.access.update_person(&ada, &handle("ada"), promote).await.is_err());
    let renamed = hub.access.update_person(&ada, &handle("ada"), name("  Ada Lovelace ")).await.unwrap();
    assert_eq!(renamed.display_name, "Ada Lovelace");
    for bad in ["", " ", "two\nlines", &"x".repeat(101)] {
        let refused = hub.access.update_person(&ada, &handle("ada"), name(bad)).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{bad:?}");
    }
}
