//! Keys in their folder: modes, rotation, revocation, and what a crash or a stranger may have left.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use kontor_crypto::{Error, History, Keyring, Purpose, SigningKey};
use kontor_types::Timestamp;
use rstest::rstest;
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::from_micros(1_763_800_000_000_000);
const LATER: Timestamp = Timestamp::from_micros(1_763_900_000_000_000);

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn secrets(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".secret")).collect();
    names.sort();
    names
}

#[test]
fn keys_are_made_once_for_their_owner_alone() {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("deep/keys");
    let mut ring = Keyring::open(&keys).unwrap();
    assert!(matches!(ring.signing_key(Purpose::Log), Err(Error::Unknown { .. })));
    ring.ensure(&[Purpose::Log, Purpose::Attestation, Purpose::Sealing], NOW).unwrap();
    let id = ring.signing_key(Purpose::Log).unwrap().id();
    let mut other = Keyring::open(&keys).unwrap();
    other.ensure(&[Purpose::Log], LATER).unwrap();
    assert_eq!(other.signing_key(Purpose::Log).unwrap().id(), id);
    assert_ne!(other.signing_key(Purpose::Attestation).unwrap().id(), id);
    assert_eq!(mode(&keys), 0o700);
    for entry in fs::read_dir(&keys).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let text = format!("{ring:?} {:?}", ring.signing_key(Purpose::Log).unwrap());
    for name in secrets(&keys) {
        let secret = fs::read_to_string(keys.join(name)).unwrap();
        let digits = secret.lines().find_map(|line| line.strip_prefix("secret ")).unwrap();
        assert!(!text.contains(digits) && !other.history().to_json().contains(digits));
    }
}

#[test]
fn a_rotated_key_endorses_its_successor_and_its_secret_is_destroyed() {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("keys");
    let mut ring = Keyring::open(&keys).unwrap();
    ring.ensure(&[Purpose::Log], NOW).unwrap();
    let old = ring.signing_key(Purpose::Log).unwrap();
    let new = ring.rotate(Purpose::Log, LATER).unwrap();
    assert_eq!(new.endorsement.as_ref().unwrap().by, old.id());
    assert_eq!(secrets(&keys), [format!("log-{}.secret", new.id)]);
    let history = History::parse(ring.history().to_json().as_bytes()).unwrap();
    assert_eq!(history.find(old.id()).unwrap().retired_at, Some(LATER));
    assert_eq!(history.trusted(Purpose::Log), [new.public_key.unwrap(), old.verifying_key()]);

    let revoked = ring.revoke(old.id(), "the machine was stolen", LATER).unwrap();
    assert_eq!(revoked.revoked.unwrap().reason, "the machine was stolen");
    assert_eq!(ring.history().trusted(Purpose::Log), [new.public_key.unwrap()]);
    assert!(matches!(ring.revoke(old.id(), "again", LATER), Err(Error::Revoked { .. })));
    ring.revoke(new.id, "that too", LATER).unwrap();
    assert!(secrets(&keys).is_empty());
    assert!(matches!(ring.signing_key(Purpose::Log), Err(Error::Unknown { .. })));
    let fresh = ring.rotate(Purpose::Log, LATER).unwrap();
    assert_eq!(fresh.endorsement, None, "a revoked key's word is worth nothing");
}

#[rstest]
#[case::stranger(|history: &mut History| {
    let key = SigningKey::generate(Purpose::Log).verifying_key();
    history.keys[1].public_key = Some(key);
})]
#[case::made_earlier(|history: &mut History| history.keys[1].created_at = NOW)]
#[case::twice(|history: &mut History| { let copy = history.keys[0].clone(); history.keys.push(copy) })]
#[case::order(|history: &mut History| history.keys.reverse())]
#[case::other_purpose(|history: &mut History| history.keys[1].purpose = Purpose::Receipt)]
fn a_history_that_was_tampered_with_is_refused(#[case] tamper: fn(&mut History)) {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("keys");
    let mut ring = Keyring::open(&keys).unwrap();
    ring.ensure(&[Purpose::Log], NOW).unwrap();
    ring.rotate(Purpose::Log, LATER).unwrap();
    let mut history = ring.history().clone();
    tamper(&mut history);
    assert!(matches!(History::parse(history.to_json().as_bytes()), Err(Error::History { .. })));
    fs::write(keys.join("history.json"), history.to_json()).unwrap();
    assert!(Keyring::open(&keys).is_err());
}

#[rstest]
#[case::folder("", 0o750)]
#[case::readable("history.json", 0o640)]
#[case::world("history.json", 0o604)]
fn what_others_may_use_is_refused(#[case] name: &str, #[case] open: u32) {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("keys");
    Keyring::open(&keys).unwrap().ensure(&[Purpose::Log], NOW).unwrap();
    fs::set_permissions(keys.join(name), Permissions::from_mode(open)).unwrap();
    assert!(matches!(Keyring::open(&keys), Err(Error::Exposed { .. })));
}

#[test]
fn a_damaged_or_missing_secret_is_named() {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("keys");
    Keyring::open(&keys).unwrap().ensure(&[Purpose::Log], NOW).unwrap();
    let path = keys.join(&secrets(&keys)[0]);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("secret ", "secret 00")).unwrap();
    assert!(matches!(Keyring::open(&keys), Err(Error::Damaged { .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(Keyring::open(&keys).unwrap().signing_key(Purpose::Log), Err(Error::Missing { .. })));
}

#[test]
fn what_a_crash_left_is_swept_or_ignored() {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("keys");
    let mut ring = Keyring::open(&keys).unwrap();
    ring.ensure(&[Purpose::Log], NOW).unwrap();
    let old = secrets(&keys)[0].clone();
    let secret = fs::read(keys.join(&old)).unwrap();
    ring.rotate(Purpose::Log, LATER).unwrap();
    // As if the process had died before the old secret was destroyed, with a draft half written.
    for name in [old.as_str(), ".draft-1"] {
        fs::write(keys.join(name), &secret).unwrap();
        fs::set_permissions(keys.join(name), Permissions::from_mode(0o600)).unwrap();
    }
    let mut ring = Keyring::open(&keys).unwrap();
    ring.ensure(&[Purpose::Receipt], LATER).unwrap();
    assert!(!keys.join(&old).exists() && !keys.join(".draft-1").exists());
    assert_eq!(secrets(&keys).len(), 2);
}

#[test]
fn sealed_bytes_open_for_their_use_alone_and_after_a_rotation() {
    let folder = TempDir::new().unwrap();
    let mut ring = Keyring::open(&folder.path().join("keys")).unwrap();
    ring.ensure(&[Purpose::Sealing], NOW).unwrap();
    let sealed = ring.sealer().unwrap().seal(b"hunter2", "secret/acme/TOKEN").unwrap();
    assert_ne!(sealed, ring.sealer().unwrap().seal(b"hunter2", "secret/acme/TOKEN").unwrap());
    assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
    ring.rotate(Purpose::Sealing, LATER).unwrap();
    let opener = ring.sealer().unwrap();
    assert_eq!(opener.open(&sealed, "secret/acme/TOKEN").unwrap().as_slice(), b"hunter2");
    assert!(opener.is_outdated(&sealed).unwrap());
    assert!(matches!(opener.open(&sealed, "secret/evil/TOKEN"), Err(Error::Sealed)));
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        assert!(opener.open(&changed, "secret/acme/TOKEN").is_err(), "byte {place}");
        assert!(opener.open(&sealed[..place], "secret/acme/TOKEN").is_err(), "cut at {place}");
    }
}
