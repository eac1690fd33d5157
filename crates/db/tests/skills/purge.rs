//! What was deleted long ago goes with everything that hangs on it, and nothing else goes.

use kontor_db::import_paths::{self, ImportPath};
use kontor_db::reports::{self, NewReport};
use kontor_db::requirements::{self, Requirement};
use kontor_db::usage::{self, Use};
use kontor_db::version_files::{self, File};
use kontor_db::versions::VersionState;
use kontor_db::{activations, blobs, purge, skill_names, skills, stars, versions};
use kontor_types::{Digest, ReportId, Viewer, Visibility};
use rstest::rstest;

use crate::fixtures::{NOW, World, handle, later, slug};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn everything_that_hangs_on_it_goes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let (pdf, doc) = (
        world.skill(world.acme, "pdf", Visibility::Public).await,
        world.skill(world.acme, "doc", Visibility::Public).await,
    );
    let own = world.version(pdf, "2.0.0", VersionState::Visible, NOW).await;
    let (acme, eve) = (world.acme, world.eve);
    write!(world.db(), |tx| async {
        let file = File { path: "SKILL.md".to_owned(), position: 0, size: 1, digest: Digest::of(b"x") };
        version_files::insert(tx, own, &[file]).await?;
        let needed = Requirement { publisher: handle("acme"), slug: slug("doc"), range: "*".parse().unwrap() };
        requirements::insert(tx, own, &[needed]).await?;
        stars::add(tx, pdf, eve, NOW).await?;
        activations::put(tx, eve, (pdf, own), NOW).await?;
        let one = Use { skill_id: pdf, version_id: own, day: NOW.day(), downloads: 1, installs: 0 };
        usage::add(tx, &[one], NOW.day()).await?;
        let (id, reason) = (ReportId::new(NOW), "x".to_owned());
        let report = NewReport { id, skill_id: pdf, version_id: Some(own), person_id: eve, reason, now: NOW };
        reports::insert(tx, &report).await?;
        let (source, path, digest) = ("s".to_owned(), "p".to_owned(), Digest::of(b"x"));
        let row = ImportPath { publisher_id: acme, source, path, skill_id: pdf, digest, imported_at: NOW };
        import_paths::put(tx, &row).await
    });
    let mut conn = world.conn().await;
    assert!(purge::due(&mut conn, later(100), 10).await.unwrap().is_empty());
    assert!(!write!(world.db(), |tx| purge::remove(tx, pdf)), "it is not deleted");
    write!(world.db(), |tx| skills::set_deleted(tx, pdf, Some(NOW)));
    assert!(purge::due(&mut conn, NOW, 10).await.unwrap().is_empty());
    assert_eq!(purge::due(&mut conn, later(1), 10).await.unwrap(), [pdf]);
    assert!(write!(world.db(), |tx| purge::remove(tx, pdf)));
    assert_eq!(skills::find_maintained(&mut conn, &Viewer::hub(), pdf).await.unwrap(), None);
    assert_eq!(skill_names::get(&mut conn, world.acme, &slug("pdf")).await.unwrap(), None);
    assert!(versions::all(&mut conn, pdf).await.unwrap().is_empty());
    assert!(skills::find(&mut conn, &Viewer::anonymous(), doc).await.unwrap().is_some());
    // Both skills had the bytes of 1.0.0, only one those of 2.0.0.
    assert!(blobs::find(&mut conn, &Digest::of(b"1.0.0")).await.unwrap().is_some());
    assert_eq!(blobs::find(&mut conn, &Digest::of(b"2.0.0")).await.unwrap(), None);
}
