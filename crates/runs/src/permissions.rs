//! What a run may do: what its manifest or overlay asks for, within the policy, as far as the caller grants it.

use std::collections::BTreeSet;
use std::time::Duration;

use kontor_package::{ByteSize, NetworkGrant, Permissions, RunLimits, WallTime};
use serde::{Deserialize, Serialize};

/// Time on the clock for a run whose manifest names none.
pub const USUAL_WALL: Duration = Duration::from_mins(2);
/// Memory for a run whose manifest names none.
pub const USUAL_MEMORY: u64 = 1 << 30;
/// Bytes that a run may add to its work folder unless somebody says otherwise.
pub const USUAL_DISK: u64 = 512 << 20;

/// The most that any run on this machine may get, as its operator says in a file; what is absent is not bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ceiling {
    /// Hosts and ports that runs may be granted.
    pub network: Option<Vec<NetworkGrant>>,
    /// Names of secrets that runs may be granted.
    pub secrets: Option<Vec<String>>,
    /// The longest time on the clock.
    pub wall: Option<WallTime>,
    /// The most memory.
    pub memory: Option<ByteSize>,
    /// The most bytes that are added to the work folder.
    pub disk: Option<ByteSize>,
}

/// What the caller of a run grants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerGrants {
    /// Hosts and ports.
    pub network: Vec<NetworkGrant>,
    /// Names of secrets that the caller has given values for.
    pub secrets: Vec<String>,
    /// Another limit of time.
    pub wall: Option<WallTime>,
    /// Another limit of memory.
    pub memory: Option<ByteSize>,
    /// Another limit of bytes in the work folder.
    pub disk: Option<ByteSize>,
}

/// What a run may do. Nothing in it means no network and no environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Granted {
    /// Hosts and ports it may connect to.
    pub network: Vec<NetworkGrant>,
    /// Names of secrets that are in its environment.
    pub secrets: Vec<String>,
    /// Milliseconds on the clock.
    pub wall_ms: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes that it may add to its work folder.
    #[serde(default)]
    pub disk: u64,
    /// The files of the skill that it reads beside its program; all of them where the author names none.
    #[serde(default)]
    pub read: Vec<String>,
}

impl Ceiling {
    /// What two operators both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            network: match (self.network, other.network) {
                (Some(one), Some(two)) => Some(both(&one, &two)),
                (one, two) => one.or(two),
            },
            secrets: match (self.secrets, other.secrets) {
                (Some(one), Some(two)) => Some(one.into_iter().filter(|name| two.contains(name)).collect()),
                (one, two) => one.or(two),
            },
            wall: least(self.wall, other.wall, WallTime::duration),
            memory: least(self.memory, other.memory, ByteSize::bytes),
            disk: least(self.disk, other.disk, ByteSize::bytes),
        }
    }

    /// What of these permissions it allows.
    #[must_use]
    pub fn bound(&self, permissions: &Permissions) -> Permissions {
        let allowed = |name: &&String| self.secrets.as_ref().is_none_or(|most| most.contains(name));
        Permissions {
            network: match &self.network {
                Some(most) => both(&permissions.network, most),
                None => permissions.network.clone(),
            },
            secrets: permissions.secrets.iter().filter(allowed).cloned().collect(),
            read: permissions.read.clone(),
        }
    }

    /// What of these permissions it does not allow.
    #[must_use]
    pub fn cut(&self, permissions: &Permissions) -> Permissions {
        let bound = self.bound(permissions);
        Permissions {
            network: permissions.network.iter().filter(|grant| !bound.network.contains(grant)).cloned().collect(),
            secrets: permissions.secrets.iter().filter(|name| !bound.secrets.contains(name)).cloned().collect(),
            read: Vec::new(),
        }
    }
}

fn least<T: Copy, O: Ord>(one: Option<T>, two: Option<T>, size: impl Fn(T) -> O) -> Option<T> {
    match (one, two) {
        (Some(one), Some(two)) => Some(if size(one) <= size(two) { one } else { two }),
        (one, two) => one.or(two),
    }
}

impl Granted {
    /// What is asked for, within the ceiling, as far as the caller grants it.
    pub fn of(asked: &Permissions, limits: &RunLimits, ceiling: &Ceiling, caller: &CallerGrants) -> Self {
        let mut network = both(&asked.network, &caller.network);
        if let Some(most) = &ceiling.network {
            network = both(&network, most);
        }
        let may = |name: &&String| {
            caller.secrets.contains(name) && ceiling.secrets.as_ref().is_none_or(|most| most.contains(name))
        };
        let secrets: BTreeSet<String> = asked.secrets.iter().filter(may).cloned().collect();
        let wall = caller.wall.or(limits.wall).map_or(USUAL_WALL, WallTime::duration);
        let wall = ceiling.wall.map_or(wall, |most| wall.min(most.duration()));
        let memory = caller.memory.or(limits.memory).map_or(USUAL_MEMORY, ByteSize::bytes);
        let memory = ceiling.memory.map_or(memory, |most| memory.min(most.bytes()));
        let wall_ms = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        let disk = caller.disk.map_or(USUAL_DISK, ByteSize::bytes);
        let disk = ceiling.disk.map_or(disk, |most| disk.min(most.bytes()));
        Self { network, secrets: secrets.into_iter().collect(), wall_ms, memory, disk, read: asked.read.clone() }
    }

    /// Whether a connection is granted.
    pub fn allows(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.network.iter().any(|grant| grant.allows(&host, port))
    }
}

/// What two lists both grant.
fn both(one: &[NetworkGrant], two: &[NetworkGrant]) -> Vec<NetworkGrant> {
    let pairs = one.iter().flat_map(|left| two.iter().map(move |right| (left, right)));
    let common: BTreeSet<NetworkGrant> = pairs.filter_map(|(left, right)| narrower(left, right)).cloned().collect();
    common.into_iter().collect()
}

/// The one of two grants that the other one covers.
fn narrower<'a>(one: &'a NetworkGrant, two: &'a NetworkGrant) -> Option<&'a NetworkGrant> {
    if one.port() != two.port() {
        return None;
    }
    // A name covers no names below it: only a wildcard covers a wildcard.
    let covers = |wide: &NetworkGrant, narrow: &NetworkGrant| match narrow.host().strip_prefix("*.") {
        None => wide.allows(narrow.host(), narrow.port()),
        Some(below) => wide.host().strip_prefix("*").is_some_and(|end| format!(".{below}").ends_with(end)),
    };
    if covers(two, one) { Some(one) } else { covers(one, two).then_some(two) }
}

/// What of `more` goes beyond `asked`.
pub fn beyond(asked: &Permissions, more: &CallerGrants) -> Permissions {
    let covered = |grant: &NetworkGrant| asked.network.iter().any(|known| narrower(grant, known) == Some(grant));
    Permissions {
        network: more.network.iter().filter(|grant| !covered(grant)).cloned().collect(),
        secrets: more.secrets.iter().filter(|name| !asked.secrets.contains(name)).cloned().collect(),
        read: Vec::new(),
    }
}
