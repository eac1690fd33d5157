use std::io;
use std::path::{Path, PathBuf};

use kontor_types::LogEntryId;

/// Why the log could not be read, extended or believed.
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
    /// The database refused.
    #[error("the log's rows cannot be read or written")]
    Database(#[from] kontor_db::Error),
    /// A key, a signature or the signer's memory was refused.
    #[error("the log's key or a signature was refused")]
    Crypto(#[from] kontor_crypto::Error),
    /// A task of this process was ended before it was done.
    #[error("the work was interrupted")]
    Interrupted,
    /// Another sequencer has taken the lease, or a new history was started.
    #[error("another process sequences the log now")]
    Fenced,
    /// The database knows less than was signed.
    #[error(
        "the log `{origin}` was signed with {signed} entries, but the database has {found}: it was restored from an older \
         state; nothing more is signed, so begin a new history \
         with `kontor log restart`"
    )]
    Regression {
        /// The log.
        origin: String,
        /// What was signed.
        signed: u64,
        /// What the database has.
        found: u64,
    },
    /// The database tells another history than the one that was signed.
    #[error(
        "the log `{origin}` has another history up to entry {size} than the one that was signed: nothing more is signed, so \
         begin a new history with `kontor log restart`"
    )]
    Fork {
        /// The log.
        origin: String,
        /// Up to where.
        size: u64,
    },
    /// There are signed checkpoints, but the signer does not remember them.
    #[error(
        "the log `{origin}` has signed checkpoints, but the signer's memory of them is not in the folder of keys: put \
         {file} back, or begin a new history with `kontor log restart`"
    )]
    Forgotten {
        /// The log.
        origin: String,
        /// The file that remembers.
        file: String,
    },
    /// The log has not begun or has no signed checkpoint.
    #[error("the log has no signed checkpoint yet")]
    Empty,
    /// The log says nothing of a version.
    #[error("the log says nothing of it: it was published before the hub had a log")]
    Silent,
    /// What is said of a version is on its way into the log.
    #[error("what the log says of it is not published yet: ask again in a moment")]
    Waiting,
    /// No such entry in the published log.
    #[error("the entry {id} is not in the published log")]
    NoEntry {
        /// The entry.
        id: LogEntryId,
    },
    /// A published file is not there.
    #[error("{} is not published", path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// A published file, a proof or a checkpoint is not in its form.
    #[error("this is no {what}: {reason}")]
    Malformed {
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A proof does not prove what it should, or a log contradicts itself or what it said before.
    #[error("the log cannot be believed: {reason}")]
    Refuted {
        /// Where it does not hold.
        reason: String,
    },
}

impl Error {
    pub(crate) fn malformed(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Malformed { what, reason: reason.into() }
    }

    pub(crate) fn refuted(reason: impl Into<String>) -> Self {
        Self::Refuted { reason: reason.into() }
    }

    /// Whether trying again may help: another process has the lease, or the database was not to be reached.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Fenced | Self::Database(_) | Self::Interrupted)
    }
}

/// Names what failed on which path.
pub(crate) fn file(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::File { verb, path, source }
}
