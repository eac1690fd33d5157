use std::io;
use std::path::PathBuf;

/// Why the index could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder of the index could not be made or emptied.
    #[error("could not prepare the search index folder `{}`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process writes the same index.
    #[error("the search index is in use by another process: stop that one or give this one its own data folder")]
    InUse,
    /// A writer stopped in the middle; the index must be opened again.
    #[error("the search index writer stopped: start the hub again")]
    WriterStopped,
    /// The cursor was made for another query, sort or hub.
    #[error("the cursor does not belong to this search: begin again without it")]
    Cursor,
    /// The index could not be written.
    #[error("could not write the search index")]
    Write(#[source] tantivy::TantivyError),
    /// The index could not be read.
    #[error("could not read the search index")]
    Read(#[source] tantivy::TantivyError),
}

impl From<tantivy::TantivyError> for Error {
    fn from(source: tantivy::TantivyError) -> Self {
        Self::Read(source)
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self::Read(source.into())
    }
}
