use std::time::{Duration, SystemTime};

use kontor_db::{skills, tags, versions};
use kontor_registry::collect::{GRACE, collect};
use kontor_registry::fsck::{self, FaultKind, Options, Report};
use kontor_types::{Code, SkillId, TagName, VersionId, Viewer};
use rstest::rstest;

use crate::hub::{Hub, On, START, code, reference, skill};

async fn check(hub: &Hub, mend: bool) -> Report {
    fsck::check(&hub.db, &hub.blobs, Options { deep: true, mend }, START, |_| ()).await.unwrap()
}

fn kinds(report: &Report) -> Vec<FaultKind> {
    report.faults.iter().map(|fault| fault.kind).collect()
}

/// Makes a blob as old as if it had been put `age` ago.
fn age(hub: &Hub, digest: &kontor_types::Digest, age: Duration) {
    let path = hub.blobs.local_path(digest).unwrap();
    std::fs::File::open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
}

#[rstest]
#[tokio::test]
async fn a_sound_hub_has_no_faults(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "Reads.")).await.unwrap();
    let report = check(&hub, false).await;
    assert_eq!((report.blobs, report.faults.as_slice()), (1, [].as_slice()));
}

#[rstest]
#[tokio::test]
async fn lost_content_is_named_and_hidden_until_it_comes_back(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let first = hub.publish(skill("pdf", "Reads.")).await.unwrap();
    let second = hub.publish(skill("doc", "Writes.")).await.unwrap();
    hub.blobs.delete(&first.digest).await.unwrap();
    let damaged = hub.blobs.local_path(&second.digest).unwrap();
    let mut bytes = std::fs::read(&damaged).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&damaged, bytes).unwrap();

    let mut found = kinds(&check(&hub, false).await);
    found.sort();
    assert_eq!(found, [FaultKind::BlobMissing, FaultKind::BlobCorrupt]);
    assert!(!check(&hub, false).await.is_sound());
    let mended = check(&hub, true).await;
    assert!(mended.is_sound(), "{mended:?}");
    let gone = hub.registry.version(&Viewer::anonymous(), &reference("@acme/pdf@0.1.0")).await;
    assert!(matches!(code(gone), Code::SkillNotFound | Code::VersionNotFound));
}

#[rstest]
#[tokio::test]
async fn only_old_unused_blobs_are_collected(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let used = hub.publish(skill("pdf", "Reads.")).await.unwrap().digest;
    let young = hub.blobs.put("young".into()).await.unwrap();
    let old = hub.blobs.put("old".into()).await.unwrap();
    for digest in [&used, &old] {
        age(&hub, digest, GRACE + Duration::from_mins(1));
    }
    assert_eq!(kinds(&check(&hub, false).await), [FaultKind::BlobUnused]);
    let collected = collect(&hub.db, &hub.blobs, SystemTime::now(), GRACE).await.unwrap();
    assert_eq!((collected.removed, collected.bytes, collected.young), (1, 3, 1));
    for (digest, there) in [(&used, true), (&young, true), (&old, false)] {
        assert_eq!(hub.blobs.exists(digest).await.unwrap(), there);
    }
    // Putting an old blob again makes it young: whoever publishes these bytes right now keeps them.
    age(&hub, &young, GRACE + Duration::from_mins(1));
    hub.blobs.put("young".into()).await.unwrap();
    assert_eq!(collect(&hub.db, &hub.blobs, SystemTime::now(), GRACE).await.unwrap().removed, 0);
}

/// The version that the skill's lists show.
async fn shown(hub: &Hub, skill: SkillId) -> Option<VersionId> {
    let found = skills::find(&mut hub.db.read().await.unwrap(), &Viewer::hub(), skill).await.unwrap();
    found.unwrap().latest_version_id
}

#[rstest]
#[case::lists_point_nowhere(false)]
#[case::lists_and_tag_point_to_an_older_version(true)]
#[tokio::test]
async fn a_latest_against_its_rule_is_named_and_mended(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] to_older: bool,
) {
    let Some(hub) = Hub::new(on).await else { return };
    let first = hub.publish(skill("pdf", "Reads.")).await.unwrap();
    let second = hub.publish(skill("pdf", "Reads more.")).await.unwrap();
    hub.publish(skill("doc", "Writes.")).await.unwrap();
    let (id, older) = (first.skill_id, first.version_id);
    hub.db
        .write(move |tx| {
            Box::pin(async move {
                if to_older {
                    let facts = versions::find(tx, &Viewer::hub(), older).await?.unwrap().facts();
                    skills::set_latest(tx, id, Some((older, &facts))).await?;
                    tags::put(tx, id, &TagName::latest(), older, START).await?;
                } else {
                    skills::set_latest(tx, id, None).await?;
                }
                Ok::<_, kontor_db::Error>(())
            })
        })
        .await
        .unwrap();

    let found = check(&hub, false).await;
    assert_eq!(kinds(&found), [FaultKind::LatestWrong]);
    assert_eq!((found.faults[0].subject.as_str(), found.is_sound()), ("@acme/pdf", false));
    assert_eq!(found.faults[0].detail, format!("`latest` should point to {}", second.number));
    assert!(check(&hub, true).await.is_sound());
    assert_eq!(check(&hub, false).await.faults, []);
    assert_eq!(shown(&hub, id).await, Some(second.version_id));
}

#[rstest]
#[tokio::test]
async fn hiding_lost_content_moves_latest_back(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let first = hub.publish(skill("pdf", "Reads.")).await.unwrap();
    let second = hub.publish(skill("pdf", "Reads more.")).await.unwrap();
    hub.blobs.delete(&second.digest).await.unwrap();
    assert_eq!(kinds(&check(&hub, true).await), [FaultKind::BlobMissing]);
    assert_eq!(shown(&hub, first.skill_id).await, Some(first.version_id));
    assert_eq!(kinds(&check(&hub, false).await), [FaultKind::BlobMissing], "nothing else is wrong");
}

#[rstest]
#[tokio::test]
async fn a_gap_in_the_feed_is_named_and_every_index_begins_anew(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "Reads parchment.")).await.unwrap();
    hub.index().await;
    hub.publish(skill("doc", "Reads parchment.")).await.unwrap();
    hub.publish(skill("txt", "Reads papyrus.")).await.unwrap();
    hub.db.write(|tx| Box::pin(async move { kontor_db::testing::lose_change(tx, 2).await })).await.unwrap();

    let found = check(&hub, false).await;
    assert_eq!(kinds(&found), [FaultKind::FeedBroken]);
    assert_eq!(found.faults[0].detail.split(';').next(), Some("1 changes are missing"));
    assert!(check(&hub, true).await.is_sound());
    assert_eq!(check(&hub, false).await.faults, []);
    hub.index().await;
    assert_eq!(hub.found_by_index("parchment", &Viewer::hub()), 2);
}
