//! A process that dies between two steps of a put leaves either nothing or the whole blob.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::env;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use futures::TryStreamExt as _;
use kontor_blob::{Blobs, Health, Listed};
use kontor_types::Digest;
use rstest::rstest;
use tempfile::TempDir;

const FOLDER: &str = "KONTOR_BLOB_CHILD_FOLDER";
const STEP: &str = "KONTOR_BLOB_CHILD_STEP";
const WAY: &str = "KONTOR_BLOB_CHILD_WAY";

fn content(number: usize) -> Bytes {
    format!("blob {number} ").repeat(20_000).into()
}

fn child(folder: &Path, step: &str, way: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "inside_the_child", "--nocapture"]);
    command.env(FOLDER, folder).env(STEP, step).env(WAY, way).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs only as the child of the tests below: puts, and dies at the step that the parent names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inside_the_child() {
    let (Ok(folder), Ok(step), Ok(way)) = (env::var(FOLDER), env::var(STEP), env::var(WAY)) else { return };
    let blobs = Blobs::open(&folder).await.unwrap();
    if step != "never" {
        fail::cfg_callback(step, || std::process::abort()).unwrap();
    }
    match way.as_str() {
        "one" => drop(blobs.put(content(0)).await.unwrap()),
        "many" => drop(blobs.put_many((0..3).map(content).collect()).await.unwrap()),
        _ => {
            let source = futures::stream::iter([Ok::<_, kontor_blob::Error>(content(0))]);
            blobs.put_stream(source, u64::MAX).await.unwrap();
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_crash_leaves_nothing_or_the_whole_blob(
    #[values("blob::written", "blob::synced", "blob::renamed", "blob::settled")] step: &str,
    #[values("one", "many", "stream")] way: &str,
) {
    let folder = TempDir::new().unwrap();
    let status = child(folder.path(), step, way).status().unwrap();
    assert_eq!(status.signal(), Some(6), "the child dies at {step}");

    let blobs = Blobs::open(folder.path().to_str().unwrap()).await.unwrap();
    let listed: Vec<Listed> = blobs.list().try_collect().await.unwrap();
    let whole = matches!(step, "blob::renamed" | "blob::settled");
    assert_eq!(!listed.is_empty(), whole);
    for found in &listed {
        let Listed::Blob { digest, .. } = found else { unreachable!("{found:?}") };
        assert!(matches!(blobs.check(digest).await.unwrap(), Health::Sound { .. }));
    }
    assert_eq!(blobs.leftovers().is_empty(), step == "blob::settled" || (whole && way != "many"));

    assert!(child(folder.path(), "never", way).status().unwrap().success(), "the put can be repeated");
    let blobs = Blobs::open(folder.path().to_str().unwrap()).await.unwrap();
    assert!(blobs.leftovers().is_empty());
    assert_eq!(blobs.get(&Digest::of(&content(0))).await.unwrap(), content(0));
}

/// A kill cannot show a missing fsync, so the order of the system calls themselves is read.
#[test]
fn the_bytes_reach_the_disk_before_the_name_and_the_name_before_the_answer() {
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        eprintln!("SKIPPED: strace is not here, so the order of system calls was not checked");
        return;
    }
    let folder = TempDir::new().unwrap();
    assert!(child(folder.path(), "never", "many").status().unwrap().success(), "the folders exist beforehand");
    let trace = folder.path().join("trace");
    let put = child(folder.path(), "never", "one");
    let mut traced = Command::new("strace");
    traced.args(["-f", "-y", "-e", "trace=fsync,rename,renameat,renameat2,unlink", "-o"]).arg(&trace);
    traced.arg(put.get_program()).args(put.get_args());
    traced.envs(put.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let digest = Digest::of(&content(0));
    std::fs::remove_file(blob_path(folder.path(), &digest)).unwrap();
    let output = traced.stdin(Stdio::null()).output().unwrap();
    if !output.status.success() && std::fs::metadata(&trace).map_or(0, |facts| facts.len()) == 0 {
        eprintln!("SKIPPED: strace may not trace here, so the order of system calls was not checked");
        return;
    }
    let text = std::fs::read_to_string(&trace).unwrap();
    let position = |what: &str, start: usize| {
        let found = text.lines().skip(start).position(|line| line.contains(what) && !line.contains("= -1"));
        found.map(|found| found + start)
    };
    let synced = position("/tmp/put-", 0).unwrap();
    assert!(text.lines().nth(synced).unwrap().contains("fsync("), "{text}");
    let renamed = position("rename", synced).unwrap();
    assert!(text.lines().nth(renamed).unwrap().contains(&digest.hex()), "{text}");
    let shard = format!("{}>", blob_path(folder.path(), &digest).parent().unwrap().display());
    assert!(position(&shard, renamed).is_some(), "{text}");
    let parent = format!("{}>", blob_path(folder.path(), &digest).parent().unwrap().parent().unwrap().display());
    assert!(position(&parent, renamed).is_some(), "{text}");
}

fn blob_path(folder: &Path, digest: &Digest) -> std::path::PathBuf {
    let hex = digest.hex();
    folder.join(&hex[..2]).join(&hex[2..4]).join(hex)
}
