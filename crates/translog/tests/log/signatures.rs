//! A publisher's own signature in a proof file: whose it is, and whether it is to be believed.

use kontor_crypto::{
    KeyRecord, Keyring, NoteSigner, Purpose, SignedVersion, SigningKey, Statement, Subject, sign_note,
};
use kontor_translog::{Checkpoint, LogProof, ProofFile, ProvenStatement, Report, Trust, leaf, leaf_hash, verify};
use kontor_types::{Digest, Outcome, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{NOW, ORIGIN};

const NAME: &str = "@acme/pdf@1.2.0";

fn hub() -> SigningKey {
    SigningKey::from_secret(Purpose::Attestation, &[8; 32])
}

fn stranger() -> SigningKey {
    SigningKey::from_secret(Purpose::Attestation, &[9; 32])
}

fn key(secret: u8) -> SigningKey {
    SigningKey::from_secret(Purpose::Publisher, &[secret; 32])
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.micros() + seconds * 1_000_000)
}

fn bytes() -> Digest {
    Digest::of(b"content")
}

/// A statement as the only entry of a log.
fn proven(statement: Vec<u8>) -> ProvenStatement {
    let signer = NoteSigner::new(ORIGIN, SigningKey::from_secret(Purpose::Log, &[7; 32])).unwrap();
    let salt = [5; 32];
    let root = leaf_hash(leaf(&salt, &statement).as_bytes());
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 1, root };
    let checkpoint = sign_note(&checkpoint.to_string(), &[&signer]).unwrap();
    let proof = LogProof { index: 0, path: Vec::new(), checkpoint };
    ProvenStatement { statement: String::from_utf8(statement).unwrap(), salt: salt.to_vec(), proof }
}

fn said(kind: &str, subject: Subject, predicate: Value, by: &SigningKey) -> ProvenStatement {
    proven(Statement::new(vec![subject], kind, predicate).sign(&[by]).to_json())
}

fn published() -> ProvenStatement {
    let predicate = json!({"runDetails": {"metadata": {"finishedOn": later(100)}}});
    said("https://slsa.dev/provenance/v1", Subject::new(NAME, &bytes()), predicate, &hub())
}

fn signature(name: &str, digest: Digest, key: &SigningKey) -> ProvenStatement {
    let version = SignedVersion { name: name.parse().unwrap(), digest, signed_at: NOW };
    proven(version.sign(key).unwrap().to_json())
}

/// What the hub says of a key: `key` or `key_revoke`.
fn of_key(kind: &str, publisher: &str, key: &SigningKey, more: &Value, by: &SigningKey) -> ProvenStatement {
    let public = key.verifying_key().to_string();
    let mut predicate = json!({"publisher": publisher, "public_key": public, "created_at": NOW});
    predicate.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let subject = Subject::new(format!("@{publisher}"), &Digest::of(public.as_bytes()));
    said(&format!("urn:kontor:statement:{kind}:v1"), subject, predicate, by)
}

fn held(publisher: &str, secret: u8) -> ProvenStatement {
    of_key("key", publisher, &key(secret), &json!({}), &hub())
}

fn revoked(from: Timestamp) -> ProvenStatement {
    of_key("key_revoke", "acme", &key(1), &json!({"from": from, "reason": "stolen"}), &hub())
}

fn check(statements: Vec<ProvenStatement>, publisher_keys: &[SigningKey]) -> Report {
    let signer = NoteSigner::new(ORIGIN, SigningKey::from_secret(Purpose::Log, &[7; 32])).unwrap();
    let trust = Trust {
        log_keys: vec![signer.verifier().clone()],
        statement_keys: vec![hub().verifying_key()],
        publisher_keys: publisher_keys.iter().map(SigningKey::verifying_key).collect(),
        digest: Some(bytes()),
        ..Trust::default()
    };
    let file = ProofFile::new(Some(bytes()), Vec::new(), Vec::new(), statements);
    verify(&ProofFile::parse(file.to_json().unwrap().as_bytes()).unwrap(), &trust)
}

fn failures(report: &Report) -> Vec<(&str, &str)> {
    report.with(Outcome::Failed).map(|check| (check.name, check.detail.as_str())).collect()
}

