//! Members: roles change in place, and owners are counted.

use kontor_db::members;
use kontor_db::persons::Person;
use kontor_types::{Role, Timestamp};
use rstest::rstest;

use crate::fixtures::{a_person, a_publisher, add_member, add_person, add_publisher};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_membership_is_made_changed_and_ended(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let (ada, bob, acme) = (a_person("ada"), a_person("bob"), a_publisher("acme"));
    add_person(&test.db, &ada).await.unwrap();
    add_person(&test.db, &bob).await.unwrap();
    add_publisher(&test.db, &acme).await.unwrap();
    add_member(&test.db, acme.id, bob.id, Role::Member).await;
    add_member(&test.db, acme.id, ada.id, Role::Owner).await;
    add_member(&test.db, acme.id, bob.id, Role::Maintainer).await;
    let mut conn = test.db.read().await.unwrap();
    let listed = members::of_publisher(&mut conn, acme.id).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|member| (member.handle.as_str(), member.role)).collect();
    assert_eq!(listed, [("ada", Role::Owner), ("bob", Role::Maintainer)]);
    assert_eq!(members::owners(&mut conn, acme.id).await.unwrap(), 1);
    assert_eq!(members::role(&mut conn, acme.id, bob.id).await.unwrap(), Some(Role::Maintainer));
    let mine = members::of_person(&mut conn, bob.id).await.unwrap();
    assert_eq!(mine.len(), 1);
    assert_eq!((mine[0].publisher_id, mine[0].handle.as_str(), mine[0].role), (acme.id, "acme", Role::Maintainer));
    drop(conn);
    let end = || test.db.write(move |tx| Box::pin(async move { members::remove(tx, acme.id, bob.id).await }));
    assert!(end().await.unwrap());
    assert!(!end().await.unwrap(), "there was nothing left to end");
}

#[rstest]
#[tokio::test]
async fn members_and_administrators_are_told_apart(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let (acme, at) = (a_publisher("acme"), Some(Timestamp::from_micros(1)));
    add_publisher(&test.db, &acme).await.unwrap();
    let people = [
        (Person { disabled_at: at, ..a_person("away") }, Some(Role::Reviewer)),
        (Person { administrator: true, ..a_person("both") }, Some(Role::Owner)),
        (Person { disabled_at: at, administrator: true, ..a_person("gone") }, None),
        (a_person("member"), Some(Role::Member)),
        (Person { administrator: true, ..a_person("root") }, None),
        (a_person("stranger"), None),
    ];
    for (person, role) in people {
        add_person(&test.db, &person).await.unwrap();
        if let Some(role) = role {
            add_member(&test.db, acme.id, person.id, role).await;
        }
    }
    let found = members::and_administrators(&mut test.db.read().await.unwrap(), acme.id).await.unwrap();
    let found: Vec<_> = found.iter().map(|one| (one.handle.as_str(), one.administrator, one.role)).collect();
    assert_eq!(found, [("both", true, Some(Role::Owner)), ("member", false, Some(Role::Member)), ("root", true, None)]);
}
