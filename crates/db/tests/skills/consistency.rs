//! What a check of the whole hub asks of the database.

use kontor_db::versions::VersionState;
use kontor_db::{consistency, skills, stars};
use kontor_types::{Digest, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn a_counter_that_has_drifted_is_found_and_set_right(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let ada = world.ada;
    assert!(write!(world.db(), |tx| stars::add(tx, pdf, ada, NOW)));
    assert!(consistency::miscounted(&mut world.conn().await).await.unwrap().is_empty());
    let drifted = consistency::Miscounted {
        skill_id: pdf,
        publisher: crate::fixtures::handle("acme"),
        slug: crate::fixtures::slug("pdf"),
        stars: 9,
        downloads: 0,
        installs: 0,
    };
    write!(world.db(), |tx| consistency::recount(tx, &drifted));
    let found = consistency::miscounted(&mut world.conn().await).await.unwrap();
    assert_eq!(found.iter().map(|skill| (skill.skill_id, skill.stars)).collect::<Vec<_>>(), [(pdf, 1)]);
    let right = found.into_iter().next().unwrap();
    write!(world.db(), |tx| consistency::recount(tx, &right));
    assert!(consistency::miscounted(&mut world.conn().await).await.unwrap().is_empty());
    let skill = skills::find(&mut world.conn().await, &Viewer::hub(), pdf).await.unwrap().unwrap();
    assert_eq!(skill.stars, 1);
}

#[rstest]
#[tokio::test]
async fn a_version_whose_content_is_lost_is_named_and_hidden_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.bare_skill(world.acme, "pdf", Visibility::Public, NOW).await;
    let version = world.version(pdf, "1.0.0", VersionState::Visible, NOW).await;
    let named = consistency::versions_of(&mut world.conn().await, &Digest::of(b"1.0.0")).await.unwrap();
    assert_eq!(named.iter().map(|named| (named.id, named.slug.as_str())).collect::<Vec<_>>(), [(version, "pdf")]);
    let bare = consistency::versions_without_files(&mut world.conn().await).await.unwrap();
    assert_eq!(bare.iter().map(|named| named.id).collect::<Vec<_>>(), [version]);
    assert!(write!(world.db(), |tx| consistency::hide_lost(tx, version, "its blob is lost", NOW)));
    assert!(!write!(world.db(), |tx| consistency::hide_lost(tx, version, "again", NOW)), "the first reason stays");
}