#[test]
fn it_says_whose_signature_it_is_and_whether_the_key_was_known() {
    let statements = || vec![published(), signature(NAME, bytes(), &key(1)), held("acme", 1)];
    let unknown = check(statements(), &[]);
    assert_eq!(failures(&unknown), []);
    let detail = &unknown.checks.iter().find(|check| check.statement == Some(1)).unwrap().detail;
    assert!(detail.contains("@acme signed @acme/pdf@1.2.0"), "{detail}");
    let outcome = |report: &Report| report.checks.iter().find(|one| one.name == "publisher_key").unwrap().outcome;
    assert_eq!(outcome(&unknown), Outcome::NotChecked);
    let known = check(statements(), &[key(1)]);
    assert_eq!((failures(&known), outcome(&known)), (vec![], Outcome::Passed));
    // Who has the key from elsewhere needs no word of the hub.
    let without = check(vec![published(), signature(NAME, bytes(), &key(1))], &[key(1)]);
    assert_eq!((failures(&without), outcome(&without)), (vec![], Outcome::Passed));
}

#[test]
fn a_known_key_vouches_for_the_one_that_took_its_place() {
    let folder = TempDir::new().unwrap();
    let mut ring = Keyring::open(&folder.path().join("keys")).unwrap();
    ring.ensure(&[Purpose::Publisher], NOW).unwrap();
    let first = ring.signing_key(Purpose::Publisher).unwrap();
    let KeyRecord { endorsement, .. } = ring.rotate(Purpose::Publisher, NOW).unwrap();
    let (second, word) = (ring.signing_key(Purpose::Publisher).unwrap(), endorsement.unwrap());
    let more = json!({"endorsed_by": word.by, "endorsement": word.signature});
    let statements = |more: &Value| {
        vec![published(), signature(NAME, bytes(), &second), of_key("key", "acme", &second, more, &hub())]
    };
    assert_eq!(failures(&check(statements(&more), &[first])), []);
    let other = json!({"endorsed_by": key(1).id(), "endorsement": word.signature});
    assert_eq!(failures(&check(statements(&other), &[key(1)]))[0].0, "publisher_key");
}

#[rstest]
#[case::no_word_of_the_hub(vec![signature(NAME, bytes(), &key(1))], "no known key")]
#[case::held_by_another(vec![signature(NAME, bytes(), &key(1)), held("other", 1)], "no known key")]
#[case::another_key(vec![signature(NAME, bytes(), &key(2)), held("acme", 1)], "no known key")]
#[case::a_strangers_word(
    vec![signature(NAME, bytes(), &key(1)), of_key("key", "acme", &key(1), &json!({}), &stranger())],
    "no known key"
)]
#[case::other_bytes(vec![signature(NAME, Digest::of(b"other"), &key(1)), held("acme", 1)], "not about")]
#[case::another_skill(vec![signature("@acme/doc@1.2.0", bytes(), &key(1)), held("acme", 1)], "not for @acme/pdf@1.2.0")]
#[case::another_version(vec![signature("@acme/pdf@1.2.1", bytes(), &key(1)), held("acme", 1)], "not for @acme/pdf@1.2.0")]
#[case::revoked(vec![signature(NAME, bytes(), &key(1)), held("acme", 1), revoked(later(100))], "stolen")]
fn what_does_not_hold_is_said(#[case] statements: Vec<ProvenStatement>, #[case] reason: &str) {
    let report = check([vec![published()], statements].concat(), &[]);
    let failed = failures(&report);
    assert!(failed.iter().any(|(_, detail)| detail.contains(reason)), "{failed:?}");
}

#[test]
fn a_later_revocation_leaves_what_was_taken_before() {
    let before = check(vec![published(), signature(NAME, bytes(), &key(1)), held("acme", 1), revoked(later(101))], &[]);
    assert_eq!(failures(&before), []);
    let unsigned = check(vec![published()], &[key(1)]);
    assert_eq!(failures(&unsigned), [("publisher_key", "its publisher has not signed it")]);
    let other = check(vec![published(), signature(NAME, bytes(), &key(1)), held("acme", 1)], &[key(2)]);
    assert_eq!(failures(&other)[0].0, "publisher_key");
}
