//! No second history: what a restored database, another key or a lost memory leads to.

use std::fs;
use std::path::Path;

use kontor_crypto::Purpose;
use kontor_db::{Db, Options as DbOptions};
use kontor_translog::{Error, Sequencer, audit};

use crate::support::{NOW, ORIGIN, On, World, keyring, open_log, signer};

/// The world with its database as it was at an earlier size.
async fn restored(sizes: [u64; 2]) -> (World, u64) {
    let world = On::Sqlite.world().await.unwrap();
    world.fill(&[sizes[0]]).await;
    let saved = tempfile::TempDir::new().unwrap();
    world.db.close().await;
    copy(world.folder.path(), saved.path());
    let world = reopen(world).await;
    world.hand_in_many(sizes[0]..sizes[1]).await;
    world.sequencer().await.unwrap().round().await.unwrap().unwrap();
    world.db.close().await;
    copy(saved.path(), world.folder.path());
    (reopen(world).await, sizes[0])
}

fn copy(from: &Path, to: &Path) {
    for name in ["test.db", "test.db-wal", "test.db-shm"] {
        let _ = fs::remove_file(to.join(name));
    }
    fs::copy(from.join("test.db"), to.join("test.db")).unwrap();
    // Gone when everything in it was moved to the database's own file.
    let _ = fs::copy(from.join("test.db-wal"), to.join("test.db-wal"));
}

async fn reopen(world: World) -> World {
    let db = Db::open(&DbOptions::sqlite(world.folder.path().join("test.db"))).await.unwrap();
    let log = open_log(db.clone(), world.folder.path(), "one");
    World { folder: world.folder, db, log }
}

#[tokio::test]
async fn a_restored_database_is_not_signed_and_a_new_origin_goes_on() {
    let (world, size) = restored([5, 9]).await;
    let Err(Error::Regression { signed: 9, found, .. }) = world.sequencer().await else {
        unreachable!("an older database must be refused")
    };
    assert_eq!(found, size);
    let waiting = world.hand_in(100).await;

    world.log.begin("skills.example.com/log2").await.unwrap();
    let next = signer(world.folder.path(), "skills.example.com/log2");
    let known = vec![next.verifier().clone()];
    let mut sequencer = Sequencer::new(world.log.clone(), next, Vec::new()).await.unwrap();
    assert_eq!(sequencer.round().await.unwrap().unwrap().size, 1);
    assert_eq!(world.log.prove(waiting, &known).await.unwrap().proof.index, 0);
    assert_eq!(audit(&world.log.tiles(2), &known, None).unwrap().checkpoint.size, 1);
    assert_eq!(audit(&world.tiles(), &world.known(), None).unwrap().checkpoint.size, 9, "the old log stays published");
}

#[tokio::test]
async fn a_restored_database_that_grew_again_is_not_signed() {
    let (world, _) = restored([5, 9]).await;
    // The memory put away, the log grows past what was signed; then the memory comes back.
    let memory = signed_file(&world);
    let (kept, away) = (fs::read(&memory).unwrap(), memory.with_extension("away"));
    fs::rename(&memory, &away).unwrap();
    assert!(matches!(world.sequencer().await, Err(Error::Forgotten { .. })));
    fs::rename(&away, &memory).unwrap();
    fs::write(&memory, forgotten(&kept)).unwrap();
    fs::remove_dir_all(world.tiles().folder()).unwrap();
    world.hand_in_many(200..210).await;
    let mut sequencer = world.sequencer().await.unwrap();
    fs::write(&memory, &kept).unwrap();
    assert!(matches!(sequencer.round().await, Err(Error::Fork { size: 15, .. })));
    assert!(matches!(sequencer.round().await, Err(Error::Fork { .. })), "nor when it is tried again");
    assert!(matches!(world.sequencer().await.unwrap().round().await, Err(Error::Fork { .. })));
}

/// A memory of the empty tree.
fn forgotten(memory: &[u8]) -> String {
    let mut memory: serde_json::Value = serde_json::from_slice(memory).unwrap();
    (memory["size"], memory["peaks"]) = (0.into(), "".into());
    memory.to_string()
}

fn signed_file(world: &World) -> std::path::PathBuf {
    let keys = fs::read_dir(world.folder.path().join("keys")).unwrap();
    let mut paths = keys.map(|entry| entry.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|end| end == "signed")).unwrap()
}

#[tokio::test]
async fn a_published_checkpoint_is_never_replaced_by_a_smaller_one() {
    let world = On::Sqlite.world().await.unwrap();
    world.fill(&[2]).await;
    let small = String::from_utf8(world.tiles().checkpoint().unwrap()).unwrap();
    world.hand_in(2).await;
    world.sequencer().await.unwrap().round().await.unwrap().unwrap();
    let mut publisher = kontor_translog::Publisher::new(world.tiles(), world.known());
    assert!(matches!(publisher.publish(&small, &[]), Err(Error::Regression { signed: 3, found: 2, .. })));
}

#[tokio::test]
async fn a_rotated_key_goes_on_with_the_same_history() {
    let world = On::Sqlite.world().await.unwrap();
    world.fill(&[300]).await;
    let seen = audit(&world.tiles(), &world.known(), None).unwrap().checkpoint;
    let old = world.known();
    keyring(world.folder.path()).rotate(Purpose::Log, NOW).unwrap();
    let both = [world.known(), old.clone()].concat();
    world.hand_in(300).await;
    let signer = signer(world.folder.path(), ORIGIN);
    let mut sequencer = Sequencer::new(world.log.clone(), signer, old.clone()).await.unwrap();
    assert_eq!(sequencer.round().await.unwrap().unwrap().size, 301);
    audit(&world.tiles(), &both, Some(&seen)).unwrap();
    assert!(audit(&world.tiles(), &old, None).is_err(), "the old key does not sign any more");
}

#[tokio::test]
async fn a_signer_of_another_log_is_refused() {
    let world = On::Sqlite.world().await.unwrap();
    let other = signer(world.folder.path(), "other.example/log");
    assert!(matches!(Sequencer::new(world.log.clone(), other, Vec::new()).await, Err(Error::Refuted { .. })));
}

#[tokio::test]
async fn tiles_that_were_lost_are_written_anew() {
    let world = On::Sqlite.world().await.unwrap();
    world.fill(&[700]).await;
    let last = world.tiles().folder().join("tile/0/002.p/188");
    fs::remove_file(&last).unwrap();
    world.hand_in(700).await;
    world.sequencer().await.unwrap().round().await.unwrap().unwrap();
    assert_eq!(audit(&world.tiles(), &world.known(), None).unwrap().checkpoint.size, 701);
}
