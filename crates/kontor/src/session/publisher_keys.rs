//! The user's own keys as a publisher, one folder for each publisher of each hub: `keys/HUB/PUBLISHER`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kontor_crypto::{Keyring, Purpose, VerifyingKey};
use kontor_types::{Clock as _, Handle, SystemClock};
use kontor_wire::PublisherKey;

use super::settings_folder;

/// Where the keys of a publisher of a hub are.
fn folder(registry: &str, publisher: &Handle) -> anyhow::Result<PathBuf> {
    let hub = registry.split_once("://").map_or(registry, |(_, rest)| rest);
    let plain = |char: char| if char.is_ascii_alphanumeric() || ".-".contains(char) { char } else { '_' };
    let hub: String = hub.chars().map(plain).collect();
    Ok(keys_folder()?.join(hub.trim_start_matches('.')).join(publisher.as_str()))
}

fn keys_folder() -> anyhow::Result<PathBuf> {
    Ok(settings_folder()?.join("keys"))
}

/// The keys of a publisher, made ready for the first one when there is none.
pub fn open(registry: &str, publisher: &Handle) -> anyhow::Result<Keyring> {
    Ok(Keyring::open(&folder(registry, publisher)?)?)
}

/// The keys of a publisher, if there is one to sign with here.
pub fn find(registry: &str, publisher: &Handle) -> anyhow::Result<Option<Keyring>> {
    let ring = kept(registry, publisher)?;
    Ok(ring.filter(|ring| ring.history().active(Purpose::Publisher).is_some()))
}

/// The keys of a publisher, if somebody ever made some here.
pub fn kept(registry: &str, publisher: &Handle) -> anyhow::Result<Option<Keyring>> {
    // Who has no home folder has no keys in it.
    let Ok(path) = folder(registry, publisher) else { return Ok(None) };
    if !path.is_dir() {
        return Ok(None);
    }
    let ring = Keyring::open(&path)?;
    Ok((!ring.history().keys.is_empty()).then_some(ring))
}

/// Marks the keys here that the hub lists as revoked, which may have happened on another machine; and one that it does not know
/// yet and that has only the word of such a key, since it would never be taken.
pub fn follow_revocations(ring: &mut Keyring, told: &[PublisherKey]) -> anyhow::Result<()> {
    for key in told {
        let Some(at) = key.revoked_from.or(key.revoked_at) else { continue };
        let Ok(id) = key.key_id.parse() else { continue };
        if ring.history().find(id).is_some_and(|known| known.revoked.is_none()) {
            ring.revoke(id, key.revoke_reason.as_deref().unwrap_or_default(), at)?;
        }
    }
    let Some(active) = ring.history().active(Purpose::Publisher) else { return Ok(()) };
    let id = active.id;
    let word = active.endorsement.as_ref().and_then(|word| ring.history().find(word.by));
    let is_lost = word.is_some_and(|by| by.revoked.is_some());
    if is_lost && !told.iter().any(|key| key.key_id == id.to_string()) {
        ring.revoke(id, "the key that vouches for it was revoked", SystemClock.now())?;
    }
    Ok(())
}

/// The public halves of every key that was ever made here and not revoked.
pub fn own() -> anyhow::Result<Vec<VerifyingKey>> {
    own_for(Purpose::Publisher)
}

/// The same of the keys for one purpose.
pub fn own_for(purpose: Purpose) -> anyhow::Result<Vec<VerifyingKey>> {
    let mut keys = Vec::new();
    let Ok(root) = keys_folder() else { return Ok(keys) };
    for hub in folders(&root)? {
        for publisher in folders(&hub)? {
            keys.extend(Keyring::open(&publisher)?.history().trusted(purpose));
        }
    }
    Ok(keys)
}

fn folders(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let failed = || format!("cannot list {}", path.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
