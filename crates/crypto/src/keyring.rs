use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use kontor_types::Timestamp;
use zeroize::Zeroizing;

use crate::folder::read_private;
use crate::key::{KEY_LENGTH, random_secret};
use crate::{Error, History, KeyId, KeyRecord, PrivateFolder, Purpose, Revocation, Sealer, SigningKey};

const HISTORY: &str = "history.json";
const SUFFIX: &str = ".secret";
const FIRST_LINE: &str = "kontor secret key v1";

/// A folder of keys: one file of mode 0600 for each secret, and the public history of all keys there ever were.
///
/// The history says which key is in use, so a rotation takes effect in the moment its new text gets its name. The secret
/// of a signing key is destroyed when it is rotated out or revoked; sealing keys stay, since they open what was sealed.
pub struct Keyring {
    folder: PrivateFolder,
    history: History,
    secrets: BTreeMap<KeyId, Zeroizing<[u8; KEY_LENGTH]>>,
}

impl Keyring {
    /// Opens the folder, or makes it.
    ///
    /// # Errors
    /// [`Error::Exposed`] when others may use the folder or a file in it, [`Error::Damaged`] when a file does not hold
    /// what it should, [`Error::History`] when the history was tampered with.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let folder = PrivateFolder::open(path)?;
        let mut keyring = Self { folder, history: History::default(), secrets: BTreeMap::new() };
        keyring.reload()?;
        Ok(keyring)
    }

    /// Reads again what other processes may have changed.
    pub fn reload(&mut self) -> Result<(), Error> {
        self.history = match self.folder.read(HISTORY)? {
            Some(bytes) => History::parse(&bytes)?,
            None => History::default(),
        };
        self.secrets.clear();
        for name in self.folder.names()? {
            if let Some((purpose, id)) = parse_name(&name) {
                match self.history.find(id) {
                    Some(record) if record.purpose == purpose && is_kept(record) => {
                        self.secrets.insert(id, self.read_secret(&name, purpose, id)?);
                    }
                    // Left by a crash: before the history knew the key, or before the secret was destroyed, which the next
                    // change does.
                    _ => tracing::warn!(key.file = name, "a secret that the history does not use is left alone"),
                }
            }
        }
        Ok(())
    }

    /// All keys there ever were.
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Makes a key for each purpose that has none in use.
    pub fn ensure(&mut self, purposes: &[Purpose], now: Timestamp) -> Result<(), Error> {
        for purpose in purposes {
            if self.history.active(*purpose).is_none() {
                let _lock = self.folder.lock()?;
                self.reload()?;
                if self.history.active(*purpose).is_none() {
                    self.add(*purpose, now)?;
                }
            }
        }
        Ok(())
    }

    /// The key that signs now.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is none yet, [`Error::Missing`] when its secret is not here.
    pub fn signing_key(&self, purpose: Purpose) -> Result<SigningKey, Error> {
        let record = self.active(purpose)?;
        Ok(SigningKey::from_secret(purpose, self.secret(record)?))
    }

    /// The key in a file of a keyring, wherever that file was put: 0600, as [`Keyring`] writes it.
    ///
    /// # Errors
    /// [`Error::Exposed`] when others may use the file, [`Error::Damaged`] when it holds no secret key of this purpose.
    pub fn key_in(path: &Path, purpose: Purpose) -> Result<SigningKey, Error> {
        let bytes = read_private(path)?;
        let damaged = |reason: String| Error::Damaged { path: path.to_path_buf(), reason };
        let Some(secret) = parse_secret(&bytes) else { return Err(damaged("it holds no secret key".to_owned())) };
        // The purpose is part of the id, so a key of another purpose has another id in its file.
        let key = SigningKey::from_secret(purpose, &secret);
        let id =
            std::str::from_utf8(&bytes).ok().and_then(|text| text.lines().find_map(|line| line.strip_prefix("id ")));
        if id != Some(key.id().to_string().as_str()) {
            return Err(damaged(format!("its key is not for {purpose}, or the file was changed")));
        }
        Ok(key)
    }

    /// The file of the key that signs now.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is none yet.
    pub fn secret_file(&self, purpose: Purpose) -> Result<PathBuf, Error> {
        let record = self.active(purpose)?;
        Ok(self.folder.path().join(file_name(purpose, record.id)))
    }

    /// Seals with the newest sealing key and opens with any.
    pub fn sealer(&self) -> Result<Sealer, Error> {
        let active = self.active(Purpose::Sealing)?.id;
        let known = self.history.keys.iter().filter(|record| record.purpose == Purpose::Sealing);
        let keys = known.filter_map(|record| Some((record.id, self.secrets.get(&record.id)?.clone()))).collect();
        Sealer::new(active, keys)
    }

    /// Makes a new key and retires the one in use, which endorses it.
    pub fn rotate(&mut self, purpose: Purpose, now: Timestamp) -> Result<KeyRecord, Error> {
        let _lock = self.folder.lock()?;
        self.reload()?;
        self.add(purpose, now)
    }

    /// Marks a key as not to be believed and destroys its secret; a sealing key only stops to be used.
    pub fn revoke(&mut self, id: KeyId, reason: &str, now: Timestamp) -> Result<KeyRecord, Error> {
        let _lock = self.folder.lock()?;
        self.reload()?;
        let mut history = self.history.clone();
        let unknown = || Error::Unknown { id: id.to_string() };
        let record = history.keys.iter_mut().find(|record| record.id == id).ok_or_else(unknown)?;
        if record.revoked.is_some() {
            return Err(Error::Revoked { id });
        }
        record.revoked = Some(Revocation { at: now, reason: reason.to_owned() });
        let record = record.clone();
        self.commit(history)?;
        Ok(record)
    }

    /// Adds a key in three steps, of which the second one counts: secret, history, removal of what is out of use.
    fn add(&mut self, purpose: Purpose, now: Timestamp) -> Result<KeyRecord, Error> {
        let secret = random_secret();
        let id = key_id(purpose, &secret);
        let public_key = purpose.signs().then(|| SigningKey::from_secret(purpose, &secret).verifying_key());
        let mut record =
            KeyRecord { id, purpose, public_key, created_at: now, retired_at: None, revoked: None, endorsement: None };
        let mut history = self.history.clone();
        if purpose.signs() && history.active(purpose).is_some() {
            record.endorse(&self.signing_key(purpose)?);
        }
        for before in history.keys.iter_mut().filter(|before| before.purpose == purpose && before.is_active()) {
            before.retired_at = Some(now);
        }
        history.keys.push(record.clone());
        self.folder.write(&file_name(purpose, id), secret_text(purpose, id, &secret).as_bytes())?;
        self.secrets.insert(id, secret);
        self.commit(history)?;
        Ok(record)
    }

    /// Writes the history, then destroys the secrets that it no longer uses.
    fn commit(&mut self, history: History) -> Result<(), Error> {
        history.check()?;
        self.folder.write(HISTORY, history.to_json().as_bytes())?;
        self.history = history;
        for name in self.folder.names()? {
            let known = parse_name(&name).and_then(|(_, id)| self.history.find(id));
            if let Some(record) = known.filter(|record| !is_kept(record)) {
                self.secrets.remove(&record.id);
                self.folder.remove(&name)?;
            }
        }
        Ok(())
    }

    fn active(&self, purpose: Purpose) -> Result<&KeyRecord, Error> {
        self.history.active(purpose).ok_or_else(|| Error::Unknown { id: purpose.to_string() })
    }

    fn secret(&self, record: &KeyRecord) -> Result<&[u8; KEY_LENGTH], Error> {
        let missing = || Error::Missing { purpose: record.purpose, id: record.id };
        self.secrets.get(&record.id).map(|secret| &**secret).ok_or_else(missing)
    }

    fn read_secret(&self, name: &str, purpose: Purpose, id: KeyId) -> Result<Zeroizing<[u8; KEY_LENGTH]>, Error> {
        let bytes = self.folder.read(name)?.unwrap_or_default();
        let secret = parse_secret(&bytes).filter(|secret| key_id(purpose, secret) == id);
        secret.ok_or_else(|| Error::Damaged {
            path: self.folder.path().join(name),
            reason: "it does not hold the secret of the key that it is named after".to_owned(),
        })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keyring").field("folder", &self.folder.path()).finish_non_exhaustive()
    }
}

