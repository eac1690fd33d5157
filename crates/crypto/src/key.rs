use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::Error;

/// How many bytes an Ed25519 signature has.
pub const SIGNATURE_LENGTH: usize = 64;
/// How many bytes an Ed25519 key has, secret or public; so has a key for sealing.
pub(crate) const KEY_LENGTH: usize = 32;

/// What a key is for; no key serves two purposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Signs the checkpoints of the transparency log.
    Log,
    /// Signs the hub's statements about versions.
    Attestation,
    /// Signs receipts of runs.
    Receipt,
    /// Seals secrets at rest.
    Sealing,
    /// Signs what a publisher publishes; kept by the publisher, never by the hub.
    Publisher,
    /// Signs what a person allows to be bought in their name; kept by the person, never by the hub.
    Mandate,
    /// Signs a merchant's quotes; kept by the merchant.
    Merchant,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: &[Self] =
        &[Self::Log, Self::Attestation, Self::Receipt, Self::Sealing, Self::Publisher, Self::Mandate, Self::Merchant];

    /// The word in files and texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Attestation => "attestation",
            Self::Receipt => "receipt",
            Self::Sealing => "sealing",
            Self::Publisher => "publisher",
            Self::Mandate => "mandate",
            Self::Merchant => "merchant",
        }
    }

    /// Whether its keys sign, so that they have a public half.
    pub const fn signs(self) -> bool {
        !matches!(self, Self::Sealing)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Purpose {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().find(|purpose| purpose.as_str() == text);
        found.copied().ok_or_else(|| Error::malformed("purpose of a key", format!("`{}`", clip(text))))
    }
}

/// Names a key: the first 16 bytes of a hash over its purpose and its public half, as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId([u8; 16]);

impl KeyId {
    /// The id of a public key, or of a secret one that has no public half; a hash of 32 random bytes tells nothing of them.
    pub(crate) fn of(purpose: Purpose, bytes: &[u8; KEY_LENGTH]) -> Self {
        let hash = Sha256::new().chain_update(b"kontor key\n").chain_update(purpose.as_str()).chain_update(b"\n");
        let hash: [u8; 32] = hash.chain_update(bytes).finalize().into();
        let mut id = [0; 16];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Self(id)
    }

    /// The raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl FromStr for KeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 16];
        let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if !upper => Ok(Self(bytes)),
            _ => Err(Error::malformed("key id", format!("`{}` is not 32 hexadecimal digits", clip(text)))),
        }
    }
}

impl TryFrom<String> for KeyId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyId({self})")
    }
}

/// The secret half of an Ed25519 key; wiped when it is dropped.
pub struct SigningKey {
    purpose: Purpose,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// A fresh key.
    pub fn generate(purpose: Purpose) -> Self {
        Self::from_secret(purpose, &random_secret())
    }

    /// The key with these secret bytes.
    pub fn from_secret(purpose: Purpose, secret: &[u8; KEY_LENGTH]) -> Self {
        Self { purpose, key: ed25519_dalek::SigningKey::from_bytes(secret) }
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey { purpose: self.purpose, key: self.key.verifying_key() }
    }

    /// Which key this is.
    pub fn id(&self) -> KeyId {
        self.verifying_key().id()
    }

    /// What the key is for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Signs as RFC 8032 says; the same message always gets the same signature.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({} {})", self.purpose, self.id())
    }
}

/// The public half of an Ed25519 key, written `PURPOSE:BASE64`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerifyingKey {
    purpose: Purpose,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifyingKey {
    /// The key with these bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`] for bytes that are no point of the curve, or one of the few points for which anybody can sign.
    pub fn from_bytes(purpose: Purpose, bytes: &[u8; KEY_LENGTH]) -> Result<Self, Error> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes);
        match key {
            Ok(key) if purpose.signs() && !key.is_weak() => Ok(Self { purpose, key }),
            _ => Err(Error::malformed("public key", "its bytes are no Ed25519 key")),
        }
    }

    /// Which key this is.
    pub fn id(&self) -> KeyId {
        KeyId::of(self.purpose, self.key.as_bytes())
    }

    /// What the key is for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The 32 raw bytes.
    pub fn as_bytes(&self) -> &[u8; KEY_LENGTH] {
        self.key.as_bytes()
    }

    /// Whether this key has signed exactly this message; malleable signatures count as forged.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let forged = || Error::Forged { signer: self.id().to_string() };
        let signature = Signature::from_slice(signature).map_err(|_| forged())?;
        self.key.verify_strict(message, &signature).map_err(|_| forged())
    }
}

impl FromStr for VerifyingKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (purpose, bytes) =
            text.split_once(':').ok_or_else(|| Error::malformed("public key", "it is written PURPOSE:BASE64"))?;
        let bytes = BASE64.decode(bytes).unwrap_or_default();
        let bytes = bytes.as_slice().try_into().map_err(|_| Error::malformed("public key", "it has not 32 bytes"))?;
        Self::from_bytes(purpose.parse()?, bytes)
    }
}

impl TryFrom<String> for VerifyingKey {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<VerifyingKey> for String {
    fn from(key: VerifyingKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.purpose, BASE64.encode(self.as_bytes()))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "VerifyingKey({self})")
    }
}

/// 32 bytes from the system's source of randomness.
pub(crate) fn random_secret() -> Zeroizing<[u8; KEY_LENGTH]> {
    Zeroizing::new(rand::random())
}

/// The start of a foreign text, for messages.
pub(crate) fn clip(text: &str) -> String {
    text.chars().take(80).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
