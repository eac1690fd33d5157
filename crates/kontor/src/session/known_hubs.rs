//! The keys of hubs as they were first seen, so that a hub that shows others later is noticed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use kontor_client::{Distrust, Error};
use kontor_crypto::{History, KeyRecord, NoteVerifier, Purpose, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::settings_folder;

/// What a hub says of its keys at `/log/keys`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubKeys {
    histories: Vec<LogHistory>,
    keys: Vec<KeyRecord>,
}

/// One history of a hub's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LogHistory {
    origin: String,
    /// Where its files are below the hub's address.
    #[serde(default)]
    path: String,
    keys: Vec<String>,
}

/// A history's name, and where its files are: `log`, `log/2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryName {
    /// Its name.
    pub origin: String,
    /// The path below the hub's address.
    pub path: String,
}

/// How a hub compares with what was known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meeting {
    /// Its keys are those that were known.
    Known,
    /// It was met for the first time, or its new keys have the word of known ones.
    New,
    /// It was made anew on this machine, with other keys.
    Replaced,
}

/// The keys of every hub that something was installed from, in a file of the user's settings.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct KnownHubs(BTreeMap<String, HubKeys>);

impl HubKeys {
    /// Reads what a hub says, and whether it holds together.
    pub fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let keys: Self = serde_json::from_slice(bytes).context("these are no keys of a hub")?;
        keys.history().check()?;
        keys.log_keys()?;
        Ok(keys)
    }

    fn history(&self) -> History {
        History { keys: self.keys.clone() }
    }

    /// The keys of the log; each is one of the hub's own that was not revoked.
    pub fn log_keys(&self) -> anyhow::Result<Vec<NoteVerifier>> {
        let trusted = self.history().trusted(Purpose::Log);
        let mut found = Vec::new();
        for history in &self.histories {
            for text in &history.keys {
                let key: NoteVerifier = text.parse()?;
                if key.name() != history.origin || !trusted.iter().any(|own| own.as_bytes() == key.key().as_bytes()) {
                    bail!("the log `{}` names a key that is not among the hub's", history.origin);
                }
                found.push(key);
            }
        }
        Ok(found)
    }

    /// The histories of the log, the oldest first.
    pub fn histories(&self) -> Vec<HistoryName> {
        let named = self.histories.iter().enumerate().map(|(place, history)| {
            let numbered = if place == 0 { "log".to_owned() } else { format!("log/{}", place + 1) };
            let given = history.path.trim_start_matches('/');
            let is_plain = given.strip_prefix("log/").is_some_and(|number| number.parse::<u32>().is_ok());
            let path = if given == "log" || is_plain { given.to_owned() } else { numbered };
            HistoryName { origin: history.origin.clone(), path }
        });
        named.collect()
    }

    /// The keys that sign statements.
    pub fn statement_keys(&self) -> Vec<VerifyingKey> {
        self.history().trusted(Purpose::Attestation)
    }

    /// The keys whose signatures on receipts of runs count.
    pub fn receipt_keys(&self) -> Vec<VerifyingKey> {
        self.history().trusted(Purpose::Receipt)
    }

    /// Whether whoever trusts `self` may trust `later`: nothing was taken away or brought back, and every new key has the
    /// word of one that was known.
    fn leads_to(&self, later: &Self) -> bool {
        let (before, after) = (self.history(), later.history());
        let kept = before.keys.iter().all(|known| {
            after.find(known.id).is_some_and(|found| {
                found.public_key == known.public_key && (known.revoked.is_none() || found.revoked.is_some())
            })
        });
        let mut believed: BTreeSet<_> =
            before.keys.iter().filter(|key| key.revoked.is_none()).map(|key| key.id).collect();
        let mut purposes: Vec<Purpose> = before.keys.iter().map(|key| key.purpose).collect();
        // A key that seals signs nothing that anybody believes.
        let new = after.keys.iter().filter(|key| key.purpose.signs() && before.find(key.id).is_none());
        let endorsed = new.fold(true, |fine, key| {
            let vouched = key.endorsement.as_ref().is_some_and(|word| believed.contains(&word.by));
            // The first key of a purpose that the hub had no keys for has none before it that could vouch.
            let first = !purposes.contains(&key.purpose);
            purposes.push(key.purpose);
            let believable = vouched || first;
            if believable {
                believed.insert(key.id);
            }
            fine && believable
        });
        kept && endorsed
    }
}

impl KnownHubs {
    fn path() -> anyhow::Result<PathBuf> {
        Ok(settings_folder()?.join("hubs.json"))
    }

