//! Tags move, and show only what the viewer may see.

use kontor_db::tags;
use kontor_db::versions::{self, VersionState};
use kontor_types::{TagName, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn tags_move_and_hide_with_their_version(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let skill = world.skill(world.acme, "pdf", Visibility::Public).await;
    let second = world.version(skill, "2.0.0", VersionState::Visible, later(1)).await;
    let beta = TagName::parse("beta").unwrap();
    let name = beta.clone();
    write!(world.db(), |tx| tags::put(tx, skill, &name, second, later(1)));
    let mut conn = world.conn().await;
    let list = tags::list(&mut conn, &Viewer::anonymous(), skill).await.unwrap();
    let list: Vec<String> = list.iter().map(|tag| format!("{} {}", tag.name, tag.number)).collect();
    assert_eq!(list, ["beta 2.0.0", "latest 1.0.0"]);
    assert_eq!(tags::count(&mut conn, skill).await.unwrap(), 2);
    write!(world.db(), |tx| async {
        tags::put(tx, skill, &TagName::latest(), second, later(2)).await?;
        versions::set_hidden(tx, second, Some((later(2), ""))).await
    });
    assert_eq!(tags::find(&mut conn, &Viewer::anonymous(), skill, &TagName::latest()).await.unwrap(), None);
    let mine = tags::find(&mut conn, &world.owner(), skill, &TagName::latest()).await.unwrap().unwrap();
    assert_eq!((mine.version_id, mine.updated_at), (second, later(2)));
    let name = beta.clone();
    assert!(write!(world.db(), |tx| tags::remove(tx, skill, &name)));
    assert!(!write!(world.db(), |tx| tags::remove(tx, skill, &beta)));
}
