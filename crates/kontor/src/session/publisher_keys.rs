//! The user's own keys as a publisher, one folder for each publisher of each hub: `keys/HUB/PUBLISHER`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kontor_crypto::{Keyring, Purpose, VerifyingKey};
use kontor_types::Handle;

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

/// The keys of a publisher, if somebody made some here.
pub fn find(registry: &str, publisher: &Handle) -> anyhow::Result<Option<Keyring>> {
    // Who has no home folder has no keys in it.
    let Ok(path) = folder(registry, publisher) else { return Ok(None) };
    if !path.is_dir() {
        return Ok(None);
    }
    let ring = Keyring::open(&path)?;
    Ok(ring.history().active(Purpose::Publisher).is_some().then_some(ring))
}

/// The public halves of every key that was ever made here and not revoked.
pub fn own() -> anyhow::Result<Vec<VerifyingKey>> {
    let mut keys = Vec::new();
    let Ok(root) = keys_folder() else { return Ok(keys) };
    for hub in folders(&root)? {
        for publisher in folders(&hub)? {
            keys.extend(Keyring::open(&publisher)?.history().trusted(Purpose::Publisher));
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
