use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest (FIPS 180-4), written `sha256:` and 64 lower-case hexadecimal digits.
///
/// The digest of a version's canonical content is the identity that decisions, runs and receipts point to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^sha256:[0-9a-f]{64}$")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Wraps a finished hash.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits, without the algorithm's name.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// The first `digits` hexadecimal digits, at most 64, for people to compare.
    pub fn short(&self, digits: usize) -> String {
        let mut text = self.hex();
        text.truncate(digits.min(64));
        text
    }

    /// Reads 64 hexadecimal digits of either case, as foreign clients send them.
    pub fn from_hex(text: &str) -> Result<Self, DigestError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| DigestError { text: clip(text) })?;
        Ok(Self(bytes))
    }
}

/// The text is no SHA-256 digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a digest of the form sha256:<64 hexadecimal digits>")]
pub struct DigestError {
    text: String,
}

fn clip(text: &str) -> String {
    text.chars().take(80).collect()
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("sha256:").ok_or_else(|| DigestError { text: clip(text) })?;
        if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(DigestError { text: clip(text) });
        }
        Self::from_hex(digits)
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl TryFrom<Vec<u8>> for Digest {
    type Error = DigestError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Self::Error> {
        let text = || DigestError { text: format!("{} bytes", bytes.len()) };
        Ok(Self(bytes.as_slice().try_into().map_err(|_| text())?))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}
