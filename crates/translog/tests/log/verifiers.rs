//! The published log before verifiers that are not ours: Go's `tlog` and `note`, and Python's `pymerkle`.
//!
//! `cargo xtask test` builds the Go program of `tests/verifiers/go` and names it in `KONTOR_GO_VERIFIER`.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use kontor_translog::{Checkpoint, ProofFile};
use rstest::rstest;

use crate::support::{On, World, version};
use crate::tampered::{SIZES, Tampering};

/// The Go program; nothing (said loudly) where it was not built.
fn go() -> Option<PathBuf> {
    let program = std::env::var_os("KONTOR_GO_VERIFIER").map(PathBuf::from);
    if program.is_none() {
        eprintln!("SKIPPED: KONTOR_GO_VERIFIER is not set, so Go did not check the log (cargo xtask test sets it)");
    }
    program
}

fn run_go(go: &Path, world: &World, folder: &Path, more: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(go);
    for (option, path) in more {
        command.arg(option).arg(path);
    }
    command.arg(folder).arg(world.known()[0].to_string()).output().unwrap()
}

fn says(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Proof files of a few entries, beside the log.
async fn proof_files(world: &World) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for number in [0, 99, 100, 255, 256, 511, 512, 599] {
        let statements = world.log.prove_about(&version(number), &world.known()).await.unwrap();
        assert_eq!(statements.len(), 1);
        let keys = vec![world.attester().verifying_key()];
        let file = ProofFile::new(Some(version(number)), world.known(), keys, statements);
        let path = world.folder.path().join(format!("{number}.proof"));
        std::fs::write(&path, file.to_json().unwrap()).unwrap();
        paths.push(path);
    }
    paths
}

#[rstest]
#[tokio::test]
async fn go_derives_the_root_and_believes_every_proof(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(go) = go() else { return };
    let Some(world) = on.world().await else { return };
    for (sizes, size) in [(&SIZES[..1], 100), (&SIZES[1..], 600)] {
        let first = std::fs::read(world.tiles().folder().join("checkpoint"));
        for count in sizes {
            grow(&world, *count).await;
        }
        let seen = world.folder.path().join("seen");
        let mut more: Vec<(&str, &Path)> = Vec::new();
        if let Ok(first) = first {
            std::fs::write(&seen, first).unwrap();
            more.push(("-seen", &seen));
        }
        let proofs = if size == 600 { proof_files(&world).await } else { Vec::new() };
        more.extend(proofs.iter().map(|path| ("-proof", path.as_path())));
        let output = run_go(&go, &world, world.tiles().folder(), &more);
        assert!(output.status.success() && says(&output).starts_with(&format!("ok {size} ")), "{}", says(&output));
    }
}

async fn grow(world: &World, count: u64) {
    let mut sequencer = world.sequencer().await.unwrap();
    let size = Checkpoint::open(&world.tiles().checkpoint().unwrap_or_default(), &world.known());
    let first = size.map_or(0, |checkpoint| checkpoint.size);
    world.hand_in_many(first..first + count).await;
    while sequencer.round().await.unwrap().is_some() {}
}

#[rstest]
#[tokio::test]
async fn go_refuses_what_was_tampered_with(
    #[values(
        Tampering::FlippedLeaf,
        Tampering::FlippedHash,
        Tampering::Fork,
        Tampering::TruncatedTile,
        Tampering::RolledBack,
        Tampering::WrongOrigin,
        Tampering::ReusedIndex,
        Tampering::MissingTile,
        Tampering::ForgedCheckpoint
    )]
    tampering: Tampering,
) {
    let Some(go) = go() else { return };
    let world = On::Sqlite.world().await.unwrap();
    world.fill(&SIZES).await;
    let copy = world.copy();
    let seen = world.tiles().folder().join("checkpoint");
    let sound = run_go(&go, &world, copy.path(), &[("-seen", &seen)]);
    assert!(sound.status.success(), "{}", says(&sound));
    tampering.apply(&world, copy.path());
    let refused = run_go(&go, &world, copy.path(), &[("-seen", &seen)]);
    assert!(refused.status.code() == Some(1) && says(&refused).starts_with("refused: "), "{}", says(&refused));
}

#[rstest]
#[case::index("index 5", "index 6")]
#[case::salt("\"salt\": \"", "\"salt\": \"AAAA")]
#[case::statement("application/vnd.in-toto+json", "application/vnd.in-toto+jsom")]
#[tokio::test]
async fn go_refuses_a_proof_that_was_tampered_with(#[case] from: &str, #[case] to: &str) {
    let Some(go) = go() else { return };
    let world = On::Sqlite.world().await.unwrap();
    world.fill(&[300]).await;
    let statements = world.log.prove_about(&version(5), &world.known()).await.unwrap();
    let text = ProofFile::new(None, world.known(), Vec::new(), statements).to_json().unwrap();
    let path = world.folder.path().join("proof");
    for (text, believed) in [(text.clone(), true), (text.replacen(from, to, 1), false)] {
        std::fs::write(&path, text).unwrap();
        let output = run_go(&go, &world, world.tiles().folder(), &[("-proof", &path)]);
        assert_eq!(output.status.success(), believed, "{}", says(&output));
    }
}

#[tokio::test]
async fn pymerkle_derives_the_same_root() {
    let python = std::env::var_os("KONTOR_TEST_PYTHON").map(PathBuf::from);
    let known = |python: &PathBuf| {
        Command::new(python).args(["-c", "import pymerkle"]).output().is_ok_and(|o| o.status.success())
    };
    let Some(python) = python.filter(known) else {
        eprintln!("SKIPPED: KONTOR_TEST_PYTHON names no Python with pymerkle, so it did not derive the root");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verifiers/python/derive_root.py");
    let derive = |folder: &Path, size: u64| {
        let output = Command::new(&python).arg(&script).arg(folder).arg(size.to_string()).output().unwrap();
        assert!(output.status.success(), "{}", says(&output));
        says(&output).trim().to_owned()
    };
    let world = On::Sqlite.world().await.unwrap();
    world.fill(&SIZES).await;
    let checkpoint = Checkpoint::open(&world.tiles().checkpoint().unwrap(), &world.known()).unwrap();
    let root = base64::engine::general_purpose::STANDARD.encode(checkpoint.root.as_bytes());
    assert_eq!(derive(world.tiles().folder(), checkpoint.size), root);
    let copy = world.copy();
    Tampering::FlippedLeaf.apply(&world, copy.path());
    assert_ne!(derive(copy.path(), checkpoint.size), root);
}
