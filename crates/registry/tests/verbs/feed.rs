//! The search index follows what is done.

use std::num::NonZeroU32;
use std::time::Duration;

use kontor_registry::{FEED_MEMORY, Progress};
use kontor_search::{Building, Query};
use kontor_types::{PublisherId, SkillId, Viewer, Visibility};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::hub::{Hub, On, files, reference, skill};

async fn finds(hub: &Hub, words: &str) -> Vec<String> {
    let viewer = Viewer::anonymous();
    let found = hub.registry.search(Query::new(words, &viewer)).await.unwrap();
    found.items.into_iter().map(|hit| hit.skill.slug.to_string()).collect()
}

#[rstest]
#[tokio::test]
async fn what_is_done_is_found(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    assert!(hub.registry.index_is_current().await.unwrap());
    hub.publish(skill("pdf", "Reads parchment.")).await.unwrap();
    assert!(!hub.registry.index_is_current().await.unwrap());
    hub.index().await;
    assert_eq!(finds(&hub, "parchment").await, ["pdf"]);
    hub.publish(skill("pdf", "Reads papyrus.")).await.unwrap();
    hub.index().await;
    assert!(finds(&hub, "parchment").await.is_empty());
    assert_eq!(finds(&hub, "papyrus").await, ["pdf"]);
    hub.registry.set_visibility(&hub.ada(), &reference("@acme/pdf"), Visibility::Private).await.unwrap();
    hub.index().await;
    assert_eq!(hub.found_by_index("papyrus", &Viewer::anonymous()), 0);
    assert_eq!(hub.found_by_index("papyrus", &hub.ada().viewer), 1);
    hub.registry.delete(&hub.ada(), &reference("@acme/pdf"), "").await.unwrap();
    hub.index().await;
    assert_eq!(hub.found_by_index("papyrus", &Viewer::hub()), 0);
}

#[rstest]
#[tokio::test]
async fn the_text_is_read_where_the_skill_has_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let odd = files(&[
        ("a.md", "zebra"),
        ("Skill.md", "---\nname: odd\ndescription: Odd.\nsecretword: giraffe\n---\nmeerkat"),
        ("z.md", "zebra"),
    ]);
    hub.publish(odd).await.unwrap();
    hub.index().await;
    for (word, expected) in [("meerkat", 1), ("zebra", 0), ("giraffe", 0)] {
        assert_eq!(hub.found_by_index(word, &Viewer::hub()), expected, "{word}");
    }
}

#[rstest]
#[tokio::test]
async fn a_skill_is_found_by_its_chinese_description(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let front = "name: video\ndescription: Edits videos.\nmetadata:\n  description-zh: 按文字描述剪辑视频。";
    hub.publish(files(&[("SKILL.md", &format!("---\n{front}\n---\nCut here.\n"))])).await.unwrap();
    hub.index().await;
    assert_eq!(finds(&hub, "剪辑视频").await, ["video"]);
    assert_eq!(finds(&hub, "edits videos").await, ["video"]);
    let found = hub.registry.skill(&Viewer::anonymous(), &reference("@acme/video")).await.unwrap();
    assert_eq!(found.description, "Edits videos.");
}

#[rstest]
#[tokio::test]
async fn an_index_that_knows_too_much_is_built_anew(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "Reads parchment.")).await.unwrap();
    let ghost = kontor_search::Document {
        skill: kontor_types::SkillId::new(crate::hub::START),
        publisher: PublisherId::new(crate::hub::START),
        handle: crate::hub::handle("ghost"),
        slug: kontor_types::Slug::parse("ghost").unwrap(),
        display_name: "ghost".to_owned(),
        description: "parchment".to_owned(),
        description_derived: false,
        body: String::new(),
        keywords: vec![],
        categories: vec![],
        license: None,
        copy_of: None,
        visibility: Visibility::Public,
        spec_valid: true,
        downloads: 0,
        installs: 0,
        stars: 0,
        trending: 0.0,
        updated: crate::hub::START,
        created: crate::hub::START,
    };
    hub.search.apply(&[kontor_search::Change::Upsert(Box::new(ghost))], 999).unwrap();
    hub.index().await;
    assert_eq!(hub.found_by_index("parchment", &Viewer::hub()), 1);
    assert_eq!(finds(&hub, "parchment").await, ["pdf"]);
}

#[rstest]
#[tokio::test]
async fn an_index_older_than_the_feed_is_built_anew(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(false, true)] changed_since: bool,
) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("gone", "Reads parchment.")).await.unwrap();
    hub.publish(skill("kept", "Reads parchment.")).await.unwrap();
    hub.index().await;
    let known = hub.search.sequence();
    hub.registry.delete(&hub.ada(), &reference("@acme/gone"), "").await.unwrap();
    hub.publish(skill("new", "Reads parchment.")).await.unwrap();
    assert_eq!(hub.registry.prune_feed().await.unwrap(), 0, "nothing is old enough");
    hub.pass(FEED_MEMORY.as_secs() + 1);
    if changed_since {
        hub.publish(skill("newer", "Reads parchment.")).await.unwrap();
    }
    assert_eq!(hub.registry.prune_feed().await.unwrap(), known + 3);
    assert!(!hub.registry.index_is_current().await.unwrap());
    hub.index().await;
    assert!(hub.registry.index_is_current().await.unwrap());
    assert_eq!(hub.found_by_index("parchment", &Viewer::hub()), if changed_since { 3 } else { 2 });
    assert_eq!(hub.registry.catch_up().await.unwrap(), 0, "once is enough");
    hub.publish(skill("newest", "Reads papyrus.")).await.unwrap();
    assert_eq!(hub.registry.catch_up().await.unwrap(), 2, "from here on it follows");
}

