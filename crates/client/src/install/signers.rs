//! Who may have signed what takes the place of an installed version.

use kontor_crypto::{Endorsement, KeyRecord, Purpose, VerifyingKey, vouched_for};
use kontor_types::Timestamp;
use kontor_wire::{InstalledCopy, PublisherKey, Signer, Standing};

use super::Installer;
use super::lock::LockedSigner;
use super::plan::Target;
use crate::error::{Distrust, Error};

/// What is accepted beyond the pinned key.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Signers {
    /// Everybody.
    pub accept: bool,
}

/// What to do about other bytes under a locked version.
const NOT_THE_SAME: &str = "nothing was changed: ask the hub's operator, versions are never replaced; whoever wants the other \
                            bytes all the same removes the skill and installs it again";
const WAY_OUT: &str = "nothing was changed; ask the publisher, and give --accept-signer if the change is wanted";

impl Installer<'_> {
    /// Refuses other bytes under a version that is locked; what is signed by nobody or another key where one is pinned; and what
    /// is signed by a revoked key. Accepting signers changes nothing about the first.
    /// A key that the pinned one vouches for has taken its place and is as good.
    pub(super) async fn require_signers(&self, goal: &[Target]) -> Result<(), Error> {
        for target in goal {
            let what = format!("{}@{}", target.item.reference, target.item.version);
            if target.replaced {
                return Err(Error::distrusted(Distrust::Replaced, other_bytes(&what), NOT_THE_SAME));
            }
            let unchanged = self.lock.find(&target.locked.registry, &target.locked.reference);
            let unchanged = unchanged.is_some_and(|before| before.digest == target.locked.digest);
            if !self.signers.accept {
                let signer = target.item.signer.as_ref();
                let rotated = self.is_rotated(target.pinned.as_ref(), signer).await?;
                let pinned = target.pinned.as_ref().filter(|_| !rotated);
                Self::require_signer(&what, pinned, signer, unchanged)?;
            }
        }
        Ok(())
    }

    /// Whether the pinned key vouches for another one of the same publisher, which signs now.
    async fn is_rotated(&self, pinned: Option<&LockedSigner>, signer: Option<&Signer>) -> Result<bool, Error> {
        let (Some(pinned), Some(signer)) = (pinned, signer) else { return Ok(false) };
        if pinned.key == signer.public_key || pinned.publisher != signer.publisher {
            return Ok(false);
        }
        let (Ok(believed), Ok(key)) = (pinned.key.parse(), signer.public_key.parse()) else { return Ok(false) };
        let told = self.client.publisher_keys(&signer.publisher).await?;
        let mut records: Vec<KeyRecord> = told.items.iter().filter_map(|key| record(key, &told.items)).collect();
        // The lock file knows this one whatever the hub tells.
        records.push(bare(believed, Timestamp::from_micros(0)));
        Ok(vouched_for(believed, key, &records))
    }

    fn require_signer(
        what: &str,
        pinned: Option<&LockedSigner>,
        signer: Option<&Signer>,
        unchanged: bool,
    ) -> Result<(), Error> {
        if let Some(signer) = signer.filter(|signer| !signer.valid) {
            // What is there already is not made worse by staying; `kontor installed check` tells of it.
            if unchanged {
                return Ok(());
            }
            let message = format!("{what} was signed with a key of @{} that was revoked since", signer.publisher);
            return Err(Error::distrusted(Distrust::SignerRevoked, message, WAY_OUT));
        }
        match (pinned, signer) {
            (None, _) => Ok(()),
            (Some(pinned), None) => {
                let message =
                    format!("{what} is not signed, but the version that is installed was, by @{}", pinned.publisher);
                Err(Error::distrusted(Distrust::Unsigned, message, WAY_OUT))
            }
            (Some(pinned), Some(signer)) if pinned.key == signer.public_key => Ok(()),
            (Some(_), Some(signer)) => {
                let message = format!(
                    "{what} is signed with the key {} of @{}, and not with the one that the lock file has",
                    signer.key_id, signer.publisher
                );
                Err(Error::distrusted(Distrust::SignerChanged, message, WAY_OUT))
            }
        }
    }

    /// Refuses a lock file of which the hub does not admit something any more, or says that somebody else signed it.
    pub(super) async fn require_standing(&self, goal: &[Target]) -> Result<(), Error> {
        let question = |target: &Target| InstalledCopy {
            reference: Some(target.locked.reference.clone()),
            version: Some(target.locked.version.clone()),
            digest: target.locked.digest,
            range: None,
        };
        let questions: Vec<InstalledCopy> = goal.iter().map(question).collect();
        for (target, told) in goal.iter().zip(self.client.copies(&questions).await?) {
            let what = target.locked.exact();
            let hint =
                "`kontor installed check` tells why; change the lock file with `kontor update` or `kontor remove`";
            let refused = match told.standing {
                Standing::Replaced => {
                    return Err(Error::distrusted(Distrust::Replaced, other_bytes(&what.to_string()), NOT_THE_SAME));
                }
                Standing::Held | Standing::Quarantined | Standing::Rejected => {
                    let message = format!("the hub does not admit {what} any more");
                    return Err(Error::distrusted(Distrust::Blocked, message, hint));
                }
                _ if told.signer.as_ref().is_some_and(|signer| !signer.valid) => {
                    Some((Distrust::SignerRevoked, format!("{what} was signed with a key that was revoked since")))
                }
                _ => match (&target.pinned, &told.signer) {
                    (Some(_), None) if matches!(told.standing, Standing::Admitted | Standing::Yanked) => {
                        Some((Distrust::Unsigned, format!("{what} was signed when it was locked, and is not now")))
                    }
                    (Some(pinned), Some(signer)) if pinned.key != signer.public_key => Some((
                        Distrust::SignerChanged,
                        format!("{what} is signed by somebody else than the lock file says"),
                    )),
                    _ => None,
                },
            };
            if let Some((why, message)) = refused
                && !self.signers.accept
            {
                return Err(Error::distrusted(why, message, hint));
            }
        }
        Ok(())
    }
}

fn other_bytes(what: &str) -> String {
    format!("the hub has other bytes under {what} than the lock file")
}

/// What a hub tells of a key, as far as it can be read. The word of a key that was revoked counts only for those that the hub
/// knew before the moment from which nothing of it is to be believed, whatever date they bear.
fn record(told: &PublisherKey, all: &[PublisherKey]) -> Option<KeyRecord> {
    let lost = |key: &PublisherKey| key.revoked_from.or(key.revoked_at);
    let is_late = |by: &String| {
        let before = all.iter().filter(|key| key.key_id == *by);
        before.filter_map(lost).any(|from| told.registered_at >= from)
    };
    let endorsement = match (&told.endorsed_by, &told.endorsement) {
        (Some(by), Some(signature)) if !is_late(by) => {
            Some(Endorsement { by: by.parse().ok()?, signature: signature.clone() })
        }
        _ => None,
    };
    Some(KeyRecord { endorsement, ..bare(told.public_key.parse().ok()?, told.created_at) })
}

/// A key of which nothing else is known.
fn bare(key: VerifyingKey, created_at: Timestamp) -> KeyRecord {
    KeyRecord {
        id: key.id(),
        purpose: Purpose::Publisher,
        public_key: Some(key),
        created_at,
        retired_at: None,
        revoked: None,
        endorsement: None,
    }
}
