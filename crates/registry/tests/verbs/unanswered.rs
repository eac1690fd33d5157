//! What people looked for and did not find.

use std::time::Duration;

use kontor_access::Caller;
use kontor_registry::UnansweredSearch;
use kontor_search::{Filters, Query};
use kontor_types::{Viewer, Visibility};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::hub::{Hub, On, numbered, reference};

const DAY: u64 = 24 * 60 * 60;

async fn search(hub: &Hub, caller: &Caller, text: &str) {
    hub.registry.search_by(caller, Query::new(text, caller.viewer())).await.unwrap();
}

/// Somebody at an address of their own: more than enough to fill three heaps.
fn crowd() -> Vec<Caller> {
    (0..16).map(|number| Caller::anonymous().via(Some([198, 51, 100, number].into()), None)).collect()
}

async fn told(hub: &Hub, viewer: &Viewer, days: u32) -> Vec<(String, u64)> {
    hub.registry.flush_unanswered().await.unwrap();
    let found = hub.registry.unanswered(viewer, days, 10).await.unwrap();
    found.into_iter().map(|UnansweredSearch { words, searches, .. }| (words, searches)).collect()
}

#[rstest]
#[tokio::test]
async fn what_several_callers_did_not_find_is_told(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(numbered("pdf", "1.0.0", "one")).await.unwrap();
    hub.registry.catch_up().await.unwrap();
    for caller in crowd() {
        search(&hub, &caller, "File my  TAXES").await;
        search(&hub, &caller, "pdf").await;
        search(&hub, &caller, "ask ada@example.org").await;
        let viewer = caller.viewer();
        let filters = Filters { keyword: Some("none".to_owned()), ..Filters::default() };
        let filtered = Query { filters, ..Query::new("water plants", viewer) };
        hub.registry.search_by(&caller, filtered).await.unwrap();
    }
    for _ in 0..20 {
        search(&hub, &hub.ada(), "my private plan").await;
        search(&hub, &hub.bob(), "my private plan").await;
        search(&hub, &Caller::anonymous(), "my private plan").await;
    }
    let everybody = Viewer::anonymous();
    assert_eq!(told(&hub, &everybody, 30).await, [("file my taxes".to_owned(), 16)]);
    hub.pass(DAY);
    search(&hub, &hub.eve(), "file my taxes").await;
    let found = told(&hub, &everybody, 30).await;
    assert_eq!(found, [("file my taxes".to_owned(), 17)]);
    let last = hub.registry.unanswered(&everybody, 30, 10).await.unwrap()[0].last;
    hub.pass(DAY);
    assert_eq!(kontor_types::Clock::now(&*hub.clock).day().number() - last.number(), 1);
    assert!(told(&hub, &everybody, 2).await.is_empty(), "only Eve asked then");
    assert_eq!(told(&hub, &everybody, 3).await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn what_a_viewer_finds_by_now_is_not_told_to_them(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for caller in crowd() {
        search(&hub, &caller, "gardening").await;
    }
    let (everybody, member) = (Viewer::anonymous(), hub.ada());
    assert_eq!(told(&hub, &everybody, 30).await.len(), 1);
    hub.publish(numbered("gardening", "1.0.0", "Water the plants.")).await.unwrap();
    hub.registry.set_visibility(&hub.ada(), &reference("@acme/gardening"), Visibility::Private).await.unwrap();
    hub.registry.catch_up().await.unwrap();
    assert_eq!(told(&hub, &everybody, 30).await.len(), 1, "a private skill answers nobody else");
    assert!(told(&hub, member.viewer(), 30).await.is_empty());
    hub.registry.set_visibility(&hub.ada(), &reference("@acme/gardening"), Visibility::Public).await.unwrap();
    hub.registry.catch_up().await.unwrap();
    assert!(told(&hub, &everybody, 30).await.is_empty());
}

/// Otherwise one caller would be counted as several by being counted elsewhere, or after a new start.
#[rstest]
#[tokio::test]
async fn every_process_counts_callers_in_the_same_heaps(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let (ada, bob) = (hub.ada(), hub.bob());
    for _ in 0..8 {
        let elsewhere = hub.elsewhere();
        for caller in [&ada, &bob] {
            elsewhere.search_by(caller, Query::new("sing me to sleep", caller.viewer())).await.unwrap();
        }
        assert_eq!(elsewhere.flush_unanswered().await.unwrap(), 1);
    }
    assert!(told(&hub, &Viewer::anonymous(), 30).await.is_empty(), "two callers are two, however often they ask");
}

#[rstest]
#[tokio::test]
async fn the_home_tells_what_everybody_looks_for_in_vain(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for caller in crowd() {
        search(&hub, &caller, "water plants").await;
    }
    hub.registry.flush_unanswered().await.unwrap();
    let told = hub.registry.requests_of_everybody().await.unwrap();
    assert_eq!(told.iter().map(|request| request.words.as_str()).collect::<Vec<_>>(), ["water plants"]);
}

#[rstest]
#[tokio::test]
async fn what_the_home_tells_is_counted_without_its_readers(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let stop = CancellationToken::new();
    let keeper = tokio::spawn({
        let (registry, stop) = (hub.registry.clone(), stop.clone());
        async move { registry.keep_home(stop).await }
    });
    tokio::task::yield_now().await;
    for caller in crowd() {
        search(&hub, &caller, "water plants").await;
    }
    hub.registry.flush_unanswered().await.unwrap();
    hub.publish(crate::hub::skill("pdf", "Reads parchment.")).await.unwrap();
    hub.index().await;
    let told = async {
        while hub.registry.requests_of_everybody().await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("nobody counted");
    let other = hub.elsewhere();
    assert!(!other.requests_of_everybody().await.unwrap().is_empty(), "where nobody keeps them, who asks counts");
    stop.cancel();
    keeper.await.unwrap();
}
