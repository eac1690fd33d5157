//! The files of a version: any number of them, sorted by the bytes of the path.

use kontor_db::version_files::{self, File};
use kontor_db::versions::VersionState;
use kontor_types::{Digest, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn thousands_of_files_come_back_sorted_by_bytes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let skill = world.bare_skill(world.acme, "pdf", Visibility::Private, NOW).await;
    let version = world.version(skill, "1.0.0", VersionState::Visible, NOW).await;
    let mut paths: Vec<String> = (0..4_500).map(|number| format!("references/{number}.md")).collect();
    paths.extend(["SKILL.md".to_owned(), "_a".to_owned(), "a b/é.md".to_owned(), "中.md".to_owned()]);
    let files: Vec<File> = paths
        .iter()
        .zip(0_u64..)
        .map(|(path, place)| File {
            path: path.clone(),
            position: place * 10,
            size: place,
            digest: Digest::of(path.as_bytes()),
        })
        .collect();
    let stored = files.clone();
    write!(world.db(), |tx| version_files::insert(tx, version, &stored));
    let mut conn = world.conn().await;
    let mut expected = files.clone();
    expected.sort_by(|left, right| left.path.as_bytes().cmp(right.path.as_bytes()));
    assert_eq!(version_files::list(&mut conn, &world.owner(), version).await.unwrap(), expected);
    assert!(version_files::list(&mut conn, &Viewer::anonymous(), version).await.unwrap().is_empty());
    for (viewer, path, found) in
        [(world.owner(), "a b/é.md", true), (world.owner(), "a b", false), (Viewer::anonymous(), "a b/é.md", false)]
    {
        let file = version_files::find(&mut conn, &viewer, version, path).await.unwrap();
        assert_eq!(file.map(|file| file.path), found.then(|| path.to_owned()));
    }
}

#[rstest]
#[tokio::test]
async fn the_text_of_the_newest_version_is_found(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let skill = world.skill(world.acme, "pdf", Visibility::Private).await;
    let bare = world.bare_skill(world.acme, "bare", Visibility::Public, NOW).await;
    let version = kontor_db::skills::find(&mut world.conn().await, &Viewer::hub(), skill).await.unwrap().unwrap();
    let (id, archive) = (version.latest_version_id.unwrap(), version.latest_digest.unwrap());
    let files = ["README.md", "SKILL.md"].map(|path| File {
        path: path.to_owned(),
        position: path.len() as u64,
        size: 5,
        digest: Digest::of(b"text"),
    });
    write!(world.db(), |tx| version_files::insert(tx, id, &files));
    let texts = version_files::texts(&mut world.conn().await, &[bare, skill]).await.unwrap();
    assert_eq!(texts.len(), 1);
    assert_eq!((texts[0].skill_id, texts[0].archive, texts[0].position, texts[0].size), (skill, archive, 8, 5));
}
