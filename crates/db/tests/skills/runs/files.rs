//! Files of a run: kept by the way they go, forgotten with their bytes when their time is over.

use kontor_db::blobs;
use kontor_db::runs::{self, EventKind, FileWay, RunFile, RunState};
use kontor_types::{Digest, RunId};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

fn a_file(path: &str, bytes: &[u8]) -> RunFile {
    RunFile { path: path.to_owned(), size: bytes.len() as u64, digest: Digest::of(bytes) }
}

async fn add(world: &World, id: RunId, way: FileWay, file: RunFile) {
    write!(world.db(), |tx| runs::add_file(tx, id, way, &file, NOW));
}

#[rstest]
#[tokio::test]
async fn files_are_read_by_the_way_they_go(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let id = world.run(world.ada, world.acme, NOW).await;
    let other = world.run(world.ada, world.acme, NOW).await;
    let (a, b) = (a_file("a.txt", b"given"), a_file("b.txt", b"given too"));
    let (left, said) = (a_file("a.txt", b"left"), a_file("stdout", b"said"));
    add(&world, id, FileWay::In, b.clone()).await;
    add(&world, id, FileWay::In, a.clone()).await;
    add(&world, id, FileWay::Out, left.clone()).await;
    add(&world, id, FileWay::Said, said.clone()).await;
    add(&world, id, FileWay::In, a_file("a.txt", b"anew")).await;

    let mut conn = world.conn().await;
    let given = runs::files(&mut conn, id, FileWay::In).await.unwrap();
    assert_eq!(given, [a, b], "by path, and what is there stays as it is");
    assert_eq!(runs::files(&mut conn, id, FileWay::Said).await.unwrap(), [said]);
    assert_eq!(runs::file(&mut conn, id, FileWay::Out, "a.txt").await.unwrap(), Some(left));
    assert_eq!(runs::file(&mut conn, id, FileWay::Out, "b.txt").await.unwrap(), None);
    assert!(runs::files(&mut conn, other, FileWay::In).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn files_are_forgotten_when_their_time_is_over(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let short = world.run(world.ada, world.acme, NOW).await;
    let long = world.run(world.ada, world.acme, NOW).await;
    let (own, shared) = (a_file("own", b"own"), a_file("shared", b"shared"));
    let digests = [own.digest, shared.digest];
    add(&world, short, FileWay::Out, own).await;
    for id in [short, long] {
        add(&world, id, FileWay::Out, shared.clone()).await;
        write!(world.db(), |tx| runs::record(tx, id, EventKind::Note, &json!("hello"), NOW));
    }
    for (id, keep_until) in [(short, later(10)), (long, later(20))] {
        write!(world.db(), |tx| runs::end(tx, id, None, RunState::Finished, None, (later(1), keep_until)));
    }
    assert_eq!(write!(world.db(), |tx| runs::forget(tx, later(9), 10)), 0);
    assert_eq!(write!(world.db(), |tx| runs::forget(tx, later(10), 10)), 1);
    assert_eq!(write!(world.db(), |tx| runs::forget(tx, later(11), 10)), 0, "once is enough");

    let mut conn = world.conn().await;
    assert!(runs::files(&mut conn, short, FileWay::Out).await.unwrap().is_empty());
    assert!(runs::events(&mut conn, short, 0, 10).await.unwrap().is_empty());
    assert_eq!(runs::files(&mut conn, long, FileWay::Out).await.unwrap(), [shared]);
    assert_eq!(runs::events(&mut conn, long, 0, 10).await.unwrap().len(), 1);
    let left = blobs::known(&mut conn, &digests).await.unwrap();
    assert_eq!(left, [digests[1]], "the other run still has these bytes");
    drop(conn);
    assert_eq!(world.shown(short).await.forgotten_at, Some(later(10)));
    assert_eq!(world.shown(long).await.forgotten_at, None);

    assert_eq!(write!(world.db(), |tx| runs::forget(tx, later(20), 10)), 1);
    assert!(blobs::known(&mut world.conn().await, &digests).await.unwrap().is_empty());
}
