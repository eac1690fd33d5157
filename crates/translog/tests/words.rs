//! Statements in plain words, as an auditor reads them.

use kontor_crypto::{Statement, Subject};
use kontor_translog::told;
use kontor_types::Digest;
use rstest::rstest;
use serde_json::{Value, json};

#[rstest]
#[case::signature(
    "signature", json!({"name": "@acme/pdf@1.2.0", "signed_at": "2026-01-02T03:04:05Z"}),
    "the publisher signed these bytes under this name"
)]
#[case::key("key", json!({"publisher": "acme", "key": "ab12"}), "@acme signs with the key ab12 from now on")]
#[case::rotation(
    "key", json!({"publisher": "acme", "key": "ab12", "endorsed_by": "cd34"}),
    "@acme signs with the key ab12 from now on; the key cd34 vouches for it"
)]
#[case::revocation(
    "key_revoke", json!({"publisher": "acme", "key": "ab12", "from": "2026-01-02T03:04:05Z", "reason": "stolen"}),
    "nothing that the key ab12 of @acme signed is to be believed from 2026-01-02T03:04:05Z on, because: stolen"
)]
#[case::unknown("dance", json!({}), "a statement of the type dance, which this program has no words for")]
fn a_statement_is_told_in_one_sentence(#[case] kind: &str, #[case] predicate: Value, #[case] text: &str) {
    let subject = Subject::new("@acme/pdf@1.2.0", &Digest::of(b"bytes"));
    let statement = Statement::new(vec![subject], format!("urn:kontor:statement:{kind}:v1"), predicate);
    let told = told(&statement);
    assert_eq!((told.kind.as_str(), told.text.as_str()), (kind, text));
}