    /// Reads the file; no hub is known when there is none.
    pub fn read() -> anyhow::Result<Self> {
        let Ok(path) = Self::path() else { return Ok(Self::default()) };
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| format!("cannot understand {}", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// All hubs.
    pub fn all(&self) -> impl Iterator<Item = &HubKeys> {
        self.0.values()
    }

    /// Compares what a hub shows with what is known of it.
    ///
    /// # Errors
    /// When it shows other keys than before that no known key vouches for.
    pub fn meet(&mut self, registry: &str, shown: HubKeys) -> anyhow::Result<Meeting> {
        let mut meeting = Meeting::New;
        if let Some(known) = self.0.get(registry) {
            if *known == shown {
                return Ok(Meeting::Known);
            }
            if !known.leads_to(&shown) {
                // A hub on this machine is made anew at will, and nobody stands between.
                if !is_loopback(registry) {
                    let path = Self::path()?;
                    return Err(Error::distrusted(
                        Distrust::KeysReplaced,
                        format!("{registry} shows other keys than before, and no key that was known vouches for them"),
                        format!("ask its operator; if the change is wanted, remove its entry from {}", path.display()),
                    )
                    .into());
                }
                meeting = Meeting::Replaced;
            }
        }
        self.0.insert(registry.to_owned(), shown);
        Ok(meeting)
    }

    /// Writes the file as a whole, for its owner alone.
    pub fn write(&self) -> anyhow::Result<()> {
        let path = Self::path()?;
        let folder = path.parent().context("the file of known hubs has no folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let failed = || format!("cannot write {}", path.display());
        let mut draft = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
        draft.write_all(&serde_json::to_vec_pretty(self)?).with_context(failed)?;
        draft.as_file().sync_all().with_context(failed)?;
        draft.persist(&path).with_context(failed)?;
        Ok(())
    }
}

fn is_loopback(registry: &str) -> bool {
    let url = url::Url::parse(registry).ok();
    match url.as_ref().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use kontor_crypto::Keyring;
    use kontor_types::Timestamp;

    use super::*;

    fn shown(ring: &Keyring) -> HubKeys {
        let origin = "skills.example.com/log".to_owned();
        let keys = ring.history().trusted(Purpose::Log);
        let keys = keys.iter().map(|key| NoteVerifier::new(&origin, *key).unwrap().to_string()).collect();
        HubKeys {
            histories: vec![LogHistory { origin, path: "/log".to_owned(), keys }],
            keys: ring.history().keys.clone(),
        }
    }

    #[test]
    fn new_keys_are_believed_only_with_the_word_of_a_known_one() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let folder = tempfile::tempdir().unwrap();
        let mut ring = Keyring::open(&folder.path().join("one")).unwrap();
        ring.ensure(&[Purpose::Log, Purpose::Attestation], now).unwrap();
        let first = shown(&ring);
        assert_eq!((first.log_keys().unwrap().len(), first.statement_keys().len()), (1, 1));
        assert!(first.leads_to(&first));
        ring.rotate(Purpose::Log, now).unwrap();
        let rotated = shown(&ring);
        assert!(first.leads_to(&rotated));
        assert!(!rotated.leads_to(&first), "a key is not forgotten again");

        ring.ensure(&[Purpose::Receipt, Purpose::Sealing], now).unwrap();
        let more = shown(&ring);
        assert!(first.leads_to(&more), "the first keys of other purposes, as a newer program makes them");
        ring.rotate(Purpose::Sealing, now).unwrap();
        assert!(more.leads_to(&shown(&ring)), "a new key that seals needs nobody's word");
        let mut planted = Keyring::open(&folder.path().join("planted")).unwrap();
        planted.ensure(&[Purpose::Receipt], now).unwrap();
        let mut with_planted = more.clone();
        with_planted.keys.extend(planted.history().keys.clone());
        assert!(!more.leads_to(&with_planted), "a second key for receipts needs the word of the first");

        let mut other = Keyring::open(&folder.path().join("other")).unwrap();
        other.ensure(&[Purpose::Log, Purpose::Attestation], now).unwrap();
        assert!(!first.leads_to(&shown(&other)), "other keys");
        let mut hubs = KnownHubs::default();
        for (registry, refused) in [("https://skills.example.com", true), ("http://127.0.0.1:7878", false)] {
            assert_eq!(hubs.meet(registry, first.clone()).unwrap(), Meeting::New);
            assert_eq!(hubs.meet(registry, first.clone()).unwrap(), Meeting::Known);
            assert_eq!(hubs.meet(registry, rotated.clone()).unwrap(), Meeting::New);
            let replaced = hubs.meet(registry, shown(&other));
            assert_eq!(replaced.ok(), (!refused).then_some(Meeting::Replaced), "{registry}");
        }
        let mut added = first.clone();
        added.keys.extend(shown(&other).keys);
        assert!(!first.leads_to(&added), "more keys without a word for them");
        let mut foreign = first.clone();
        foreign.histories = shown(&other).histories;
        assert!(foreign.log_keys().is_err(), "a log signed by somebody else");
    }
}
