//! The memory of imports.

use kontor_db::import_paths::{self, ImportPath};
use kontor_types::{Digest, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn folders_are_remembered_moved_and_forgotten(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let pdf = world.skill(world.acme, "pdf", Visibility::Public).await;
    let doc = world.skill(world.other, "doc", Visibility::Public).await;
    let row = |publisher_id, path: &str, skill_id, content: &str| ImportPath {
        publisher_id,
        source: "git:host/repo".to_owned(),
        path: path.to_owned(),
        skill_id,
        digest: Digest::of(content.as_bytes()),
        imported_at: NOW,
    };
    let rows = vec![
        row(world.acme, "skills/pdf", pdf, "one"),
        row(world.acme, "skills/pdf", pdf, "two"),
        row(world.acme, "a", pdf, "a"),
        row(world.other, "a", doc, "a"),
    ];
    let stored = rows.clone();
    write!(world.db(), |tx| async {
        for row in &stored {
            import_paths::put(tx, row).await?;
        }
        Ok::<(), kontor_db::Error>(())
    });
    let mut conn = world.conn().await;
    let source = "git:host/repo";
    assert_eq!(import_paths::find(&mut conn, world.acme, source, "skills/pdf").await.unwrap().as_ref(), Some(&rows[1]));
    for (publisher, source, path) in
        [(world.other, source, "skills/pdf"), (world.acme, "git:other", "skills/pdf"), (world.acme, source, "skills")]
    {
        assert_eq!(import_paths::find(&mut conn, publisher, source, path).await.unwrap(), None);
    }
    let paths: Vec<String> = ["a", "skills/pdf", "never"].map(str::to_owned).to_vec();
    assert_eq!(import_paths::find_many(&mut conn, world.acme, source, &paths).await.unwrap().len(), 2);
    assert_eq!(import_paths::of_skill(&mut conn, pdf).await.unwrap(), [rows[2].clone(), rows[1].clone()]);
    // The skill goes to `other`, which has imported folder `a` itself: that memory stays what it was.
    let (other, _) = (world.other, later(1));
    write!(world.db(), |tx| import_paths::hand_over(tx, pdf, other));
    let kept = import_paths::find(&mut conn, world.other, source, "a").await.unwrap().unwrap();
    assert_eq!(kept.skill_id, doc);
    let moved = import_paths::find(&mut conn, world.other, source, "skills/pdf").await.unwrap().unwrap();
    assert_eq!(moved.skill_id, pdf);
    assert!(import_paths::find(&mut conn, world.acme, source, "a").await.unwrap().is_none());
    assert_eq!(write!(world.db(), |tx| import_paths::forget(tx, pdf)), 1);
}
