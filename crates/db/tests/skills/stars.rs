//! Stars: one a person and skill, and a counter that follows.

use kontor_db::{skills, stars};
use kontor_types::{Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_person_stars_once_and_the_counter_follows(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let doc = world.skill(world.acme, "doc", Visibility::Public).await;
    let (ada, bob) = (world.ada, world.bob);
    for (person, skill, first) in [(ada, pdf, true), (ada, pdf, false), (bob, pdf, true), (bob, doc, true)] {
        assert_eq!(write!(world.db(), |tx| stars::add(tx, skill, person, NOW)), first);
    }
    let count =
        async |skill| skills::find(&mut world.conn().await, &Viewer::hub(), skill).await.unwrap().unwrap().stars;
    assert_eq!((count(pdf).await, count(doc).await), (2, 1));
    assert_eq!(stars::starred(&mut world.conn().await, ada, &[pdf, doc]).await.unwrap(), [pdf]);
    write!(world.db(), |tx| stars::hand_over(tx, pdf, doc));
    assert_eq!((count(pdf).await, count(doc).await), (0, 2));
    assert!(write!(world.db(), |tx| stars::remove(tx, doc, ada)));
    assert!(!write!(world.db(), |tx| stars::remove(tx, doc, ada)));
    assert_eq!(count(doc).await, 1);
}
