//! What publishers sign, and what is no such signature.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

use kontor_crypto::{Envelope, Error, Purpose, SIGNATURE_TYPE, STATEMENT_TYPE, SignedVersion, SigningKey};
use kontor_types::{Digest, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_micros(1_763_800_000_000_000);

fn key(secret: u8) -> SigningKey {
    SigningKey::from_secret(Purpose::Publisher, &[secret; 32])
}

fn version() -> SignedVersion {
    SignedVersion { name: "@acme/pdf@1.2.0".parse().unwrap(), digest: Digest::of(b"content"), signed_at: NOW }
}

/// The statement as JSON, to be changed.
fn said() -> Value {
    serde_json::from_slice(&version().sign(&key(1)).unwrap().payload().unwrap()).unwrap()
}

#[test]
fn a_signature_names_bytes_and_version() {
    let envelope = version().sign(&key(1)).unwrap().to_json();
    assert_eq!(SignedVersion::read(&envelope).unwrap(), (version(), key(1).id()));
    let keys = [key(2).verifying_key(), key(1).verifying_key()];
    assert_eq!(SignedVersion::open(&envelope, &keys).unwrap(), (version(), key(1).id()));
    insta::assert_json_snapshot!(said(), @r#"
    {
      "_type": "https://in-toto.io/Statement/v1",
      "subject": [
        {
          "name": "@acme/pdf@1.2.0",
          "digest": {
            "sha256": "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
          }
        }
      ],
      "predicateType": "urn:kontor:statement:signature:v1",
      "predicate": {
        "name": "@acme/pdf@1.2.0",
        "signed_at": "2025-11-22T08:26:40Z"
      }
    }
    "#);
}

#[test]
fn only_publishers_keys_sign_and_only_full_names_are_signed() {
    for purpose in [Purpose::Attestation, Purpose::Log, Purpose::Receipt] {
        let other = SigningKey::from_secret(purpose, &[1; 32]);
        assert!(matches!(version().sign(&other), Err(Error::Malformed { .. })));
        // Signed all the same, with the very secret of the publisher's key.
        let forged = Envelope::sign(STATEMENT_TYPE, said().to_string().as_bytes(), &[&other]).to_json();
        let opened = SignedVersion::open(&forged, &[key(1).verifying_key(), other.verifying_key()]);
        assert!(matches!(opened, Err(Error::Unsigned)), "{purpose}: {opened:?}");
    }
    for name in ["@acme/pdf", "pdf@1.2.0", "@acme/pdf@latest", "@acme/pdf@^1.2"] {
        let version = SignedVersion { name: name.parse().unwrap(), ..version() };
        assert!(version.sign(&key(1)).is_err(), "{name}");
    }
}

#[test]
fn somebody_elses_signature_does_not_count() {
    let mut envelope = version().sign(&key(2)).unwrap();
    let keys = [key(1).verifying_key()];
    assert!(matches!(SignedVersion::open(&envelope.to_json(), &keys), Err(Error::Unsigned)));
    envelope.signatures[0].keyid = key(1).id().to_string();
    assert!(matches!(SignedVersion::open(&envelope.to_json(), &keys), Err(Error::Forged { .. })));
    envelope.signatures[0].keyid = String::new();
    assert!(matches!(SignedVersion::open(&envelope.to_json(), &keys), Err(Error::Malformed { .. })));
}

/// Each of these is signed with the right key, and still no signature of a version.
#[rstest]
#[case::another_kind("/predicateType", json!("urn:kontor:statement:decision:v1"))]
#[case::another_name_in_the_predicate("/predicate/name", json!("@acme/doc@1.2.0"))]
#[case::another_name_in_the_subject("/subject/0/name", json!("@acme/pdf@1.2.1"))]
#[case::no_full_name("/predicate/name", json!("@acme/pdf"))]
#[case::two_digests("/subject/0/digest", json!({"sha256": Digest::of(b"content").hex(), "sha1": "00"}))]
#[case::another_algorithm("/subject/0/digest", json!({"sha512": Digest::of(b"content").hex()}))]
#[case::no_digest("/subject/0/digest/sha256", json!("12"))]
#[case::more_said("/predicate", json!({"name": "@acme/pdf@1.2.0", "signed_at": "2025-11-22T08:26:40Z", "more": 1}))]
#[case::no_time("/predicate/signed_at", json!("yesterday"))]
#[case::two_subjects("/subject", json!([said()["subject"][0], said()["subject"][0]]))]
fn anything_else_is_refused(#[case] place: &str, #[case] value: Value) {
    let mut said = said();
    *said.pointer_mut(place).unwrap() = value;
    let envelope = Envelope::sign(STATEMENT_TYPE, said.to_string().as_bytes(), &[&key(1)]);
    let opened = SignedVersion::open(&envelope.to_json(), &[key(1).verifying_key()]);
    assert!(matches!(opened, Err(Error::Malformed { .. })), "{opened:?}");
}

#[test]
fn an_envelope_has_one_signature_of_its_type_and_is_small() {
    let payload = said().to_string();
    let keys = [key(1).verifying_key(), key(2).verifying_key()];
    let twice = Envelope::sign(STATEMENT_TYPE, payload.as_bytes(), &[&key(1), &key(2)]);
    let other = Envelope::sign("text/plain", payload.as_bytes(), &[&key(1)]);
    let mut unsigned = version().sign(&key(1)).unwrap();
    unsigned.signatures.clear();
    for envelope in [twice, other, unsigned] {
        assert!(matches!(SignedVersion::open(&envelope.to_json(), &keys), Err(Error::Malformed { .. })));
    }
    let mut padded = version().sign(&key(1)).unwrap().to_json();
    padded.extend(vec![b' '; 16 * 1024]);
    assert!(matches!(SignedVersion::open(&padded, &keys), Err(Error::Malformed { .. })));
    assert_eq!(SIGNATURE_TYPE, "urn:kontor:statement:signature:v1");
}

#[test]
fn a_claim_is_about_one_key_one_publisher_and_one_moment() {
    let (acme, other) = ("acme".parse().unwrap(), "other".parse().unwrap());
    let claim = key(1).claim(&acme, NOW);
    let later = Timestamp::from_micros(NOW.micros() + 1);
    key(1).verifying_key().check_claim(&acme, NOW, &claim).unwrap();
    assert!(key(1).verifying_key().check_claim(&other, NOW, &claim).is_err());
    assert!(key(1).verifying_key().check_claim(&acme, later, &claim).is_err());
    assert!(key(2).verifying_key().check_claim(&acme, NOW, &claim).is_err());
    assert!(key(1).verifying_key().check_claim(&acme, NOW, "no base64").is_err());
}
