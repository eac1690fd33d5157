//! What is kept in memory never outlives a change, and is never more than everybody may see.

use std::sync::atomic::{AtomicBool, Ordering};

use kontor_registry::{FEED_MEMORY, Publish};
use kontor_types::{Viewer, Visibility};
use rstest::rstest;

use crate::hub::{Hub, On, handle, numbered, reference, skill};

#[rstest]
#[tokio::test]
async fn whoever_writes_reads_it_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let anonymous = Viewer::anonymous();
    for number in 0..5 {
        let version = format!("1.{number}.0");
        let published = hub.publish(numbered("pdf", &version, "text")).await.unwrap();
        for name in ["pdf", "@acme/pdf", "@acme/pdf@latest", &published.reference().to_string()] {
            assert_eq!(hub.latest(&anonymous, name).await, version, "{name}");
            assert_eq!(hub.latest(&anonymous, name).await, version, "{name} again, now from memory");
        }
        let files = hub.registry.files(&anonymous, published.version_id).await.unwrap();
        assert_eq!(files.len(), 1);
        hub.registry.hide_version(&hub.ada(), &published.reference(), "").await.unwrap();
        assert!(hub.registry.files(&anonymous, published.version_id).await.unwrap().is_empty());
        assert_eq!(hub.registry.files(&hub.ada().viewer, published.version_id).await.unwrap().len(), 1);
        hub.registry.restore_version(&hub.ada(), &published.reference()).await.unwrap();
    }
    let pdf = reference("@acme/pdf");
    hub.registry.rename(&hub.ada(), &pdf, &"papers".parse().unwrap()).await.unwrap();
    assert_eq!(hub.registry.skill(&anonymous, &pdf).await.unwrap().slug.as_str(), "papers");
    hub.publish_other(skill("papers", "one")).await.unwrap();
    assert_eq!(hub.latest(&anonymous, "papers").await, "ambiguous_slug");
    hub.registry.set_visibility(&hub.ada(), &pdf, Visibility::Private).await.unwrap();
    assert_eq!(hub.latest(&anonymous, "papers").await, "0.1.0");
    assert_eq!(hub.latest(&anonymous, "@acme/pdf").await, "skill_not_found");
    assert_eq!(hub.latest(&hub.ada().viewer, "@acme/pdf").await, "1.4.0");
}

#[rstest]
#[tokio::test]
async fn what_was_forgotten_before_it_was_heard_of_empties_the_memory(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let anonymous = Viewer::anonymous();
    hub.publish(numbered("pdf", "1.0.0", "text")).await.unwrap();
    assert_eq!(hub.latest(&anonymous, "@acme/pdf").await, "1.0.0");
    // Another process of the same hub publishes, and the feed forgets that before this one looks.
    hub.elsewhere().publish(&hub.ada(), Publish::new(handle("acme"), numbered("pdf", "1.1.0", "new"))).await.unwrap();
    hub.pass(FEED_MEMORY.as_secs() + 1);
    hub.elsewhere().prune_feed().await.unwrap();
    hub.publish(skill("doc", "Writes.")).await.unwrap();
    assert_eq!(hub.latest(&anonymous, "@acme/pdf").await, "1.1.0");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_beside_a_writer_never_see_what_is_over(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "one")).await.unwrap();
    let (pdf, done) = (reference("@acme/pdf"), AtomicBool::new(false));
    let readers = futures::future::join_all((0..4).map(|_| async {
        while !done.load(Ordering::SeqCst) {
            let _ = hub.registry.skill(&Viewer::anonymous(), &pdf).await;
            tokio::task::yield_now().await;
        }
    }));
    let writer = async {
        for round in 0..40 {
            let visibility = if round % 2 == 0 { Visibility::Private } else { Visibility::Public };
            hub.registry.set_visibility(&hub.ada(), &pdf, visibility).await.unwrap();
            let seen = hub.registry.skill(&Viewer::anonymous(), &pdf).await.is_ok();
            assert_eq!(seen, visibility == Visibility::Public, "round {round}");
        }
        done.store(true, Ordering::SeqCst);
    };
    tokio::join!(readers, writer);
}
