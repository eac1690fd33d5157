use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kontor_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key::clip;
use crate::{Error, KeyId, Purpose, SigningKey, VerifyingKey};

/// A history larger than this is no history of keys.
const LARGEST: usize = 1024 * 1024;

/// All keys of one keyring there ever were, oldest first; nothing of it is secret, and it is meant to be published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The keys, oldest first.
    pub keys: Vec<KeyRecord>,
}

/// What everybody may know of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Which key.
    pub id: KeyId,
    /// What it is for.
    pub purpose: Purpose,
    /// Its public half; a key for sealing has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<VerifyingKey>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When another key took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
    /// Since when nothing it signed may be believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
    /// The word of the key before it, so that whoever trusts that one can follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endorsement: Option<Endorsement>,
}

/// When and why a key was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// Why, for people.
    pub reason: String,
}

/// A key's signature over its successor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endorsement {
    /// The key before.
    pub by: KeyId,
    /// Its Ed25519 signature in base64.
    pub signature: String,
}

/// Most rotations that are followed from one key to another.
const MOST_STEPS: usize = 100;

impl KeyRecord {
    /// Whether new things are signed or sealed with it.
    pub const fn is_active(&self) -> bool {
        self.retired_at.is_none() && self.revoked.is_none()
    }

    fn endorsed_text(&self, by: KeyId) -> Option<String> {
        let Self { id, public_key, created_at, .. } = self;
        let public_key = public_key.as_ref()?;
        Some(format!(
            "kontor key endorsement v1\npredecessor {by}\nsuccessor {id}\nkey {public_key}\ncreated {}\n",
            created_at.micros()
        ))
    }

    pub(crate) fn endorse(&mut self, predecessor: &SigningKey) {
        if let Some(text) = self.endorsed_text(predecessor.id()) {
            let signature = BASE64.encode(predecessor.sign(text.as_bytes()));
            self.endorsement = Some(Endorsement { by: predecessor.id(), signature });
        }
    }
}

impl History {
    /// Reads a published history and checks that it holds together.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > LARGEST {
            return Err(Error::malformed("history of keys", format!("it is longer than {LARGEST} bytes")));
        }
        let history: Self = serde_json::from_slice(bytes)
            .map_err(|error| Error::malformed("history of keys", clip(&error.to_string())))?;
        history.check()?;
        Ok(history)
    }

    /// The history as JSON, to be published.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The key that signs or seals now.
    pub fn active(&self, purpose: Purpose) -> Option<&KeyRecord> {
        self.keys.iter().rev().find(|record| record.purpose == purpose && record.is_active())
    }

    /// What is known of a key.
    pub fn find(&self, id: KeyId) -> Option<&KeyRecord> {
        self.keys.iter().find(|record| record.id == id)
    }

    /// The public keys of a purpose whose signatures count, newest first; revoked ones do not.
    pub fn trusted(&self, purpose: Purpose) -> Vec<VerifyingKey> {
        let trusted = self.keys.iter().rev().filter(|record| record.purpose == purpose && record.revoked.is_none());
        trusted.filter_map(|record| record.public_key).collect()
    }

    /// Every id fits its key, occurs once, and every endorsement was signed by an earlier key of the same purpose.
    pub fn check(&self) -> Result<(), Error> {
        let broken = |reason: String| Err(Error::History { reason });
        let mut earlier: BTreeMap<KeyId, &KeyRecord> = BTreeMap::new();
        for record in &self.keys {
            let id = record.id;
            match record.public_key {
                Some(key) if key.id() != id || key.purpose() != record.purpose => {
                    return broken(format!("{id} is not the id of its {} key", record.purpose));
                }
                None if record.purpose.signs() => return broken(format!("{id} has no public key")),
                _ => {}
            }
            if let Some(endorsement) = &record.endorsement {
                let by = earlier.get(&endorsement.by).filter(|by| by.purpose == record.purpose);
                let Some(key) = by.and_then(|by| by.public_key) else {
                    return broken(format!("{id} is endorsed by no earlier {} key", record.purpose));
                };
                let text = record.endorsed_text(endorsement.by).unwrap_or_default();
                let signature = BASE64.decode(&endorsement.signature).unwrap_or_default();
                if key.verify(text.as_bytes(), &signature).is_err() {
                    return broken(format!("the endorsement of {id} does not fit"));
                }
            }
            if earlier.insert(id, record).is_some() {
                return broken(format!("{id} stands in it twice"));
            }
        }
        Ok(())
    }
}

/// Whether a key that is believed vouches for another one, by itself or over keys between them. `records` are keys with the
/// words of their predecessors, as their holder or a hub tells them; only the signatures in them count.
pub fn vouched_for(believed: VerifyingKey, key: VerifyingKey, records: &[KeyRecord]) -> bool {
    let mut reached = key;
    for _ in 0..MOST_STEPS {
        if reached == believed {
            return true;
        }
        let Some(record) = records.iter().find(|record| record.public_key == Some(reached)) else { return false };
        let Some(word) = &record.endorsement else { return false };
        let before = records.iter().filter_map(|record| record.public_key).find(|before| before.id() == word.by);
        let Some(before) = before.filter(|before| before.purpose() == reached.purpose()) else { return false };
        let text = record.endorsed_text(word.by).unwrap_or_default();
        let signature = BASE64.decode(&word.signature).unwrap_or_default();
        if before.verify(text.as_bytes(), &signature).is_err() {
            return false;
        }
        reached = before;
    }
    false
}
