//! The keys of whoever runs skills on this machine: one for receipts, one for overlays.

use std::path::Path;

use kontor_crypto::{Keyring, Purpose, SigningKey, VerifyingKey};
use kontor_types::Timestamp;

use crate::Error;

/// A folder of keys that sign receipts and overlays.
#[derive(Debug)]
pub struct RunnerKeys(Keyring);

impl RunnerKeys {
    /// Opens the folder; makes it and its keys at the first time.
    pub fn open(folder: &Path, now: Timestamp) -> Result<Self, Error> {
        let mut ring = Keyring::open(folder)?;
        ring.ensure(&[Purpose::Receipt, Purpose::Attestation], now)?;
        Ok(Self(ring))
    }

    /// The key that signs receipts.
    pub fn receipts(&self) -> Result<SigningKey, Error> {
        Ok(self.0.signing_key(Purpose::Receipt)?)
    }

    /// The key that signs overlays.
    pub fn overlays(&self) -> Result<SigningKey, Error> {
        Ok(self.0.signing_key(Purpose::Attestation)?)
    }

    /// The public keys of a purpose whose signatures count.
    pub fn trusted(&self, purpose: Purpose) -> Vec<VerifyingKey> {
        self.0.history().trusted(purpose)
    }
}
