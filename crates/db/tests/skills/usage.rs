//! Use by day and the counters made of it.

use kontor_db::usage::{self, Use};
use kontor_db::versions::VersionState;
use kontor_db::{skills, stars, versions};
use kontor_types::{Day, SkillId, Timestamp, VersionId, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

async fn counters(world: &World, skill: SkillId) -> (u64, u64, u64) {
    let skill = skills::find(&mut world.conn().await, &Viewer::hub(), skill).await.unwrap().unwrap();
    (skill.downloads, skill.installs, skill.trending)
}

#[rstest]
#[tokio::test]
async fn use_adds_up_by_day_and_fades(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let first =
        skills::find(&mut world.conn().await, &Viewer::hub(), pdf).await.unwrap().unwrap().latest_version_id.unwrap();
    let second = world.version(pdf, "2.0.0", VersionState::Visible, later(1)).await;
    let today = 20_000;
    let one = |version_id, day: i64, downloads, installs| Use {
        skill_id: pdf,
        version_id,
        day: Day::from(day),
        downloads,
        installs,
    };
    let batches = [
        vec![one(first, today - 7, 5, 1), one(first, today - 6, 3, 0)],
        vec![one(first, today, 2, 1), one(second, today, 4, 0)],
        vec![one(second, today, 1, 1), one(VersionId::new(NOW), today, 100, 100)],
    ];
    for batch in batches {
        write!(world.db(), |tx| usage::add(tx, &batch, Day::from(today)));
    }
    let mut conn = world.conn().await;
    let days = usage::by_day(&mut conn, pdf, Day::from(today - 7)).await.unwrap();
    let days: Vec<_> = days.iter().map(|day| (day.day.number() - today, day.downloads, day.installs)).collect();
    assert_eq!(days, [(-7, 5, 1), (-6, 3, 0), (0, 7, 2)]);
    write!(world.db(), |tx| versions::set_hidden(tx, second, Some((NOW, "oops"))));
    for (viewer, expected) in [
        (Viewer::hub(), vec![(first, 10, 2), (second, 5, 1)]),
        (world.owner(), vec![(first, 10, 2), (second, 5, 1)]),
        (Viewer::anonymous(), vec![(first, 10, 2)]),
    ] {
        let versions = usage::by_version(&mut conn, &viewer, pdf).await.unwrap();
        let versions: Vec<_> = versions.iter().map(|row| (row.version_id, row.downloads, row.installs)).collect();
        assert_eq!(versions, expected, "{viewer:?}");
    }
    // The version that is gone was counted nowhere.
    let mended = write!(world.db(), |tx| usage::mend_counters(tx, Day::from(today)));
    assert!(mended.is_empty() || mended == [pdf]);
    assert_eq!(counters(&world, pdf).await, (15, 3, 12));
    let faded = async |day: i64| usage::faded(&mut world.conn().await, Day::from(day)).await.unwrap();
    let refresh = async |day: i64| write!(world.db(), |tx| usage::refresh_trending(tx, Day::from(day), &[pdf]));
    assert!(faded(today).await.is_empty());
    assert!(refresh(today).await.is_empty());
    assert_eq!(faded(today + 1).await, [pdf]);
    assert_eq!(refresh(today + 1).await, [pdf]);
    assert!(faded(today + 1).await.is_empty());
    assert_eq!(counters(&world, pdf).await, (15, 3, 9));
    assert_eq!(refresh(today + 30).await, [pdf]);
    assert_eq!(counters(&world, pdf).await, (15, 3, 0));
}

#[rstest]
#[tokio::test]
async fn wrong_counters_are_mended(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let (ada, today) = (world.ada, Timestamp::from_micros(0).day());
    let ghost = Use { skill_id: pdf, version_id: VersionId::new(NOW), day: today, downloads: 9, installs: 9 };
    write!(world.db(), |tx| async {
        stars::add(tx, pdf, ada, NOW).await?;
        // Use of a version that does not exist moves the counters but leaves no day behind.
        usage::add(tx, &[ghost], today).await
    });
    write!(world.db(), |tx| usage::mend_counters(tx, today));
    assert_eq!(counters(&world, pdf).await, (0, 0, 0));
    assert!(write!(world.db(), |tx| usage::mend_counters(tx, today)).is_empty());
}
