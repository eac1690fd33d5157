//! DSSE envelopes and in-toto statements.

use kontor_crypto::{Envelope, Error, Purpose, SigningKey, Statement, Subject};
use kontor_types::Digest;
use rstest::rstest;
use serde_json::{Value, json};

fn key(secret: u8) -> SigningKey {
    SigningKey::from_secret(Purpose::Attestation, &[secret; 32])
}

fn statement() -> Statement {
    let subject = Subject::new("@acme/pdf@1.0.0", &Digest::of(b"content"));
    Statement::new(vec![subject], "https://example.com/scan/v1", json!({"verdict": "clean"}))
}

/// RFC 8032, section 7.1, tests 1 to 3: secret, public, message, signature.
#[rstest]
#[case(
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)]
#[case(
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)]
fn signatures_are_those_of_the_standard(
    #[case] secret: &str,
    #[case] public: &str,
    #[case] message: &str,
    #[case] signature: &str,
) {
    let secret: [u8; 32] = hex::decode(secret).unwrap().try_into().unwrap();
    let (key, message) = (SigningKey::from_secret(Purpose::Log, &secret), hex::decode(message).unwrap());
    assert_eq!(hex::encode(key.verifying_key().as_bytes()), public);
    assert_eq!(hex::encode(key.sign(&message)), signature);
    key.verifying_key().verify(&message, &key.sign(&message)).unwrap();
    assert!(key.verifying_key().verify(b"other", &key.sign(&message)).is_err());
}

#[test]
fn a_statement_has_the_form_of_in_toto() {
    let envelope: Value = serde_json::from_slice(&statement().sign(&[&key(1)]).to_json()).unwrap();
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    let payload = Envelope::parse(envelope.to_string().as_bytes()).unwrap().payload().unwrap();
    let said: Value = serde_json::from_slice(&payload).unwrap();
    let hex = Digest::of(b"content").hex();
    assert_eq!(
        said,
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "@acme/pdf@1.0.0", "digest": {"sha256": hex}}],
            "predicateType": "https://example.com/scan/v1",
            "predicate": {"verdict": "clean"}
        })
    );
}

#[test]
fn what_is_signed_is_the_types_and_lengths_too() {
    // The text that the DSSE specification gives for this payload.
    let text = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
    let envelope = Envelope::sign("http://example.com/HelloWorld", b"hello world", &[&key(1)]);
    let by_hand = Envelope {
        signatures: vec![kontor_crypto::EnvelopeSignature { keyid: String::new(), sig: base64(&key(1).sign(text)) }],
        ..envelope.clone()
    };
    assert_eq!(by_hand.verify(&[key(1).verifying_key()]).unwrap().payload, b"hello world");
    let retyped = Envelope { payload_type: "text/plain".to_owned(), ..envelope };
    assert!(matches!(retyped.verify(&[key(1).verifying_key()]), Err(Error::Forged { .. })));
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn signers_are_named_and_strangers_counted() {
    let envelope = statement().sign(&[&key(1), &key(2)]);
    let verified = envelope.verify(&[key(1).verifying_key()]).unwrap();
    assert_eq!((verified.signers, verified.unknown), (vec![key(1).id()], 1));
    assert!(Statement::parse(&verified.payload).unwrap().is_about(&Digest::of(b"content")));
    assert!(matches!(envelope.verify(&[key(3).verifying_key()]), Err(Error::Unsigned)));
    let receipt = SigningKey::from_secret(Purpose::Receipt, &[1; 32]);
    assert_ne!(receipt.id(), key(1).id(), "a key for another purpose is another key");
}

#[rstest]
#[case::other_type(json!({"_type": "https://in-toto.io/Statement/v0.1", "subject": [{"digest": {"sha256": "00"}}], "predicateType": "a"}))]
#[case::no_subject(json!({"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "a"}))]
#[case::no_digest(json!({"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": {}}], "predicateType": "a"}))]
#[case::no_predicate_type(json!({"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": {"sha256": "00"}}], "predicateType": ""}))]
#[case::list(json!([]))]
fn what_is_no_statement_is_refused(#[case] statement: Value) {
    assert!(matches!(Statement::parse(statement.to_string().as_bytes()), Err(Error::Malformed { .. })));
}
