//! A whole hub in one file: every row and every blob, readable by either database and any blob store.
//!
//! The file is a Zstandard-compressed tar. Blobs come first under `blobs/<hex>`, then each table as `rows/<table>.jsonl`,
//! and at the end `manifest.json` with the digest of every table, so a cut file is noticed. Private keys are in it only when
//! whoever makes it gives them, sealed: `keys.sealed` then stands before everything else.

mod read;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;

use kontor_types::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

pub use read::{restore, sealed_keys};
pub use write::back_up;

/// The format's number; a reader refuses others.
const FORMAT: u32 = 1;

const MANIFEST: &str = "manifest.json";

/// The hub's keys, sealed by whoever has the passphrase; the first entry, where there are any.
const KEYS: &str = "keys.sealed";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the file.
    pub format: u32,
    /// The newest migration of the database it was made from.
    pub schema: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// How many blobs it has.
    pub blobs: u64,
    /// Bytes of all blobs.
    pub blob_bytes: u64,
    /// Rows and digest of each table.
    pub tables: BTreeMap<String, Table>,
    /// The digest of the sealed keys, when they are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Digest>,
}

/// One table in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// How many rows.
    pub rows: u64,
    /// SHA-256 of the table's lines.
    pub digest: Digest,
}

/// Why a backup could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The backup file could not be read or written.
    #[error("the backup file `{}` could not be used", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file of that name is there already.
    #[error("`{}` exists already: name another file, or move it away", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The file is no backup, or it was cut or changed.
    #[error("`{}` is not a whole backup: {reason}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The backup comes from another version of the schema.
    #[error(
        "the backup has schema {found}, this program has {known}: restore it with the program that made it, then start this one on the result"
    )]
    Schema {
        /// The schema of the backup.
        found: i64,
        /// The schema of this program.
        known: i64,
    },
    /// The database has content that a restore would mix with.
    #[error("the database is not empty: restore into a new data folder or an empty database")]
    NotEmpty,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] kontor_db::Error),
    /// The blob store failed.
    #[error("the blob store failed")]
    Blobs(#[from] kontor_blob::Error),
}
