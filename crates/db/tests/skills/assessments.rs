//! What waits to be scanned, what is tried again, and tags that wait with it.

use kontor_db::assessments;
use kontor_db::versions::VersionState;
use kontor_types::{Digest, TagName, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn what_waits_is_taken_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let mut conn = world.conn().await;
    assert!(!assessments::any_waiting(&mut conn).await.unwrap());
    let first = world.version(pdf, "2.0.0", VersionState::Pending, NOW).await;
    let second = world.version(pdf, "3.0.0", VersionState::Pending, later(1)).await;
    assert!(assessments::any_waiting(&mut conn).await.unwrap());
    let waiting = assessments::waiting(&mut conn, 1).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].id, waiting[0].slug.as_str()), (1, first, "pdf"));
    assert_eq!((waiting[0].author, waiting[0].author_administers, waiting[0].author_role), (None, false, None));
    assert_eq!((waiting[0].has_manifest, waiting[0].approvals, waiting[0].judged), (false, 0, None));
    let begin = |at| {
        world.db().write(move |tx| Box::pin(async move { assessments::begin(tx, first, "node", later(at)).await }))
    };
    assert_eq!((begin(5).await.unwrap(), begin(6).await.unwrap()), (1, 2));
    assert_eq!(
        assessments::waiting(&mut conn, 9).await.unwrap().iter().map(|one| one.id).collect::<Vec<_>>(),
        [second]
    );
    assert_eq!(assessments::count_waiting(&mut conn).await.unwrap(), 2, "it waits all the same");
    assert!(assessments::left_behind(&mut conn, later(5), 9).await.unwrap().is_empty());
    assert_eq!(assessments::left_behind(&mut conn, later(6), 9).await.unwrap().len(), 1);
    assert!(assessments::failures(&mut conn, 9).await.unwrap().is_empty());
    write!(world.db(), |tx| assessments::failed(tx, first, "it crashed"));
    assert!(assessments::left_behind(&mut conn, later(6), 9).await.unwrap().is_empty(), "its own job tries it");
    let failures = assessments::failures(&mut conn, 9).await.unwrap();
    assert_eq!((failures[0].attempts, failures[0].error.as_deref()), (2, Some("it crashed")));
    assert_eq!(assessments::attempt(&mut conn, first).await.unwrap().unwrap().at, later(6));
    write!(world.db(), |tx| assessments::end(tx, first));
    assert_eq!(assessments::waiting(&mut conn, 9).await.unwrap().len(), 2);
}

#[rstest]
#[tokio::test]
async fn scans_of_a_dead_process_are_long_past(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let version = world.version(pdf, "2.0.0", VersionState::Pending, NOW).await;
    write!(world.db(), |tx| async { assessments::begin(tx, version, "node", later(9)).await.map(drop) });
    write!(world.db(), |tx| assessments::release(tx, "another node"));
    assert!(assessments::left_behind(&mut world.conn().await, NOW, 9).await.unwrap().is_empty());
    write!(world.db(), |tx| assessments::release(tx, "node"));
    let stalled = assessments::left_behind(&mut world.conn().await, NOW, 9).await.unwrap();
    assert_eq!((stalled[0].version_id, stalled[0].error.as_deref()), (version, None));
}

#[rstest]
#[tokio::test]
async fn decided_versions_are_walked_in_order(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let second = world.version(pdf, "2.0.0", VersionState::Held, later(1)).await;
    world.version(pdf, "3.0.0", VersionState::Pending, later(2)).await;
    let mut conn = world.conn().await;
    let all = assessments::decided(&mut conn, None, 10).await.unwrap();
    assert_eq!((all.len(), all[1].id), (2, second));
    let rest = assessments::decided(&mut conn, Some(all[0].id), 10).await.unwrap();
    assert_eq!(rest.iter().map(|one| one.id).collect::<Vec<_>>(), [second]);
    let judged = Digest::of(b"rules and policy");
    write!(world.db(), |tx| assessments::set_judged(tx, second, &judged));
    assert_eq!(assessments::subjects(&mut conn, &[second]).await.unwrap()[0].judged, Some(judged));
}

#[rstest]
#[tokio::test]
async fn tags_wait_until_they_are_taken(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let version = world.version(pdf, "2.0.0", VersionState::Pending, NOW).await;
    let stable: TagName = "stable".parse().unwrap();
    for _ in 0..2 {
        let tag = stable.clone();
        write!(world.db(), |tx| assessments::wish(tx, version, &tag));
    }
    let take = || world.db().write(move |tx| Box::pin(async move { assessments::wishes(tx, version).await }));
    assert_eq!((take().await.unwrap(), take().await.unwrap()), (vec![stable], vec![]));
}
