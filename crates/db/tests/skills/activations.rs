//! Activations: one version a person and skill, and nobody else's.

use kontor_db::activations;
use kontor_db::versions::VersionState;
use kontor_types::Visibility;
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn one_version_of_a_skill_is_live_for_a_person(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let doc = world.skill(world.acme, "doc", Visibility::Public).await;
    let first = world.version(pdf, "2.0.0", VersionState::Visible, NOW).await;
    let second = world.version(pdf, "3.0.0", VersionState::Visible, NOW).await;
    let other = world.version(doc, "2.0.0", VersionState::Visible, NOW).await;
    let (ada, bob) = (world.ada, world.bob);
    for (skill, version, at) in [(pdf, first, 0), (doc, other, 1), (pdf, second, 2)] {
        write!(world.db(), |tx| activations::put(tx, ada, (skill, version), later(at)));
    }
    let live = async |person| {
        let rows = activations::of(&mut world.conn().await, person).await.unwrap();
        rows.into_iter().map(|row| (row.skill_id, row.version_id)).collect::<Vec<_>>()
    };
    assert_eq!(live(ada).await, [(pdf, second), (doc, other)], "in the order in which the skills became live");
    assert_eq!(live(bob).await, []);
    assert_eq!(write!(world.db(), |tx| activations::others(tx, ada, pdf)), 1);
    assert!(!write!(world.db(), |tx| activations::remove(tx, bob, pdf)));
    assert!(write!(world.db(), |tx| activations::remove(tx, ada, pdf)));
    assert_eq!(live(ada).await, [(doc, other)]);
}