/// Whether the secret is still needed.
const fn is_kept(record: &KeyRecord) -> bool {
    !record.purpose.signs() || record.is_active()
}

/// A key that signs is named after its public half.
fn key_id(purpose: Purpose, secret: &[u8; KEY_LENGTH]) -> KeyId {
    if purpose.signs() { SigningKey::from_secret(purpose, secret).id() } else { KeyId::of(purpose, secret) }
}

fn file_name(purpose: Purpose, id: KeyId) -> String {
    format!("{purpose}-{id}{SUFFIX}")
}

fn parse_name(name: &str) -> Option<(Purpose, KeyId)> {
    let (purpose, id) = name.strip_suffix(SUFFIX)?.split_once('-')?;
    Some((purpose.parse().ok()?, id.parse().ok()?))
}

fn secret_text(purpose: Purpose, id: KeyId, secret: &[u8; KEY_LENGTH]) -> Zeroizing<String> {
    let mut digits = Zeroizing::new([0; KEY_LENGTH * 2]);
    // The room is exactly that of the digits, and digits are text.
    let _ = hex::encode_to_slice(secret, &mut *digits);
    let digits = std::str::from_utf8(&*digits).unwrap_or_default();
    Zeroizing::new(format!("{FIRST_LINE}\npurpose {purpose}\nid {id}\nsecret {digits}\n"))
}

fn parse_secret(bytes: &[u8]) -> Option<Zeroizing<[u8; KEY_LENGTH]>> {
    let mut lines = std::str::from_utf8(bytes).ok()?.lines();
    if lines.next()? != FIRST_LINE {
        return None;
    }
    let digits = lines.find_map(|line| line.strip_prefix("secret "))?;
    let mut secret = Zeroizing::new([0; KEY_LENGTH]);
    hex::decode_to_slice(digits, &mut *secret).ok()?;
    Some(secret)
}
