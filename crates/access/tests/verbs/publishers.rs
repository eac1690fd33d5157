//! Organisations and their members.

use futures::future::join_all;
use kontor_access::{Caller, Error};
use kontor_types::{Code, PageSize, Role, Scope, Viewer};
use rstest::rstest;

use crate::support::{Hub, On, handle};

async fn put(hub: &Hub, by: &Caller, person: &str, role: Role) -> Result<(), Error> {
    hub.access.put_member(by, &handle("acme"), &handle(person), role).await.map(|_| ())
}

/// Ada owns Acme; Bob and Cy have accounts.
async fn acme(on: On) -> Option<(Hub, Caller)> {
    let hub = Hub::start(on).await?;
    let (ada, secret) = hub.person("ada", Scope::ALL).await;
    hub.person("bob", Scope::ALL).await;
    hub.person("cy", Scope::ALL).await;
    hub.access.create_organisation(&ada, &handle("acme"), Some("Acme Ltd")).await.unwrap();
    let ada = hub.again(&secret).await;
    Some((hub, ada))
}

#[rstest]
#[tokio::test]
async fn members_see_the_organisation_and_strangers_do_not(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some((hub, ada)) = acme(on).await else { return };
    put(&hub, &ada, "bob", Role::Member).await.unwrap();
    let (bob, _) = hub.sign_in("bob", &[Scope::Read]).await;
    let (cy, _) = hub.sign_in("cy", &[Scope::Read]).await;
    let known = hub.access.publisher(bob.viewer(), &handle("acme")).await.unwrap();
    assert_eq!((known.role, known.publisher.display_name.as_str()), (Some(Role::Member), "Acme Ltd"));
    let members = hub.access.members(&bob, &handle("acme")).await.unwrap();
    let members: Vec<_> = members.iter().map(|member| (member.handle.as_str(), member.role)).collect();
    assert_eq!(members, [("ada", Role::Owner), ("bob", Role::Member)]);
    for viewer in [cy.viewer(), &Viewer::anonymous()] {
        let unknown = hub.access.publisher(viewer, &handle("nobody")).await.unwrap_err().to_string();
        let hidden = hub.access.publisher(viewer, &handle("acme")).await.unwrap_err().to_string();
        assert_eq!(hidden.replace("acme", "nobody"), unknown);
    }
    let listed = hub.access.publishers(bob.viewer(), None, PageSize::default()).await.unwrap();
    let names: Vec<_> = listed.items.iter().map(|known| known.publisher.handle.as_str()).collect();
    assert_eq!(names, ["acme", "bob"]);
}

#[rstest]
#[tokio::test]
async fn admins_manage_members_but_only_owners_make_owners(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some((hub, ada)) = acme(on).await else { return };
    put(&hub, &ada, "bob", Role::Admin).await.unwrap();
    let (bob, _) = hub.sign_in("bob", Scope::ALL).await;
    put(&hub, &bob, "cy", Role::Maintainer).await.unwrap();
    assert!(matches!(put(&hub, &bob, "cy", Role::Owner).await, Err(Error::Role { .. })));
    assert!(matches!(put(&hub, &bob, "ada", Role::Member).await, Err(Error::Role { .. })));
    let (cy, _) = hub.sign_in("cy", Scope::ALL).await;
    assert!(matches!(put(&hub, &cy, "bob", Role::Member).await, Err(Error::Role { .. })));
    let (bob_to_publish, _) = hub.sign_in("bob", &[Scope::Publish]).await;
    assert!(matches!(put(&hub, &bob_to_publish, "cy", Role::Member).await, Err(Error::Scope { .. })));
    assert!(matches!(put(&hub, &ada, "nobody", Role::Member).await, Err(Error::PersonNotFound { .. })));
}

#[rstest]
#[tokio::test]
async fn an_organisation_keeps_an_owner(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some((hub, ada)) = acme(on).await else { return };
    let acme = handle("acme");
    assert!(matches!(hub.access.remove_member(&ada, &acme, &handle("ada")).await, Err(Error::LastOwner)));
    assert!(matches!(put(&hub, &ada, "ada", Role::Member).await, Err(Error::LastOwner)));
    put(&hub, &ada, "bob", Role::Owner).await.unwrap();
    let (bob, _) = hub.sign_in("bob", Scope::ALL).await;
    // Each removes the other at the same moment: one of them must stay.
    let names = (handle("ada"), handle("bob"));
    let (one, other) =
        tokio::join!(hub.access.remove_member(&ada, &acme, &names.1), hub.access.remove_member(&bob, &acme, &names.0),);
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
}

#[rstest]
#[tokio::test]
async fn members_may_leave_and_lose_their_rights_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some((hub, ada)) = acme(on).await else { return };
    put(&hub, &ada, "bob", Role::Maintainer).await.unwrap();
    let (bob, secret) = hub.sign_in("bob", Scope::ALL).await;
    let acme = hub.access.publisher(bob.viewer(), &handle("acme")).await.unwrap().publisher;
    assert!(bob.require_role(acme.id, Role::Maintainer, Scope::Publish).is_ok());
    hub.access.remove_member(&bob, &handle("acme"), &handle("bob")).await.unwrap();
    let bob = hub.again(&secret).await;
    assert!(bob.require_role(acme.id, Role::Member, Scope::Read).is_err());
}

#[rstest]
#[tokio::test]
async fn one_persons_publisher_takes_no_members(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some((hub, ada)) = acme(on).await else { return };
    let refused = hub.access.put_member(&ada, &handle("ada"), &handle("bob"), Role::Member).await;
    assert!(matches!(refused, Err(Error::Personal { .. })), "{refused:?}");
}

#[rstest]
#[tokio::test]
async fn a_bulk_import_makes_missing_publishers_for_administrators_only(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some((hub, ada)) = acme(on).await else { return };
    let name = handle("imported");
    assert!(matches!(hub.access.ensure_publisher(&ada, &name).await, Err(Error::PublisherNotFound { .. })));
    let made = join_all((0..8).map(|_| hub.access.ensure_publisher(&hub.admin, &name))).await;
    let made: Vec<_> = made.into_iter().map(|publisher| publisher.unwrap().id).collect();
    assert!(made.iter().all(|id| *id == made[0]), "one import may ask many times at once");
    let own = hub.access.ensure_publisher(&ada, &handle("acme")).await.unwrap();
    assert_eq!(own.handle, handle("acme"));
    // What a stranger learns of a hidden publisher is what they learn of none.
    let (bob, _) = hub.sign_in("bob", Scope::ALL).await;
    let hidden = hub.access.ensure_publisher(&bob, &handle("acme")).await.unwrap_err();
    assert_eq!(hidden.problem().code, Code::PublisherNotFound);
}
