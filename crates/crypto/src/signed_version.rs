use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kontor_types::{Digest, Handle, SkillRef, Timestamp, VersionSelector};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::key::clip;
use crate::{Envelope, Error, KeyId, Purpose, STATEMENT_TYPE, SigningKey, Statement, Subject, VerifyingKey};

/// The predicate of a publisher's statement that a version is theirs.
pub const SIGNATURE_TYPE: &str = "urn:kontor:statement:signature:v1";

/// An envelope with one signature over one name is much smaller.
const LARGEST: usize = 16 * 1024;
const WHAT: &str = "signature of a version";

/// What a publisher signs: these bytes are this version of this skill of mine.
///
/// It is an in-toto statement in a DSSE envelope with exactly one signature. Its subject is the digest of the canonical
/// archive under the full name, and the predicate says the name once more, since subjects' names are only labels to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedVersion {
    /// The full name with an exact version: `@acme/pdf@1.2.0`.
    pub name: SkillRef,
    /// The digest of the canonical archive.
    pub digest: Digest,
    /// When it was signed, as the signer says.
    pub signed_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    name: String,
    signed_at: Timestamp,
}

impl SignedVersion {
    /// Signs it with a publisher's key.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a key of another purpose, or a name that is not full.
    pub fn sign(&self, key: &SigningKey) -> Result<Envelope, Error> {
        if key.purpose() != Purpose::Publisher {
            return Err(Error::malformed("publisher's key", format!("it is a key for {}", key.purpose())));
        }
        if !is_full(&self.name) {
            return Err(Error::malformed("full name", format!("`{}`", clip(&self.name.to_string()))));
        }
        let name = self.name.to_string();
        let predicate = json!({ "name": name, "signed_at": self.signed_at });
        Ok(Statement::new(vec![Subject::new(name, &self.digest)], SIGNATURE_TYPE, predicate).sign(&[key]))
    }

    /// Reads an envelope and checks that one of these keys made its one signature.
    ///
    /// # Errors
    /// [`Error::Unsigned`] when another key made it, [`Error::Forged`] when the signature does not fit, and
    /// [`Error::Malformed`] for anything else than a statement of this kind.
    pub fn open(envelope: &[u8], keys: &[VerifyingKey]) -> Result<(Self, KeyId), Error> {
        let (said, id) = Self::read(envelope)?;
        // A hint that names no known key must not lead to one by trial: the same secret may serve another purpose.
        let named = keys.iter().find(|key| key.id() == id && key.purpose() == Purpose::Publisher);
        let key = named.ok_or(Error::Unsigned)?;
        Envelope::parse(envelope)?.verify(&[*key])?;
        Ok((said, id))
    }

    /// Reads an envelope and which key it names, whoever signed it.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything else than a statement of this kind.
    pub fn read(envelope: &[u8]) -> Result<(Self, KeyId), Error> {
        let broken = |reason: &str| Error::malformed(WHAT, reason);
        if envelope.len() > LARGEST {
            return Err(broken(&format!("it is longer than {LARGEST} bytes")));
        }
        if std::str::from_utf8(envelope).is_err() {
            return Err(broken("it is no UTF-8"));
        }
        let envelope = Envelope::parse(envelope)?;
        let [signature] = envelope.signatures.as_slice() else {
            return Err(broken("it must have exactly one signature"));
        };
        let id = signature.keyid.parse().map_err(|_| broken("its signature names no key"))?;
        if envelope.payload_type != STATEMENT_TYPE {
            return Err(broken(&format!("its type is not {STATEMENT_TYPE}")));
        }
        let said = Statement::parse(&envelope.payload()?)?;
        if said.predicate_type != SIGNATURE_TYPE {
            return Err(broken(&format!("it says {}, not {SIGNATURE_TYPE}", clip(&said.predicate_type))));
        }
        let [subject] = said.subject.as_slice() else { return Err(broken("it must be about exactly one version")) };
        let digest = match subject.digest.get("sha256").map(|hex| Digest::from_hex(hex)) {
            Some(Ok(digest)) if subject.digest.len() == 1 => digest,
            _ => return Err(broken("its subject has not exactly one digest, a SHA-256")),
        };
        let predicate: Predicate =
            serde_json::from_value(said.predicate).map_err(|error| broken(&clip(&error.to_string())))?;
        let name: Option<SkillRef> = predicate.name.parse().ok();
        match name.filter(|name| is_full(name) && name.to_string() == predicate.name && subject.name == predicate.name)
        {
            Some(name) => Ok((Self { name, digest, signed_at: predicate.signed_at }, id)),
            None => Err(broken("it does not name one version in full, the same in subject and predicate")),
        }
    }
}

const fn is_full(name: &SkillRef) -> bool {
    name.publisher.is_some() && matches!(name.version, Some(VersionSelector::Exact(_)))
}

/// What the holder of a key signs to show that they have it when they register it for a publisher.
fn claim(publisher: &Handle, key: &VerifyingKey, created_at: Timestamp) -> String {
    format!("kontor key registration v1\npublisher {publisher}\nkey {key}\ncreated {}\n", created_at.micros())
}

impl SigningKey {
    /// Shows that whoever registers this key for a publisher holds it: a signature in base64.
    pub fn claim(&self, publisher: &Handle, created_at: Timestamp) -> String {
        BASE64.encode(self.sign(claim(publisher, &self.verifying_key(), created_at).as_bytes()))
    }
}

impl VerifyingKey {
    /// Whether the holder of this key has made that claim.
    ///
    /// # Errors
    /// [`Error::Forged`] when they have not.
    pub fn check_claim(&self, publisher: &Handle, created_at: Timestamp, signature: &str) -> Result<(), Error> {
        let signature = BASE64.decode(signature).unwrap_or_default();
        self.verify(claim(publisher, self, created_at).as_bytes(), &signature)
    }
}
