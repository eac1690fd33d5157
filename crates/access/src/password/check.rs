//! Asking whether a password is right: at a bounded speed, and in the same time for everybody.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use kontor_crypto::PasswordHash;
use kontor_db::passwords::{self, Tried};
use kontor_types::{Digest, PersonId, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::rule;
use crate::{Access, Caller, Error, Person};

/// Passwords that are hashed at once; each takes 19 MiB.
pub const AT_ONCE: usize = 4;
/// How long somebody waits for their turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Wrong passwords that are taken before the next has to wait, and how far back they count.
struct Limit {
    most: i64,
    window: Duration,
}

/// Of one account, from one network.
const ONE: Limit = Limit { most: 5, window: Duration::from_mins(10) };
/// Of any account, from one network.
const NETWORK: Limit = Limit { most: 50, window: Duration::from_mins(10) };
/// Of one account from anywhere, for networks from which its owner never came.
const ACCOUNT: Limit = Limit { most: 50, window: Duration::from_hours(1) };
/// How long wrong passwords are kept: as long as any limit looks back.
pub const TRIES_KEPT: Duration = ACCOUNT.window;
/// How long a network stays known from which its owner came.
pub const PLACES_KEPT: Duration = Duration::from_hours(90 * 24);

/// Names that nobody has are counted in this many heaps, so that none of them can be read from what is kept.
const HEAPS: u16 = 4_096;

/// Where a password is shown, as it is counted. Of IPv6, a network counts as one: its owner has all of it.
#[derive(Debug, Clone)]
pub struct Place(String);

impl Place {
    /// Where a caller is.
    pub fn of(caller: &Caller) -> Self {
        Self(match caller.address {
            Some(IpAddr::V6(address)) => {
                let mut octets = address.octets();
                octets[8..].fill(0);
                Ipv6Addr::from(octets).to_string()
            }
            Some(address) => address.to_string(),
            None => "unknown".to_owned(),
        })
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Under what a person's wrong passwords are counted.
pub fn account(person: PersonId) -> Digest {
    Digest::of(person.uuid().as_bytes())
}

/// Under what those of a name are counted that nobody has, so that it is answered like any other.
pub fn nobodys(name: &str) -> Digest {
    let digest = Digest::of(name.trim().to_lowercase().as_bytes());
    let heap = digest.as_bytes().iter().take(2).fold(0, |number: u16, byte| (number << 8) | u16::from(*byte)) % HEAPS;
    Digest::of(&[b"nobody ".as_slice(), &heap.to_be_bytes()].concat())
}

impl Access {
    /// Counts a password as wrong before it is asked, so that many at once are counted too; the right one takes it back.
    ///
    /// # Errors
    /// [`Error::TooManyPasswords`], which counts nothing: so nobody can make the wait longer than a limit looks back.
    pub(super) async fn count_try(
        &self,
        account: Digest,
        person: Option<PersonId>,
        place: &Place,
    ) -> Result<(), Error> {
        let (now, place) = (self.now(), place.clone());
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                let network = place.as_str();
                let since = |limit: &Limit| now.before(limit.window);
                ONE.hold(passwords::tried_of(tx, &account, Some(network), since(&ONE)).await?, now)?;
                NETWORK.hold(passwords::tried_from(tx, network, since(&NETWORK)).await?, now)?;
                let known = match person {
                    Some(person) => passwords::is_place_of(tx, person, network).await?,
                    None => false,
                };
                if !known {
                    ACCOUNT.hold(passwords::tried_of(tx, &account, None, since(&ACCOUNT)).await?, now)?;
                }
                Ok::<_, Error>(passwords::tried(tx, &account, network, now).await?)
            })
        });
        unit.await
    }

    /// Whether this is the password of a person; takes as long for nobody, and for one who has none.
    pub(super) async fn is_right(&self, person: Option<&Person>, password: &SecretString) -> Result<bool, Error> {
        let kept = match person {
            Some(person) => passwords::of_person(&mut self.db.read().await?, person.id).await?,
            None => None,
        };
        let hash = match &kept {
            Some(kept) => kept.hash.parse::<PasswordHash>()?,
            None => PasswordHash::nobodys(),
        };
        // What is too long to be a password is asked as an empty one, which nobody has.
        let password = rule::normal(password).unwrap_or_default();
        let (asked, text) = (hash.clone(), password.clone());
        let right = self.hashing(move || asked.fits(text.expose_secret())).await?;
        if let (true, Some(kept), Some(person), false) = (right, kept, person, hash.is_current()) {
            let (id, new) = (person.id, self.hashing(move || PasswordHash::of(password.expose_secret())).await?);
            let unit = self.db.write(move |tx| {
                Box::pin(async move { passwords::rehash(tx, id, &kept.hash, &new.to_string()).await })
            });
            unit.await?;
        }
        Ok(right)
    }

    /// Does what takes long and much memory, a few at a time.
    pub(super) async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, kontor_crypto::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = timeout(PATIENCE, Arc::clone(&self.hashing).acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or(Error::Busy)?;
        // The turn goes along: it is over when the work is, not when nobody waits for it any more.
        let done = spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        Ok(done.await.map_err(|_| Error::Busy)??)
    }
}

impl Limit {
    fn hold(&self, tried: Tried, now: Timestamp) -> Result<(), Error> {
        if tried.count < self.most {
            return Ok(());
        }
        let passed = tried.first.map(|first| now.since(first)).unwrap_or_default();
        Err(Error::TooManyPasswords { wait: self.window.saturating_sub(passed) })
    }
}
