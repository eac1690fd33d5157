//! Receipts of runs: a leaf each, many under one checkpoint, proven to whoever holds the receipt.

use std::sync::Arc;

use kontor_crypto::{Keyring, Purpose, Statement, Subject};
use kontor_translog::{Entry, Error, Log, Notary, ProofFile, Trust, told, verify};
use kontor_types::SystemClock;
use rstest::rstest;
use serde_json::json;

use crate::support::{NOW, ORIGIN, On, World, files, keyring, version};

fn ring(world: &World) -> Keyring {
    let mut ring = keyring(world.folder.path());
    ring.ensure(&[Purpose::Receipt], NOW).unwrap();
    ring
}

fn notary(world: &World) -> Notary {
    let ring = ring(world);
    Notary::new(world.log.clone(), ring.signing_key(Purpose::Attestation).unwrap(), ring.history().clone(), ORIGIN)
}

fn receipt(world: &World, number: u64) -> Vec<u8> {
    let subject = Subject::new(format!("@secret-agency/skill-{number}@1.0.0"), &version(number));
    let predicate = json!({
        "run": number, "runner": {"person": "ada"}, "entry": {"name": "scripts/fetch.py"}, "exit": {"outcome": "done"},
        "connections": [{"host": "intern.secret-agency.example"}], "ended_at": "2025-11-22T08:26:40Z",
    });
    let statement = Statement::new(vec![subject], "urn:kontor:statement:run:v1", predicate);
    statement.sign(&[&ring(world).signing_key(Purpose::Receipt).unwrap()]).to_json()
}

async fn hand_in(world: &World, receipts: Vec<Vec<u8>>) {
    let handed_in = world.db.write(move |tx| {
        Box::pin(async move {
            for receipt in receipts {
                Log::enqueue(tx, Entry::of_receipt(receipt), NOW).await?;
            }
            Ok::<_, kontor_db::Error>(())
        })
    });
    handed_in.await.unwrap();
}

#[rstest]
#[tokio::test]
async fn receipts_of_a_rush_are_leaves_under_one_checkpoint(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = on.world().await else { return };
    let receipts: Vec<_> = (0..300).map(|number| receipt(&world, number)).collect();
    hand_in(&world, receipts.clone()).await;
    let mut sequencer = world.sequencer().await.unwrap();
    let round = sequencer.round().await.unwrap().unwrap();
    assert_eq!((round.added, sequencer.round().await.unwrap().is_none()), (300, true));

    let notary = notary(&world);
    let trust = Trust { log_keys: world.known(), statement_keys: notary.receipt_keys(), ..Trust::default() };
    for number in [0, 255, 299] {
        let proof = notary.receipt_proof(&receipts[number]).await.unwrap();
        let text = proof.to_json().unwrap();
        let read = ProofFile::parse(text.as_bytes()).unwrap();
        assert_eq!((read.statements.len(), read.statements[0].statement.as_bytes()), (1, receipts[number].as_slice()));
        let report = verify(&read, &trust);
        assert!(report.holds(), "{report:?}");
        let story = told(read.said()[0].as_ref().unwrap());
        assert_eq!(story.text, "@ada ran scripts/fetch.py in a sandbox; it ended well, 1 connection");

        // Another receipt in its place, or the key of another purpose, proves nothing.
        let mut other = read.clone();
        other.statements[0].statement = String::from_utf8(receipts[1].clone()).unwrap();
        assert!(!verify(&other, &trust).holds());
        let wrong = Trust { statement_keys: notary.statement_keys(), ..trust.clone() };
        assert!(!verify(&read, &wrong).holds());
    }
    let unknown = notary.receipt_proof(b"a receipt that was never handed in").await;
    assert!(matches!(unknown, Err(Error::Silent)));
}

#[rstest]
#[tokio::test]
async fn a_receipt_is_shown_with_no_version_and_nothing_of_it_is_public(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = on.world().await else { return };
    let one = receipt(&world, 7);
    hand_in(&world, vec![one.clone()]).await;
    world.sequencer().await.unwrap().round().await.unwrap();
    let log = Log::new(world.db.clone(), Arc::new(SystemClock), kontor_translog::Options::new("unused", "two"));
    let of_bytes = log.prove_about(&version(7), &world.known()).await.unwrap();
    assert!(of_bytes.is_empty(), "who asks about the bytes is told of no run");
    for path in files(world.tiles().folder()) {
        let bytes = std::fs::read(&path).unwrap();
        let digests = [version(7), kontor_types::Digest::of(&one)];
        for digest in digests {
            assert!(!bytes.windows(32).any(|window| window == digest.as_bytes()), "{}", path.display());
        }
        for private in ["secret-agency", "skill-", "ada", "fetch.py", "intern."] {
            assert!(!bytes.windows(private.len()).any(|window| window == private.as_bytes()), "{}", path.display());
        }
    }
}
