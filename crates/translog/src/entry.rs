use kontor_db::log_entries;
use kontor_types::{Digest, LogEntryId, Timestamp, VersionId};
use sha2::{Digest as _, Sha256};

/// How many random bytes are hashed before a statement.
pub const SALT_LENGTH: usize = 32;

/// A statement on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which kind of thing is said, for queries; never public.
    pub kind: String,
    /// The version's digest it is about, if it is about one; never public.
    pub subject: Option<Digest>,
    /// The version it is about, if it is about one; who may see that may see the statement.
    pub version: Option<VersionId>,
    /// The signed statement, as it will be proven byte for byte.
    pub statement: Vec<u8>,
}

impl Entry {
    /// The row of a new entry with a fresh salt.
    pub(crate) fn into_row(self, now: Timestamp) -> log_entries::Entry {
        let salt: [u8; SALT_LENGTH] = rand::random();
        log_entries::Entry {
            id: LogEntryId::new(now),
            kind: self.kind,
            subject: self.subject,
            version: self.version,
            leaf: leaf(&salt, &self.statement),
            statement: self.statement,
            salt: salt.to_vec(),
            created_at: now,
            log: None,
            place: None,
        }
    }
}

/// What the log shows of a statement: a hash that nobody can guess without the salt.
pub fn leaf(salt: &[u8; SALT_LENGTH], statement: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::new().chain_update(salt).chain_update(statement).finalize().into())
}
