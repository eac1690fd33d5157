//! A folder of keys on its way into a backup and out of it: sealed with a passphrase, never in the clear.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::folder::MEMORY_SUFFIX;
use crate::key::KEY_LENGTH;
use crate::{Error, PrivateFolder};

/// The fewest characters of a passphrase.
pub const SHORTEST_PASSPHRASE: usize = 12;

/// Binds the sealed bytes to what they are for.
const CONTEXT: &[u8] = b"kontor backup keys 1";
const FORMAT: u32 = 1;
/// What one guess costs: 64 MiB of memory, three times over.
const COST: Cost = Cost { memory_kib: 64 * 1024, passes: 3 };
/// The most that a foreign file may make this program spend.
const MOST: Cost = Cost { memory_kib: 1024 * 1024, passes: 16 };
/// The most files there.
const MOST_FILES: usize = 10_000;
/// The most bytes of sealed keys.
const LARGEST: usize = 64 * 1024 * 1024;

/// The files of a folder of keys, by name.
///
/// What a signer remembers of its log is not among them: a backup is older than the log, and whoever restores one must not
/// sign on from there.
#[derive(Serialize, Deserialize)]
pub struct KeyFiles(BTreeMap<String, Zeroizing<String>>);

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Cost {
    memory_kib: u32,
    passes: u32,
}

/// What stands in the backup.
#[derive(Serialize, Deserialize)]
struct Sealed {
    format: u32,
    argon2id: Cost,
    salt: String,
    nonce: String,
    #[serde(rename = "sealed")]
    keys: String,
}

impl KeyFiles {
    /// Reads the keys of a hub; there are none when there is no such folder.
    pub fn read(keys: &Path) -> Result<Self, Error> {
        let mut files = BTreeMap::new();
        if !keys.is_dir() {
            return Ok(Self(files));
        }
        let folder = PrivateFolder::open(keys)?;
        for name in folder.names()?.into_iter().filter(|name| is_name(name)) {
            let damaged = |reason: &str| Error::Damaged { path: keys.join(&name), reason: reason.to_owned() };
            if files.len() >= MOST_FILES {
                return Err(damaged("there are more files than keys"));
            }
            let Some(bytes) = folder.read(&name)? else { continue };
            let text = std::str::from_utf8(&bytes).map_err(|_| damaged("it is no text"))?;
            files.insert(name.clone(), Zeroizing::new(text.to_owned()));
        }
        Ok(Self(files))
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Seals them with a key made of the passphrase (Argon2id, XChaCha20-Poly1305).
    ///
    /// # Errors
    /// [`Error::Passphrase`] when the passphrase is too short.
    pub fn seal(&self, passphrase: &str) -> Result<Vec<u8>, Error> {
        if passphrase.chars().count() < SHORTEST_PASSPHRASE {
            return Err(Error::Passphrase);
        }
        let (salt, nonce) = (rand::random::<[u8; 16]>(), rand::random::<[u8; 24]>());
        let text = serde_json::to_vec(self).map(Zeroizing::new).map_err(|_| Error::SealedKeys)?;
        let payload = Payload { msg: text.as_slice(), aad: CONTEXT };
        let sealed = cipher(passphrase, &salt, COST)?.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Error::SealedKeys)?;
        let (salt, nonce) = (hex::encode(salt), hex::encode(nonce));
        let whole = Sealed { format: FORMAT, argon2id: COST, salt, nonce, keys: BASE64.encode(sealed) };
        serde_json::to_vec(&whole).map_err(|_| Error::SealedKeys)
    }

    /// Opens what [`KeyFiles::seal`] has sealed.
    ///
    /// # Errors
    /// [`Error::SealedKeys`] when the passphrase is another one, or the bytes were changed.
    pub fn open(sealed: &[u8], passphrase: &str) -> Result<Self, Error> {
        if sealed.len() > LARGEST {
            return Err(Error::SealedKeys);
        }
        let whole: Sealed = serde_json::from_slice(sealed).map_err(|_| Error::SealedKeys)?;
        let cost = whole.argon2id;
        if whole.format != FORMAT || cost.memory_kib > MOST.memory_kib || cost.passes > MOST.passes {
            return Err(Error::SealedKeys);
        }
        let (mut salt, mut nonce) = ([0_u8; 16], [0_u8; 24]);
        hex::decode_to_slice(&whole.salt, &mut salt).map_err(|_| Error::SealedKeys)?;
        hex::decode_to_slice(&whole.nonce, &mut nonce).map_err(|_| Error::SealedKeys)?;
        let bytes = BASE64.decode(&whole.keys).map_err(|_| Error::SealedKeys)?;
        let payload = Payload { msg: bytes.as_slice(), aad: CONTEXT };
        let text = cipher(passphrase, &salt, cost)?.decrypt(&XNonce::from(nonce), payload);
        let text = text.map(Zeroizing::new).map_err(|_| Error::SealedKeys)?;
        let keys: Self = serde_json::from_slice(&text).map_err(|_| Error::SealedKeys)?;
        if keys.0.len() > MOST_FILES || !keys.0.keys().all(|name| is_name(name)) {
            return Err(Error::SealedKeys);
        }
        Ok(keys)
    }

    /// Writes them for their owner alone.
    ///
    /// # Errors
    /// [`Error::Taken`] when another key of the same name is there; then nothing is written.
    pub fn write(&self, keys: &Path) -> Result<(), Error> {
        let folder = PrivateFolder::open(keys)?;
        let _lock = folder.lock()?;
        let mut missing = Vec::new();
        for (name, text) in &self.0 {
            match folder.read(name)? {
                None => missing.push((name, text)),
                Some(found) if *found == *text.as_bytes() => {}
                Some(_) => return Err(Error::Taken { path: keys.join(name) }),
            }
        }
        missing.into_iter().try_for_each(|(name, text)| folder.write(name, text.as_bytes()))
    }
}

impl fmt::Debug for KeyFiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyFiles").field("files", &self.0.len()).finish()
    }
}

/// The name of a key or their history, not of a draft or a memory, and never a way out of the folder.
fn is_name(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let fits = !name.starts_with('.') && (1..=200).contains(&name.len()) && name.chars().all(plain);
    fits && !name.ends_with(MEMORY_SUFFIX)
}

fn cipher(passphrase: &str, salt: &[u8], cost: Cost) -> Result<XChaCha20Poly1305, Error> {
    let mut key = Zeroizing::new([0_u8; KEY_LENGTH]);
    let parameters = Params::new(cost.memory_kib, cost.passes, 1, Some(key.len())).map_err(|_| Error::SealedKeys)?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    argon.hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice()).map_err(|_| Error::SealedKeys)?;
    XChaCha20Poly1305::new_from_slice(key.as_slice()).map_err(|_| Error::SealedKeys)
}