const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

#[rstest]
#[tokio::test]
async fn an_index_made_from_the_beginning_goes_on_where_it_was(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for name in ["one", "two", "three", "four", "five"] {
        hub.publish(skill(name, "Reads parchment.")).await.unwrap();
    }
    let newest = || async { hub.registry.index_lacks().await.unwrap() + hub.search.sequence() };
    let before = newest().await;
    let registry = hub.registry.clone().indexing_by(TWO);
    assert_eq!(registry.catch_up().await.unwrap(), 2);
    assert_eq!(registry.index_progress().await.unwrap(), Progress::Built { skills: 2, of: 5 });
    assert_eq!(registry.index_progress().await.unwrap().percent(), Some(40));
    assert!(!registry.index_is_current().await.unwrap());
    let first = hub.search.building().unwrap();
    assert_eq!(first.until, before);

    // Meanwhile one that is in goes, and others come; and another process goes on.
    hub.registry.delete(&hub.ada(), &reference("@acme/one"), "").await.unwrap();
    hub.publish(skill("six", "Reads parchment.")).await.unwrap();
    let registry = hub.elsewhere_with(&hub.search).indexing_by(TWO);
    assert_eq!(registry.catch_up().await.unwrap(), 2);
    assert_eq!(hub.search.len(), 4, "nothing of the first batch was taken again, and nothing of it is lost");
    let second = hub.search.building().unwrap();
    assert_eq!((second.until, second.after > first.after), (before, true));
    while registry.catch_up().await.unwrap() > 0 {}
    assert!(registry.index_is_current().await.unwrap());
    assert_eq!((hub.search.building(), hub.search.sequence()), (None, newest().await));
    assert_eq!(registry.index_progress().await.unwrap(), Progress::Current);
    let mut found = finds(&hub, "parchment").await;
    found.sort_unstable();
    assert_eq!(found, ["five", "four", "six", "three", "two"]);
    assert_eq!(hub.search.len(), 5);
}

#[rstest]
#[tokio::test]
async fn an_index_that_is_made_of_a_database_that_went_back_begins_anew(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for name in ["one", "two"] {
        hub.publish(skill(name, "Reads parchment.")).await.unwrap();
    }
    let last = SkillId::from(uuid::Uuid::max());
    hub.search.build(&[], Building { until: 999, after: last }).unwrap();
    hub.index().await;
    assert_eq!(hub.search.len(), 2);
    assert!(hub.registry.index_is_current().await.unwrap());
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_in_the_middle_is_heeded_and_loses_nothing(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(false, true)] followed: bool,
) {
    let Some(hub) = Hub::new(on).await else { return };
    if followed {
        hub.publish(skill("first", "Reads parchment.")).await.unwrap();
        hub.index().await;
    }
    let known = hub.search.len();
    for number in 0..12 {
        hub.publish(skill(&format!("skill-{number}"), "Reads parchment.")).await.unwrap();
    }
    let mut registry = hub.registry.clone().indexing_by(NonZeroU32::MIN);
    let mut stops = 0;
    while !registry.index_is_current().await.unwrap() {
        let stop = CancellationToken::new();
        let before = hub.search.sequence().max(hub.search.len());
        let follower = tokio::spawn({
            let (registry, stop) = (registry.clone(), stop.clone());
            async move { registry.follow(stop).await }
        });
        while hub.search.sequence().max(hub.search.len()) == before {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(20), follower).await.unwrap().unwrap();
        registry = hub.elsewhere_with(&hub.search).indexing_by(NonZeroU32::MIN);
        stops += 1;
    }
    assert!(stops > 2, "it stopped only when everything was done");
    assert_eq!(hub.search.len(), known + 12);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publish_is_found_within_a_second(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let stop = CancellationToken::new();
    let follower = tokio::spawn({
        let (registry, stop) = (hub.registry.clone(), stop.clone());
        async move { registry.follow(stop).await }
    });
    for word in ["parchment", "papyrus", "vellum"] {
        hub.publish(skill(word, word)).await.unwrap();
        let start = std::time::Instant::now();
        while finds(&hub, word).await.is_empty() {
            assert!(start.elapsed() < Duration::from_secs(5), "{word} was never found");
            tokio::task::yield_now().await;
        }
        eprintln!("found {word} after {:?}", start.elapsed());
    }
    stop.cancel();
    follower.await.unwrap();
}
