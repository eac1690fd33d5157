//! A process that dies between two steps of a round loses no entry that it acknowledged, and gives no place twice.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use futures::future::join_all;
use kontor_db::{Db, Options as DbOptions, log_entries};
use kontor_translog::{Checkpoint, Sequencer, audit};
use kontor_types::LogEntryId;
use rstest::rstest;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::support::{ORIGIN, On, entry, keyring, open_log, signer};

const FOLDER: &str = "KONTOR_LOG_CHILD_FOLDER";
const STEP: &str = "KONTOR_LOG_CHILD_STEP";
const DATABASE: &str = "KONTOR_LOG_CHILD_DATABASE";
const EARLIER: u64 = 300;
const LATER: u64 = 400;

/// Runs only as the child of the test below: appends, writes down what was acknowledged, and dies at the step that the
/// parent names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inside_the_child() {
    let (Ok(folder), Ok(step), Ok(database)) = (env::var(FOLDER), env::var(STEP), env::var(DATABASE)) else { return };
    let folder = std::path::Path::new(&folder);
    let db = Db::open(&DbOptions::url(database)).await.unwrap();
    let log = open_log(db, folder, "one");
    log.begin(ORIGIN).await.unwrap();
    let sequencer = Sequencer::new(log.clone(), signer(folder, ORIGIN), Vec::new()).await.unwrap();
    let (_stop, stopped) = watch::channel(false);
    let running = tokio::spawn(sequencer.run(stopped));
    let key = keyring(folder).signing_key(kontor_crypto::Purpose::Attestation).unwrap();
    let acknowledged = Mutex::new(File::options().create(true).append(true).open(folder.join("acknowledged")).unwrap());
    let append = async |number: u64| {
        let placed = log.append(entry(number, &key)).await.unwrap();
        let line = format!("{} {}\n", placed.id, placed.place);
        acknowledged.lock().unwrap().write_all(line.as_bytes()).unwrap();
    };
    join_all((0..EARLIER).map(&append)).await;
    fail::cfg_callback(&step, || std::process::abort()).unwrap();
    join_all((EARLIER..EARLIER + LATER).map(&append)).await;
    running.abort();
}

#[rstest]
#[tokio::test]
async fn a_crash_loses_no_acknowledged_entry(
    #[values(
        "translog::placing",
        "translog::placed",
        "translog::remembered",
        "translog::signed",
        "translog::tile_written",
        "translog::tiles_written",
        "translog::published"
    )]
    step: &str,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let folder = TempDir::new().unwrap();
    let url = match on {
        On::Sqlite => format!("sqlite:{}", folder.path().join("test.db").display()),
        On::Postgres => {
            let Ok(server) = env::var("KONTOR_TEST_POSTGRES") else {
                eprintln!("SKIPPED on Postgres: KONTOR_TEST_POSTGRES is not set (cargo xtask test sets it)");
                return;
            };
            kontor_db::testing::create_database(&server).await.unwrap()
        }
    };
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "crash::inside_the_child", "--nocapture"]).stdout(Stdio::null()).stderr(Stdio::null());
    let status = child.env(FOLDER, folder.path()).env(STEP, step).env(DATABASE, &url).status().unwrap();
    assert_eq!(status.signal(), Some(6), "the child dies at {step}");

    let acknowledged = acknowledged(&folder);
    assert!(acknowledged.len() as u64 >= EARLIER);
    let db = Db::open(&DbOptions::url(url)).await.unwrap();
    let log = open_log(db.clone(), folder.path(), "one");
    let known = vec![signer(folder.path(), ORIGIN).verifier().clone()];
    let seen = Checkpoint::open(&log.tiles(1).checkpoint().unwrap(), &known).unwrap();
    let mut sequencer = Sequencer::new(log.clone(), signer(folder.path(), ORIGIN), Vec::new()).await.unwrap();
    while sequencer.round().await.unwrap().is_some() {}
    let after = audit(&log.tiles(1), &known, Some(&seen)).unwrap().checkpoint;
    assert!(after.size >= acknowledged.len() as u64);
    for (id, place) in acknowledged {
        let mut conn = db.read().await.unwrap();
        assert_eq!(log_entries::find(&mut conn, id).await.unwrap().unwrap().place, Some(place));
        drop(conn);
        assert_eq!(log.prove(id, &known).await.unwrap().proof.index, place);
    }
    let mut conn = db.read().await.unwrap();
    assert!(log_entries::waiting(&mut conn, 1).await.unwrap().is_empty());
    assert_eq!(log_entries::leaves(&mut conn, 1, 0, 10_000).await.unwrap().len() as u64, after.size);
}

fn acknowledged(folder: &TempDir) -> BTreeMap<LogEntryId, u64> {
    let text = fs::read_to_string(folder.path().join("acknowledged")).unwrap();
    let line = |line: &str| {
        let (id, place) = line.split_once(' ').unwrap();
        (id.parse().unwrap(), place.parse().unwrap())
    };
    text.lines().map(line).collect()
}
