//! Publishers: who may know of one.

use kontor_db::{Conn, Db, publishers};
use kontor_types::{PageSize, PublisherId, Role, Viewer};
use rstest::rstest;

use crate::fixtures::{NOW, a_person, a_publisher, add_person, add_publisher, handle};
use crate::support::On;

async fn listed(conn: &mut Conn, viewer: &Viewer) -> Vec<String> {
    let all = publishers::list(conn, viewer, None, PageSize::default()).await.unwrap();
    all.into_iter().map(|publisher| publisher.handle.to_string()).collect()
}

async fn rename(db: &Db, id: PublisherId, name: &'static str) -> bool {
    db.write(move |tx| Box::pin(async move { publishers::set_display_name(tx, id, name).await })).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn only_members_and_administrators_know_a_publisher_without_visible_skills(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(test) = on.open().await else { return };
    let (ada, acme, other) = (a_person("ada"), a_publisher("acme"), a_publisher("other"));
    add_person(&test.db, &ada).await.unwrap();
    add_publisher(&test.db, &acme).await.unwrap();
    add_publisher(&test.db, &other).await.unwrap();
    let member = Viewer::person(ada.id, vec![(acme.id, Role::Member), (PublisherId::new(NOW), Role::Owner)]);
    let mut conn = test.db.read().await.unwrap();
    for (viewer, knows, list) in [
        (Viewer::anonymous(), false, vec![]),
        (Viewer::person(ada.id, vec![]), false, vec![]),
        (member, true, vec!["acme"]),
        (Viewer::hub(), true, vec!["acme", "other"]),
    ] {
        let found = publishers::find(&mut conn, &viewer, &handle("acme")).await.unwrap();
        assert_eq!(found.is_some(), knows, "{viewer:?}");
        assert_eq!(listed(&mut conn, &viewer).await, list, "{viewer:?}");
    }
    assert_eq!(publishers::by_id(&mut conn, acme.id).await.unwrap(), Some(acme.clone()));
    assert_eq!(publishers::by_handle(&mut conn, &acme.handle).await.unwrap(), Some(acme));
}

#[rstest]
#[tokio::test]
async fn a_handle_is_unique_and_the_shown_name_changes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let acme = a_publisher("acme");
    add_publisher(&test.db, &acme).await.unwrap();
    assert!(add_publisher(&test.db, &a_publisher("acme")).await.unwrap_err().is_duplicate());
    assert!(rename(&test.db, acme.id, "Acme Ltd").await);
    assert!(!rename(&test.db, PublisherId::new(NOW), "nobody").await);
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(publishers::by_id(&mut conn, acme.id).await.unwrap().unwrap().display_name, "Acme Ltd");
}
