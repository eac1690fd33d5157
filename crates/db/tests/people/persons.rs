//! Persons: unique handles, pages by handle, and who administers.

use kontor_db::persons;
use kontor_types::{PageSize, Timestamp};
use rstest::rstest;

use crate::fixtures::{NOW, a_person, add_person, handle};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_person_is_found_by_id_and_handle_and_a_handle_is_unique(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let ada = a_person("ada");
    add_person(&test.db, &ada).await.unwrap();
    assert!(add_person(&test.db, &a_person("ada")).await.unwrap_err().is_duplicate());
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(persons::by_id(&mut conn, ada.id).await.unwrap(), Some(ada.clone()));
    assert_eq!(persons::by_handle(&mut conn, &ada.handle).await.unwrap(), Some(ada));
    assert_eq!(persons::by_handle(&mut conn, &handle("bob")).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn pages_follow_the_handle(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    for name in ["cy", "ada-b", "ada", "bob", "ada1"] {
        add_person(&test.db, &a_person(name)).await.unwrap();
    }
    let mut conn = test.db.read().await.unwrap();
    let first = persons::list(&mut conn, None, PageSize::clamped(2)).await.unwrap();
    let names = |people: Vec<persons::Person>| people.into_iter().map(|it| it.handle.to_string()).collect::<Vec<_>>();
    assert_eq!(names(first), ["ada", "ada-b", "ada1"]);
    let next = persons::list(&mut conn, Some(&handle("ada-b")), PageSize::clamped(2)).await.unwrap();
    assert_eq!(names(next), ["ada1", "bob", "cy"]);
}

#[rstest]
#[tokio::test]
async fn a_disabled_administrator_does_not_count(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(test) = on.open().await else { return };
    let mut first = a_person("ada");
    first.administrator = true;
    let mut second = a_person("bob");
    second.administrator = true;
    second.created_at = Timestamp::from_micros(NOW.micros() + 1);
    for person in [&second, &first, &a_person("cy")] {
        add_person(&test.db, person).await.unwrap();
    }
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(persons::administrators(&mut conn).await.unwrap(), 2);
    assert_eq!(persons::first_administrator(&mut conn).await.unwrap().unwrap().id, first.id);
    drop(conn);
    let changed = persons::Person { disabled_at: Some(NOW), display_name: "Ada L.".to_owned(), ..first.clone() };
    let stored = changed.clone();
    assert!(
        test.db.write(move |tx| Box::pin(async move { persons::update(tx, &stored).await })).await.unwrap(),
        "the row was there"
    );
    let mut conn = test.db.read().await.unwrap();
    assert_eq!(persons::administrators(&mut conn).await.unwrap(), 1);
    assert_eq!(persons::by_id(&mut conn, first.id).await.unwrap(), Some(changed));
}
