use std::path::PathBuf;

use kontor_types::Digest;

/// One thing found while listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// A blob under its right name.
    Blob {
        /// Its name.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
    },
    /// Something that no put has made.
    Stray {
        /// Its path inside the store.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
}

/// What reading a whole blob again has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The bytes have the digest that names them.
    Sound {
        /// How many bytes there are.
        size: u64,
    },
    /// The bytes are not those that were put.
    Corrupt {
        /// What their digest is.
        actual: Digest,
        /// How many bytes there are.
        size: u64,
    },
    /// There is nothing of this name.
    Missing,
}

/// A temporary file of a put that never ended, removed when the store was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its path inside the store.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
}
