//! Proof files: what the verifier finds, refuses, and says that it could not check.

use kontor_crypto::{Purpose, SigningKey};
use kontor_translog::{Checkpoint, Error, LogProof, ProofFile, Report, Trust, verify};
use kontor_types::{Digest, LogEntryId, Outcome};
use rstest::rstest;

use crate::support::{On, World, version};

async fn world() -> (World, ProofFile) {
    let world = On::Sqlite.world().await.unwrap();
    world.fill(&[300, 40]).await;
    let file = file_about(&world, 77).await;
    (world, file)
}

async fn file_about(world: &World, number: u64) -> ProofFile {
    let statements = world.log.prove_about(&version(number), &world.known()).await.unwrap();
    assert_eq!(statements.len(), 1);
    ProofFile::new(Some(version(number)), world.known(), vec![world.attester().verifying_key()], statements)
}

fn trust(world: &World) -> Trust {
    Trust {
        log_keys: world.known(),
        statement_keys: vec![world.attester().verifying_key()],
        receipt_keys: Vec::new(),
        publisher_keys: Vec::new(),
        digest: Some(version(77)),
        seen: None,
    }
}

fn names(report: &Report, outcome: Outcome) -> Vec<&'static str> {
    report.with(outcome).map(|check| check.name).collect()
}

#[rstest]
#[tokio::test]
async fn a_proof_file_is_believed_by_whoever_knows_the_keys(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = on.world().await else { return };
    world.fill(&[300, 40]).await;
    let file = file_about(&world, 77).await;
    let read = ProofFile::parse(file.to_json().unwrap().as_bytes()).unwrap();
    assert_eq!(read, file);
    let report = verify(&read, &trust(&world));
    assert!(report.holds(), "{report:?}");
    assert_eq!(
        names(&report, Outcome::Passed),
        ["log_key", "statement_key", "signature", "checkpoint", "inclusion", "subject", "bytes"]
    );
    assert_eq!(names(&report, Outcome::NotChecked), ["later_statements", "same_history", "witnesses"]);
}

#[tokio::test]
async fn without_keys_and_bytes_it_says_so() {
    let (_world, file) = world().await;
    let report = verify(&file, &Trust::default());
    assert!(report.holds());
    let open = names(&report, Outcome::NotChecked);
    assert_eq!(open, ["log_key", "statement_key", "bytes", "later_statements", "same_history", "witnesses"]);
}

#[tokio::test]
async fn a_checkpoint_seen_before_is_compared() {
    let (world, file) = world().await;
    let seen = Checkpoint::open(&world.tiles().checkpoint().unwrap(), &world.known()).unwrap();
    let report = verify(&file, &Trust { seen: Some(seen.clone()), ..trust(&world) });
    assert!(report.holds() && names(&report, Outcome::Passed).contains(&"same_history"));
    let fork = Checkpoint { root: Digest::of(b"fork"), ..seen.clone() };
    let report = verify(&file, &Trust { seen: Some(fork), ..trust(&world) });
    assert_eq!(names(&report, Outcome::Failed), ["same_history"]);
    let older = Checkpoint { size: 300, ..seen };
    let report = verify(&file, &Trust { seen: Some(older), ..trust(&world) });
    assert!(names(&report, Outcome::NotChecked).contains(&"same_history"));
}

type Tamper = fn(&mut ProofFile, &mut Trust);

