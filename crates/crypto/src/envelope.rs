use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};

use crate::key::clip;
use crate::{Error, KeyId, SigningKey, VerifyingKey};

/// The type of an envelope's payload that is an in-toto statement.
pub const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";

const LARGEST: usize = 8 * 1024 * 1024;
const MOST_SIGNATURES: usize = 32;
/// The specification lets writers choose either alphabet.
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A DSSE envelope: bytes, what they are, and who signed both together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// What the bytes are.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// The bytes in base64.
    pub payload: String,
    /// The signatures.
    pub signatures: Vec<EnvelopeSignature>,
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvelopeSignature {
    /// Which key made it; a hint that nothing vouches for.
    #[serde(default)]
    pub keyid: String,
    /// The signature in base64.
    pub sig: String,
}

/// What is in an envelope, and which known keys signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The bytes that were signed.
    pub payload: Vec<u8>,
    /// The known keys that signed them; at least one.
    pub signers: Vec<KeyId>,
    /// How many more signatures there are that no known key made.
    pub unknown: usize,
}

impl Envelope {
    /// Signs bytes together with what they are.
    pub fn sign(payload_type: &str, payload: &[u8], keys: &[&SigningKey]) -> Self {
        let signed = authenticated(payload_type, payload);
        let signature = |key: &&SigningKey| EnvelopeSignature {
            keyid: key.id().to_string(),
            sig: BASE64.encode(key.sign(&signed)),
        };
        Self {
            payload_type: payload_type.to_owned(),
            payload: BASE64.encode(payload),
            signatures: keys.iter().map(signature).collect(),
        }
    }

    /// Reads an envelope as JSON; what is in it counts only after [`Envelope::verify`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > LARGEST {
            return Err(Error::malformed("DSSE envelope", format!("it is longer than {LARGEST} bytes")));
        }
        let envelope: Self = serde_json::from_slice(bytes)
            .map_err(|error| Error::malformed("DSSE envelope", clip(&error.to_string())))?;
        if envelope.signatures.len() > MOST_SIGNATURES {
            return Err(Error::malformed("DSSE envelope", format!("it has more than {MOST_SIGNATURES} signatures")));
        }
        Ok(envelope)
    }

    /// The envelope as JSON in one line; the same envelope always gives the same bytes.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The payload if at least one of these keys signed it.
    ///
    /// # Errors
    /// [`Error::Forged`] when a signature that names one of them does not fit, [`Error::Unsigned`] when none has signed.
    pub fn verify(&self, keys: &[VerifyingKey]) -> Result<Verified, Error> {
        let payload = self.payload()?;
        let signed = authenticated(&self.payload_type, &payload);
        let mut verified = Verified { payload, signers: Vec::new(), unknown: 0 };
        for EnvelopeSignature { keyid, sig } in self.signatures.iter().take(MOST_SIGNATURES) {
            let signature = decode(sig)?;
            let named = keys.iter().find(|key| key.id().to_string() == *keyid);
            // Writers may leave the hint out.
            let author = named.or_else(|| keys.iter().find(|key| key.verify(&signed, &signature).is_ok()));
            let Some(key) = author else {
                verified.unknown += 1;
                continue;
            };
            key.verify(&signed, &signature)?;
            if !verified.signers.contains(&key.id()) {
                verified.signers.push(key.id());
            }
        }
        if verified.signers.is_empty() { Err(Error::Unsigned) } else { Ok(verified) }
    }

    /// The bytes, whoever signed them.
    pub fn payload(&self) -> Result<Vec<u8>, Error> {
        decode(&self.payload)
    }
}

/// What is signed: type and bytes, each after its length.
fn authenticated(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

fn decode(text: &str) -> Result<Vec<u8>, Error> {
    let decoded = BASE64.decode(text).or_else(|_| URL_SAFE.decode(text));
    decoded.map_err(|_| Error::malformed("DSSE envelope", "its payload or a signature is no base64"))
}
