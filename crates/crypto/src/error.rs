use std::io;
use std::path::{Path, PathBuf};

use crate::{KeyId, Purpose};

/// Why a key, a signature or a sealed secret could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {verb} {}", path.display())]
    File {
        /// What was attempted.
        verb: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others than the owner may use a folder or file of keys.
    #[error("{} has mode {mode:o}, so others than its owner may use it: run `chmod {wanted:o} {}`, and rotate its keys if others could read them", path.display(), path.display())]
    Exposed {
        /// The folder or file.
        path: PathBuf,
        /// The mode it has.
        mode: u32,
        /// The mode it needs.
        wanted: u32,
    },
    /// A file of the folder does not hold what it should.
    #[error("{} is damaged: {reason}; put it back from a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The secret part of a key is not in the folder.
    #[error("the secret of the {purpose} key {id} is not here: put its file back, or rotate the key")]
    Missing {
        /// What the key is for.
        purpose: Purpose,
        /// Which key.
        id: KeyId,
    },
    /// No such key.
    #[error("there is no key `{id}`: `kontor key list` shows those there are")]
    Unknown {
        /// The key as named.
        id: String,
    },
    /// The key is of no use any more.
    #[error("the key {id} was revoked: make a new one")]
    Revoked {
        /// Which key.
        id: KeyId,
    },
    /// A text or some bytes are not in the form that they claim.
    #[error("this is no {what}: {reason}")]
    Malformed {
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There was no memory for asking a password.
    #[error("a password cannot be checked: there is not enough memory")]
    Password,
    /// A known key's signature does not fit.
    #[error("the signature of `{signer}` does not fit: the text was changed or the signature forged")]
    Forged {
        /// Whose signature it claims to be.
        signer: String,
    },
    /// Nobody whose key is known has signed.
    #[error("no known key has signed this")]
    Unsigned,
    /// The history of keys contradicts itself.
    #[error("the history of keys does not hold together: {reason}")]
    History {
        /// Where it does not.
        reason: String,
    },
    /// The passphrase can be guessed.
    #[error("the passphrase is shorter than {} characters: choose a longer one", crate::SHORTEST_PASSPHRASE)]
    Passphrase,
    /// The keys of a backup do not open, or could not be sealed.
    #[error("the keys in the backup do not open: the passphrase is another one, or the file was changed")]
    SealedKeys,
    /// Another key has the name already.
    #[error("another key is at {} already: restore into a new data folder", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// Sealed bytes do not open.
    #[error("the sealed bytes do not open: they were changed, or sealed for another use or with another key")]
    Sealed,
}

impl Error {
    pub(crate) fn malformed(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Malformed { what, reason: reason.into() }
    }
}

/// Names what failed on which path.
pub(crate) fn file(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::File { verb, path, source }
}
