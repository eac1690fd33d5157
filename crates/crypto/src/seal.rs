use std::collections::BTreeMap;
use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::key::KEY_LENGTH;
use crate::{Error, KeyId, Purpose};

const MAGIC: &[u8; 8] = b"kontor\x00\x01";
const ID_LENGTH: usize = 16;
const NONCE_LENGTH: usize = 24;

/// Seals secrets at rest with XChaCha20-Poly1305, and opens what any key of the ring has sealed.
pub struct Sealer {
    active: KeyId,
    keys: BTreeMap<KeyId, Zeroizing<[u8; KEY_LENGTH]>>,
}

/// What sealed bytes say about themselves without being opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealing {
    /// The key that opens them.
    pub key: KeyId,
}

impl Sealer {
    pub(crate) fn new(active: KeyId, keys: BTreeMap<KeyId, Zeroizing<[u8; KEY_LENGTH]>>) -> Result<Self, Error> {
        if !keys.contains_key(&active) {
            return Err(Error::Missing { purpose: Purpose::Sealing, id: active });
        }
        Ok(Self { active, keys })
    }

    /// Seals bytes for one use, which must be named alike when they are opened; so they cannot be moved to another row.
    pub fn seal(&self, plain: &[u8], context: &str) -> Result<Vec<u8>, Error> {
        let nonce: [u8; NONCE_LENGTH] = rand::random();
        let mut sealed = [MAGIC.as_slice(), self.active.as_bytes()].concat();
        let bound = bound(&sealed, context);
        let cipher = self.cipher(self.active)?;
        let encrypted = cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &bound });
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&encrypted.map_err(|_| Error::Sealed)?);
        Ok(sealed)
    }

    /// Opens bytes that were sealed for this use.
    ///
    /// # Errors
    /// [`Error::Missing`] when the key that sealed them is not here, [`Error::Sealed`] when they do not open.
    pub fn open(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let key = Sealing::of(sealed)?.key;
        let (head, rest) = sealed.split_at_checked(MAGIC.len() + ID_LENGTH).ok_or(Error::Sealed)?;
        let (nonce, encrypted) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or(Error::Sealed)?;
        let bound = bound(head, context);
        let opened = self.cipher(key)?.decrypt(&XNonce::from(*nonce), Payload { msg: encrypted, aad: &bound });
        opened.map(Zeroizing::new).map_err(|_| Error::Sealed)
    }

    /// Whether the bytes should be sealed again, because their key was rotated out.
    pub fn is_outdated(&self, sealed: &[u8]) -> Result<bool, Error> {
        Ok(Sealing::of(sealed)?.key != self.active)
    }

    fn cipher(&self, id: KeyId) -> Result<XChaCha20Poly1305, Error> {
        let key = self.keys.get(&id).ok_or(Error::Missing { purpose: Purpose::Sealing, id })?;
        XChaCha20Poly1305::new_from_slice(&**key).map_err(|_| Error::Sealed)
    }
}

impl Sealing {
    /// Reads the head of sealed bytes.
    pub fn of(sealed: &[u8]) -> Result<Self, Error> {
        let rest = sealed.strip_prefix(MAGIC.as_slice());
        let id = rest.and_then(|rest| rest.first_chunk::<ID_LENGTH>());
        let id = id.ok_or_else(|| Error::malformed("sealed secret", "its head is not that of one"))?;
        Ok(Self { key: KeyId::from_bytes(*id) })
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sealer({}, {} keys)", self.active, self.keys.len())
    }
}

/// What is authenticated beside the bytes: the head, then the use.
fn bound(head: &[u8], context: &str) -> Vec<u8> {
    [head, context.as_bytes()].concat()
}
