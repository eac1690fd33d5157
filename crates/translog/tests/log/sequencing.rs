//! One sequencer, whatever processes there are.

use futures::future::join_all;
use kontor_translog::{Error, Sequencer, audit};
use rstest::rstest;
use tokio::sync::watch;

use crate::support::{ORIGIN, On, entry, open_log, signer};

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_wait_until_their_entry_is_published(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = on.world().await else { return };
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(world.sequencer().await.unwrap().run(stopped));
    let key = world.attester();
    let appended = join_all((0..300).map(|number| world.log.append(entry(number, &key)))).await;
    let mut places: Vec<_> = appended.into_iter().map(|placed| placed.unwrap().place).collect();
    places.sort_unstable();
    assert_eq!(places, (0..300).collect::<Vec<_>>());
    let seen = audit(&world.tiles(), &world.known(), None).unwrap();
    assert_eq!(seen.checkpoint.size, 300);
    stop.send(true).unwrap();
    running.await.unwrap().unwrap();
    let other = open_log(world.db.clone(), world.folder.path(), "two");
    let mut other = Sequencer::new(other, signer(world.folder.path(), ORIGIN), Vec::new()).await.unwrap();
    world.hand_in(300).await;
    assert_eq!(other.round().await.unwrap().unwrap().size, 301, "a lease that was given back can be taken at once");
}

#[rstest]
#[tokio::test]
async fn whoever_was_fenced_off_writes_nothing_more(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = on.world().await else { return };
    let mut first = world.sequencer().await.unwrap();
    world.hand_in(0).await;
    first.round().await.unwrap().unwrap();
    let late = open_log(world.db.clone(), world.folder.path(), "two");
    let mut second = Sequencer::new(late, signer(world.folder.path(), ORIGIN), Vec::new()).await.unwrap();
    world.hand_in(1).await;
    assert!(matches!(second.round().await, Err(Error::Fenced)), "the first one holds the lease");
    // The same process started twice takes its own lease over, and the older one is fenced off.
    let mut again = world.sequencer().await.unwrap();
    assert_eq!(again.round().await.unwrap().unwrap().size, 2);
    world.hand_in(2).await;
    assert!(matches!(first.round().await, Err(Error::Fenced)));
    assert_eq!(again.round().await.unwrap().unwrap().size, 3);
    assert_eq!(audit(&world.tiles(), &world.known(), None).unwrap().checkpoint.size, 3);
}

#[rstest]
#[tokio::test]
async fn another_process_publishes_what_it_did_not_sequence(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = on.world().await else { return };
    let placed = world.fill(&[3, 600]).await;
    let elsewhere = tempfile::TempDir::new().unwrap();
    let log = open_log(world.db.clone(), elsewhere.path(), "reader");
    let publisher = kontor_translog::Publisher::new(log.tiles(1), world.known());
    let (publisher, size) = log.follow(1, publisher).await.unwrap();
    assert_eq!(size, 603);
    audit(&log.tiles(1), &world.known(), None).unwrap();
    let mut proven = log.prove(placed[5].id, &world.known()).await.unwrap();
    proven.proof.checkpoint.clear();
    assert_eq!(proven.proof.index, 5);
    let (_, again) = log.follow(1, publisher).await.unwrap();
    assert_eq!(again, 603);
}

#[tokio::test]
async fn an_idle_log_does_nothing() {
    let world = On::Sqlite.world().await.unwrap();
    let mut sequencer = world.sequencer().await.unwrap();
    assert_eq!(sequencer.round().await.unwrap(), None);
    world.hand_in(0).await;
    assert_eq!(sequencer.round().await.unwrap().unwrap().added, 1);
    let before = std::fs::metadata(world.tiles().folder().join("checkpoint")).unwrap().modified().unwrap();
    assert_eq!(sequencer.round().await.unwrap(), None);
    let after = std::fs::metadata(world.tiles().folder().join("checkpoint")).unwrap().modified().unwrap();
    assert_eq!(before, after);
}
