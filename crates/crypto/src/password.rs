//! What is kept of a password: what Argon2id makes of it, in the PHC string format.

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use zeroize::Zeroizing;

use crate::Error;

/// What one guess costs: 19 MiB of memory, twice over, in one lane.
const COST: Cost = Cost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
/// The most that a stored text may make this program spend.
const MOST: Cost = Cost { memory_kib: 1024 * 1024, passes: 16, lanes: 16 };
const SALT: usize = 16;
const HASH: usize = 32;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// What is kept of a password. It does not tell the password, and each guess at it costs time and memory.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    cost: Cost,
    salt: [u8; SALT],
    hash: [u8; HASH],
}

impl PasswordHash {
    /// What to keep of a password; takes some hundredths of a second and 19 MiB.
    ///
    /// # Errors
    /// [`Error::Password`] when there is no such memory.
    pub fn of(password: &str) -> Result<Self, Error> {
        let salt: [u8; SALT] = rand::random();
        Ok(Self { cost: COST, salt, hash: *derived(password, &salt, COST)? })
    }

    /// What nobody's password fits; asking it takes as long as asking a real one.
    pub const fn nobodys() -> Self {
        Self { cost: COST, salt: [0; SALT], hash: [0; HASH] }
    }

    /// Whether this was made of the password; takes as long as making it.
    ///
    /// # Errors
    /// [`Error::Password`] when there is no such memory.
    pub fn fits(&self, password: &str) -> Result<bool, Error> {
        let found = derived(password, &self.salt, self.cost)?;
        // Every byte is looked at, wherever the first difference is.
        let difference = found.iter().zip(&self.hash).fold(0, |seen, (one, other)| seen | (one ^ other));
        Ok(difference == 0 && *self != Self::nobodys())
    }

    /// Whether a guess costs what it costs for a new one.
    pub fn is_current(&self) -> bool {
        self.cost == COST
    }
}

fn derived(password: &str, salt: &[u8], cost: Cost) -> Result<Zeroizing<[u8; HASH]>, Error> {
    let mut hash = Zeroizing::new([0; HASH]);
    let parameters = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(HASH)).map_err(|_| Error::Password)?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    argon.hash_password_into(password.as_bytes(), salt, hash.as_mut_slice()).map_err(|_| Error::Password)?;
    Ok(hash)
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let (salt, hash) = (BASE64.encode(self.salt), BASE64.encode(self.hash));
        write!(formatter, "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
    }
}

/// Whoever prints one for debugging does not want it in a log.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PasswordHash").finish_non_exhaustive()
    }
}

impl FromStr for PasswordHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parsed(text).ok_or_else(|| Error::malformed("hash of a password", "it has another form"))
    }
}

fn parsed(text: &str) -> Option<PasswordHash> {
    let rest = text.strip_prefix("$argon2id$v=19$m=")?;
    let (cost, rest) = rest.split_once('$')?;
    let (memory, cost) = cost.split_once(",t=")?;
    let (passes, lanes) = cost.split_once(",p=")?;
    let cost = Cost { memory_kib: memory.parse().ok()?, passes: passes.parse().ok()?, lanes: lanes.parse().ok()? };
    if cost.memory_kib > MOST.memory_kib || cost.passes > MOST.passes || cost.lanes > MOST.lanes {
        return None;
    }
    let (salt, hash) = rest.split_once('$')?;
    let salt = BASE64.decode(salt).ok()?.try_into().ok()?;
    let hash = BASE64.decode(hash).ok()?.try_into().ok()?;
    Some(PasswordHash { cost, salt, hash })
}