#[rstest]
#[case::statement(|file: &mut ProofFile, _: &mut Trust| file.statements[0].statement = file.statements[0].statement.replace("payload", "pay1oad"), "signature")]
#[case::space_in_the_statement(|file: &mut ProofFile, _: &mut Trust| file.statements[0].statement.push(' '), "inclusion")]
#[case::salt(|file: &mut ProofFile, _: &mut Trust| file.statements[0].salt[0] ^= 1, "inclusion")]
#[case::short_salt(|file: &mut ProofFile, _: &mut Trust| { file.statements[0].salt.pop(); }, "inclusion")]
#[case::index(|file: &mut ProofFile, _: &mut Trust| file.statements[0].proof.index += 1, "inclusion")]
#[case::index_past_the_end(|file: &mut ProofFile, _: &mut Trust| file.statements[0].proof.index = u64::MAX, "inclusion")]
#[case::path(|file: &mut ProofFile, _: &mut Trust| { file.statements[0].proof.path.pop(); }, "inclusion")]
#[case::hash(|file: &mut ProofFile, _: &mut Trust| file.statements[0].proof.path[1] = Digest::of(b"other"), "inclusion")]
#[case::size(|file: &mut ProofFile, _: &mut Trust| file.statements[0].proof.checkpoint = file.statements[0].proof.checkpoint.replace("\n340\n", "\n341\n"), "checkpoint")]
#[case::origin(|file: &mut ProofFile, _: &mut Trust| file.statements[0].proof.checkpoint = file.statements[0].proof.checkpoint.replacen("skills.example.com", "evil.example.com", 1), "checkpoint")]
#[case::other_bytes(|_: &mut ProofFile, trust: &mut Trust| trust.digest = Some(Digest::of(b"other bytes")), "subject")]
#[case::other_log_key(|_: &mut ProofFile, trust: &mut Trust| trust.log_keys = vec![stranger_of_the_log()], "checkpoint")]
#[case::other_statement_key(|_: &mut ProofFile, trust: &mut Trust| trust.statement_keys = vec![SigningKey::generate(Purpose::Attestation).verifying_key()], "signature")]
#[case::nothing(|file: &mut ProofFile, _: &mut Trust| file.statements.clear(), "statements")]
#[tokio::test]
async fn what_was_tampered_with_fails_where_it_was(#[case] tamper: Tamper, #[case] failed: &str) {
    let (world, mut file) = world().await;
    let mut trust = trust(&world);
    tamper(&mut file, &mut trust);
    let report = verify(&file, &trust);
    assert!(!report.holds() && names(&report, Outcome::Failed).contains(&failed), "{report:?}");
}

fn stranger_of_the_log() -> kontor_crypto::NoteVerifier {
    let key = SigningKey::generate(Purpose::Log).verifying_key();
    kontor_crypto::NoteVerifier::new(crate::support::ORIGIN, key).unwrap()
}

#[tokio::test]
async fn a_statement_that_is_not_published_has_no_proof() {
    let (world, _) = world().await;
    let waiting = world.hand_in(400).await;
    assert!(matches!(world.log.prove(waiting, &world.known()).await, Err(Error::NoEntry { .. })));
    let unknown = LogEntryId::new(crate::support::NOW);
    assert!(matches!(world.log.prove(unknown, &world.known()).await, Err(Error::NoEntry { .. })));
    assert!(world.log.prove_about(&version(400), &world.known()).await.unwrap().is_empty());
}

#[rstest]
#[case::empty("")]
#[case::other_version("c2sp.org/tlog-proof@v2\nindex 1\n\nnote")]
#[case::no_index("c2sp.org/tlog-proof@v1\n\nnote")]
#[case::leading_zero("c2sp.org/tlog-proof@v1\nindex 01\n\nnote")]
#[case::short_hash("c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nnote")]
#[case::no_checkpoint("c2sp.org/tlog-proof@v1\nindex 1\n")]
fn what_is_no_proof_is_refused(#[case] text: &str) {
    assert!(text.parse::<LogProof>().is_err());
}

#[test]
fn a_proof_with_something_extra_is_read() {
    let text = "c2sp.org/tlog-proof@v1\nextra YQ==\nindex 7\n\norigin\n1\n";
    let proof: LogProof = text.parse().unwrap();
    assert_eq!((proof.index, proof.checkpoint.as_str()), (7, "origin\n1\n"));
    assert_eq!(proof.to_string(), text.replace("extra YQ==\n", ""));
}

#[test]
fn a_path_longer_than_any_tree_is_high_is_refused() {
    let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    let text = format!("c2sp.org/tlog-proof@v1\nindex 7\n{}\nnote", hash.repeat(65));
    assert!(text.parse::<LogProof>().is_err());
}
