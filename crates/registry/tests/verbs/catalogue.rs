//! Lists and search, as rows for whoever asks.

use kontor_registry::{Listing, Shelf, Sort};
use kontor_search::Query;
use kontor_types::{Code, Cursor, PageSize, Viewer, Visibility};
use rstest::rstest;

use crate::hub::{Hub, On, code, handle, reference, skill};

#[rstest]
#[tokio::test]
async fn lists_are_for_whoever_asks(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for name in ["pdf", "doc", "private"] {
        hub.publish(skill(name, "one")).await.unwrap();
        hub.pass(1);
    }
    hub.publish_other(skill("third", "one")).await.unwrap();
    hub.registry.set_visibility(&hub.ada(), &reference("@acme/private"), Visibility::Private).await.unwrap();
    hub.registry.hide(&hub.ada(), &reference("@acme/doc"), "").await.unwrap();
    let names = async |viewer: Viewer, listing: Listing| {
        let page = hub.registry.list(&viewer, &listing, PageSize::default(), None).await.unwrap();
        let count = hub.registry.count(&viewer, &listing).await.unwrap();
        assert_eq!(count, page.items.len() as u64);
        page.items.into_iter().map(|skill| skill.slug.to_string()).collect::<Vec<_>>()
    };
    let all = Listing::default;
    let by_name = || Listing { sort: Sort::Name, ..Listing::default() };
    assert_eq!(names(Viewer::anonymous(), all()).await, ["third", "pdf"]);
    assert_eq!(names(hub.ada().viewer, by_name()).await, ["pdf", "private", "third"]);
    assert_eq!(names(hub.ada().viewer, Listing { shelf: Shelf::Hidden, ..all() }).await, ["doc"]);
    let acme = |publisher| Listing { publisher: Some(handle(publisher)), ..all() };
    assert_eq!(names(Viewer::anonymous(), acme("acme")).await, ["pdf"]);
    assert!(names(Viewer::anonymous(), acme("nobody")).await.is_empty());
    let foreign = Cursor::of(&[&"name", &"a", &"b"]);
    let page = hub.registry.list(&Viewer::anonymous(), &all(), PageSize::default(), Some(&foreign)).await;
    assert_eq!(code(page), Code::InvalidCursor);
}

#[rstest]
#[tokio::test]
async fn search_answers_with_rows_as_they_are_now(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf-tools", "Reads the pages of a document.")).await.unwrap();
    hub.publish(skill("mail", "Sends letters.")).await.unwrap();
    hub.index().await;
    let anonymous = Viewer::anonymous();
    let found = hub.registry.search(Query::new("letters", &anonymous)).await.unwrap();
    assert_eq!(found.items.iter().map(|hit| hit.skill.slug.as_str()).collect::<Vec<_>>(), ["mail"]);
    assert!(found.items[0].score > 0.0);
    let suggested = hub.registry.suggest(&anonymous, "pdf", 5).unwrap();
    assert_eq!(suggested.len(), 1);
    // Hidden since the index last looked: the row is not told.
    hub.registry.hide(&hub.ada(), &reference("@acme/mail"), "").await.unwrap();
    assert!(hub.registry.search(Query::new("letters", &anonymous)).await.unwrap().items.is_empty());
}

#[rstest]
#[tokio::test]
async fn the_home_shares_its_places_out(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish_other(skill("first", "one")).await.unwrap();
    for name in ["one", "two", "three", "four"] {
        hub.pass(1);
        hub.publish(skill(name, "text")).await.unwrap();
    }
    hub.registry.set_visibility(&hub.ada(), &reference("@acme/four"), Visibility::Private).await.unwrap();
    let shown = async |viewer: Viewer, places: usize| {
        let found = hub.registry.newest_by_publisher(&viewer, places).await.unwrap();
        found.into_iter().map(|(skill, more)| (skill.slug.to_string(), more)).collect::<Vec<_>>()
    };
    let of = |name: &str, more: u64| (name.to_owned(), more);
    assert_eq!(shown(Viewer::anonymous(), 2).await, [of("three", 2), of("first", 0)]);
    assert_eq!(shown(Viewer::anonymous(), 3).await, [of("three", 1), of("first", 0), of("two", 0)]);
    assert_eq!(
        shown(Viewer::anonymous(), 1).await,
        [of("three", 2)],
        "what comes after another publisher is not counted"
    );
    assert_eq!(shown(hub.ada().viewer, 2).await, [of("four", 3), of("first", 0)]);
    hub.index().await;
    let counted = hub.registry.facets_for_home(&Viewer::anonymous()).unwrap();
    let publishers = counted.iter().find(|facet| facet.name == "publisher").unwrap();
    let counts: Vec<_> = publishers.values.iter().map(|one| (one.value.as_str(), one.count)).collect();
    assert_eq!(counts, [("acme", 3), ("other", 1)]);
}
