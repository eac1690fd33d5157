//! Keys that travel: sealed with a passphrase, restored for their owner alone, never over another key.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use kontor_crypto::{Error, KeyFiles, Keyring, PrivateFolder, Purpose};
use kontor_types::Timestamp;
use rstest::rstest;
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::from_micros(1_763_800_000_000_000);
const PASSPHRASE: &str = "four words and more";

/// A folder with two keys, their history, what a signer remembers, and a draft.
fn made() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("keys");
    Keyring::open(&keys).unwrap().ensure(&[Purpose::Log, Purpose::Attestation], NOW).unwrap();
    let private = PrivateFolder::open(&keys).unwrap();
    private.write("log-0123.signed", b"{}").unwrap();
    private.write(".draft-1", b"half").unwrap();
    (folder, keys)
}

fn names(folder: &Path) -> Vec<String> {
    let names = PrivateFolder::open(folder).unwrap().names().unwrap();
    names.into_iter().filter(|name| !name.starts_with('.')).collect()
}

#[test]
fn sealed_keys_come_back_for_their_owner_alone() {
    let (_folder, keys) = made();
    let read = KeyFiles::read(&keys).unwrap();
    assert_eq!(read.len(), 3);
    let sealed = read.seal(PASSPHRASE).unwrap();
    let id = Keyring::open(&keys).unwrap().signing_key(Purpose::Log).unwrap().id();
    assert!(!String::from_utf8_lossy(&sealed).contains(&id.to_string()), "not even names are readable");
    assert_ne!(read.seal(PASSPHRASE).unwrap(), sealed, "no salt is used twice");

    let other = TempDir::new().unwrap();
    let place = other.path().join("keys");
    KeyFiles::open(&sealed, PASSPHRASE).unwrap().write(&place).unwrap();
    let expected: Vec<_> = names(&keys).into_iter().filter(|name| !name.ends_with(".signed")).collect();
    assert_eq!(names(&place), expected, "drafts and what the signer remembers stay behind");
    for name in expected {
        assert_eq!(fs::read(place.join(&name)).unwrap(), fs::read(keys.join(&name)).unwrap());
        assert_eq!(place.join(&name).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(place.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(Keyring::open(&place).unwrap().signing_key(Purpose::Log).unwrap().id(), id);
    KeyFiles::open(&sealed, PASSPHRASE).unwrap().write(&place).unwrap();
}

#[test]
fn a_hub_without_keys_has_none_to_seal() {
    let folder = TempDir::new().unwrap();
    assert!(KeyFiles::read(&folder.path().join("keys")).unwrap().is_empty());
    assert!(!folder.path().join("keys").exists());
}

#[rstest]
#[case::passphrase("", "", "five words and more")]
#[case::cost("\"memory_kib\":65536", "\"memory_kib\":4294967295", PASSPHRASE)]
#[case::passes("\"passes\":3", "\"passes\":4000000000", PASSPHRASE)]
#[case::format("\"format\":1", "\"format\":2", PASSPHRASE)]
#[case::nonce("\"nonce\":\"", "\"nonce\":\"0", PASSPHRASE)]
#[case::bytes("\"sealed\":\"", "\"sealed\":\"AAAA", PASSPHRASE)]
fn what_was_changed_or_has_another_passphrase_does_not_open(
    #[case] from: &str,
    #[case] to: &str,
    #[case] passphrase: &str,
) {
    let (_folder, keys) = made();
    let sealed = String::from_utf8(KeyFiles::read(&keys).unwrap().seal(PASSPHRASE).unwrap()).unwrap();
    let changed = sealed.replacen(from, to, 1);
    assert!(from.is_empty() || changed != sealed);
    assert!(matches!(KeyFiles::open(changed.as_bytes(), passphrase), Err(Error::SealedKeys)));
}

#[test]
fn a_passphrase_that_can_be_guessed_is_refused() {
    let (_folder, keys) = made();
    assert!(matches!(KeyFiles::read(&keys).unwrap().seal("too short"), Err(Error::Passphrase)));
}

#[test]
fn another_key_is_never_written_over() {
    let (_folder, keys) = made();
    let (_other, place) = made();
    let before = fs::read(place.join("history.json")).unwrap();
    let refused = KeyFiles::read(&keys).unwrap().write(&place);
    assert!(matches!(refused, Err(Error::Taken { .. })), "{refused:?}");
    assert_eq!(fs::read(place.join("history.json")).unwrap(), before);
    assert_eq!(names(&place).len(), 4, "nothing was written");
}
