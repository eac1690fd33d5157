use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use kontor_types::Digest;

/// Why a blob could not be put, read or listed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text names no place for blobs.
    #[error("`{text}` is no place for blobs: {reason}; give a folder or s3://BUCKET/PREFIX?endpoint=URL")]
    Location {
        /// The text as given, without a query, which may hold secrets.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing has this digest here.
    #[error("blob {digest} is not here")]
    NotFound {
        /// What was asked for.
        digest: Digest,
    },
    /// The bytes that came are not the bytes that were announced.
    #[error("the bytes have digest {actual}, not {expected}")]
    Mismatch {
        /// What was announced.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// A stream went on after its limit.
    #[error("more than {limit} bytes came")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The range is not inside the blob.
    #[error("the range {}..{} is not inside the {size} bytes of blob {digest}", range.start, range.end)]
    OutOfRange {
        /// The blob.
        digest: Digest,
        /// What was asked for.
        range: Range<u64>,
        /// How many bytes there are.
        size: u64,
    },
    /// The stream that should bring the bytes failed.
    #[error("the source of the bytes failed")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
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
    /// The bucket refused or could not be reached.
    #[error("cannot {verb} in the bucket")]
    Bucket {
        /// What was attempted.
        verb: &'static str,
        /// What the service said.
        #[source]
        source: object_store::Error,
    },
    /// The process is shutting down.
    #[error("the work on a blob was interrupted")]
    Interrupted,
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Names the step and the path in an error of the operating system.
pub(crate) fn file<'a>(verb: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + use<'a> {
    move |source| Error::File { verb, path: path.to_path_buf(), source }
}

/// Names the step in an error of the bucket.
pub(crate) fn bucket(verb: &'static str) -> impl Fn(object_store::Error) -> Error + Send + 'static {
    move |source| Error::Bucket { verb, source }
}
