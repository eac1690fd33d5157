//! Signed notes against notes that other programs published, and against forgers.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use kontor_crypto::{Error, NoteSigner, NoteVerifier, Purpose, SigningKey, VerifyingKey, open_note, sign_note};
use proptest::prelude::*;
use rstest::rstest;

/// The example in the documentation of Go's package `note`.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn signer(name: &str, secret: u8) -> NoteSigner {
    NoteSigner::new(name, SigningKey::from_secret(Purpose::Log, &[secret; 32])).unwrap()
}

#[test]
fn a_note_of_another_program_opens_and_its_key_is_written_alike() {
    let key: NoteVerifier = GO_KEY.parse().unwrap();
    assert_eq!(key.to_string(), GO_KEY);
    let note = open_note(GO_NOTE.as_bytes(), &[key]).unwrap();
    assert!(note.text.starts_with("If you think") && note.text.ends_with("problem is.\n"));
    assert_eq!((note.signers.as_slice(), note.unknown), (["PeterNeumann".to_owned()].as_slice(), 0));
}

#[test]
fn signatures_of_strangers_are_counted_and_do_not_suffice() {
    let (ours, theirs) = (signer("log.example/one", 1), signer("witness.example", 2));
    let note = sign_note("one\n\ntwo\n", &[&ours, &theirs]).unwrap();
    let opened = open_note(note.as_bytes(), &[ours.verifier().clone()]).unwrap();
    assert_eq!((opened.text.as_str(), opened.unknown), ("one\n\ntwo\n", 1));
    let stranger = signer("log.example/one", 3).verifier().clone();
    assert!(matches!(open_note(note.as_bytes(), &[stranger]), Err(Error::Unsigned)));
    let renamed = NoteVerifier::new("log.example/two", *ours.verifier().key()).unwrap();
    assert!(matches!(open_note(note.as_bytes(), &[renamed]), Err(Error::Unsigned)));
}

#[rstest]
#[case::changed_text("one\n", "two\n")]
#[case::changed_number("41\n", "42\n")]
fn a_changed_text_is_forged(#[case] signed: &str, #[case] shown: &str) {
    let signer = signer("log.example", 1);
    let note = sign_note(signed, &[&signer]).unwrap().replacen(signed, shown, 1);
    assert!(matches!(open_note(note.as_bytes(), &[signer.verifier().clone()]), Err(Error::Forged { .. })));
}

#[rstest]
#[case::empty("")]
#[case::no_signature("text\n")]
#[case::no_blank_line("text\n— a AAAAAAA=\n")]
#[case::no_final_newline("text\n\n— a AAAAAAA=")]
#[case::hyphen("text\n\n- a AAAAAAA=\n")]
#[case::no_name("text\n\n—  AAAAAAA=\n")]
#[case::short_signature("text\n\n— a AAAA\n")]
#[case::no_base64("text\n\n— a !!!!!!!!\n")]
#[case::control_character("te\rxt\n\n— a AAAAAAA=\n")]
fn what_is_no_note_is_refused(#[case] note: &str) {
    let key: NoteVerifier = GO_KEY.parse().unwrap();
    assert!(matches!(open_note(note.as_bytes(), &[key]), Err(Error::Malformed { .. })));
}

#[rstest]
#[case::wrong_id("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
#[case::other_algorithm("PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
#[case::space("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")]
#[case::no_parts("PeterNeumann")]
fn what_is_no_key_is_refused(#[case] key: &str) {
    assert!(key.parse::<NoteVerifier>().is_err());
}

#[test]
fn a_point_with_which_anybody_can_sign_is_no_key() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert!(VerifyingKey::from_bytes(Purpose::Log, &identity).is_err());
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let key: NoteVerifier = GO_KEY.parse().unwrap();
        prop_assert!(open_note(&bytes, &[key]).is_err());
    }

    #[test]
    fn every_text_of_lines_comes_back(lines in proptest::collection::vec("[^\\x00-\\x1f]{0,30}", 1..6)) {
        let signer = signer("log.example", 7);
        let text = format!("{}\n", lines.join("\n"));
        let note = sign_note(&text, &[&signer]).unwrap();
        prop_assert_eq!(open_note(note.as_bytes(), &[signer.verifier().clone()]).unwrap().text, text);
    }
}
