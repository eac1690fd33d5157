//! Counting downloads and installs.

use kontor_types::{Viewer, Visibility};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::hub::{Hub, On, numbered, reference};

#[rstest]
#[tokio::test]
async fn counts_are_written_together_and_fade(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let first = hub.publish(numbered("pdf", "1.0.0", "one")).await.unwrap();
    let second = hub.publish(numbered("pdf", "2.0.0", "two")).await.unwrap();
    for _ in 0..3 {
        hub.registry.count_download(first.skill_id, first.version_id);
    }
    hub.registry.count_install(second.skill_id, second.version_id);
    assert_eq!(hub.registry.flush_usage().await.unwrap(), 2);
    assert_eq!(hub.registry.flush_usage().await.unwrap(), 0);
    let (anonymous, pdf) = (Viewer::anonymous(), reference("@acme/pdf"));
    let counters = async || {
        let skill = hub.registry.skill(&anonymous, &pdf).await.unwrap();
        (skill.downloads, skill.installs, skill.trending)
    };
    assert_eq!(counters().await, (3, 1, 4));
    hub.pass(24 * 60 * 60);
    hub.registry.count_download(second.skill_id, second.version_id);
    hub.registry.flush_usage().await.unwrap();
    let days = hub.registry.usage(&anonymous, &pdf, 2).await.unwrap();
    assert_eq!(days.iter().map(|day| (day.downloads, day.installs)).collect::<Vec<_>>(), [(3, 1), (1, 0)]);
    assert_eq!(hub.registry.usage(&anonymous, &pdf, 1).await.unwrap().len(), 1);
    let versions = hub.registry.usage_by_version(&anonymous, &pdf).await.unwrap();
    assert_eq!(versions.iter().map(|row| row.version_id).collect::<Vec<_>>(), [first.version_id, second.version_id]);
    hub.pass(6 * 24 * 60 * 60);
    let stop = CancellationToken::new();
    stop.cancel();
    assert_eq!(hub.registry.refresh_trending(&stop).await.unwrap(), 0, "a hub that stops leaves it for the next time");
    assert_eq!(hub.registry.refresh_trending(&CancellationToken::new()).await.unwrap(), 1);
    assert_eq!(counters().await, (4, 1, 1));
    hub.registry.set_visibility(&hub.ada(), &pdf, Visibility::Private).await.unwrap();
    assert!(hub.registry.usage(&anonymous, &pdf, 30).await.is_err());
}

#[rstest]
#[tokio::test]
async fn everybody_sees_counters_that_moved_and_the_index_hears_of_the_last(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = Hub::new(on).await else { return };
    let pdf = hub.publish(numbered("pdf", "1.0.0", "one")).await.unwrap();
    let anonymous = Viewer::anonymous();
    for round in 1..=3 {
        for name in ["@acme/pdf", "pdf"] {
            let skill = hub.registry.skill(&anonymous, &reference(name)).await.unwrap();
            assert_eq!(skill.downloads, round - 1, "{name}, kept in memory from here on");
        }
        hub.registry.count_download(pdf.skill_id, pdf.version_id);
        hub.registry.flush_usage().await.unwrap();
    }
    assert!(hub.registry.catch_up().await.unwrap() > 0);
    hub.registry.flush_usage().await.unwrap();
    assert_eq!(hub.registry.catch_up().await.unwrap(), 0, "one skill's counters are told once a minute");
    hub.pass(61);
    hub.registry.flush_usage().await.unwrap();
    assert_eq!(hub.registry.catch_up().await.unwrap(), 1, "what moved since is told although nobody uses it any more");
    hub.pass(61);
    hub.registry.flush_usage().await.unwrap();
    assert_eq!(hub.registry.catch_up().await.unwrap(), 0);
}
