use std::path::PathBuf;

/// Why a hub could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data folder could not be made or used.
    #[error("the data folder `{}` cannot be used", path.display())]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A key file could not be read or made.
    #[error("the key file `{}` cannot be used", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The hub's keys could not be opened or made.
    #[error("the hub's keys cannot be used")]
    Keys(#[from] kontor_crypto::Error),
    /// The database was used with keys that are not here.
    #[error("the database has the log `{origin}`, and the hub's keys that it was signed with are not in `{}`", folder.display())]
    KeysGone {
        /// Where they should be.
        folder: PathBuf,
        /// The log.
        origin: String,
    },
    /// The transparency log could not be opened.
    #[error("the transparency log cannot be used")]
    Log(#[from] kontor_translog::Error),
    /// The database could not be opened.
    #[error("the database cannot be used")]
    Database(#[from] kontor_db::Error),
    /// The blob store could not be opened.
    #[error("the blob store cannot be used")]
    Blobs(#[from] kontor_blob::Error),
    /// The search index could not be opened or made.
    #[error("the search index cannot be used")]
    Index(#[from] kontor_search::Error),
    /// Scans that broke off could not be taken back.
    #[error("skills cannot be taken in")]
    Registry(#[from] kontor_registry::Error),
    /// Runs of skills that broke off could not be taken back.
    #[error("runs of skills cannot be prepared")]
    Runs(#[from] kontor_dispatch::Error),
    /// The providers of models are not set up well.
    #[error("the providers of models cannot be used")]
    Models(#[from] kontor_gateway::ConfigError),
    /// Workflows that broke off could not be taken back.
    #[error("workflows cannot be prepared")]
    Workflows(#[from] kontor_workflow::Error),
    /// People or tokens could not be prepared.
    #[error("signing in cannot be prepared")]
    Access(#[from] kontor_access::Error),
    /// The client for foreign addresses could not be made.
    #[error("the client for foreign addresses cannot be made")]
    Outbound(#[from] kontor_outbound::Error),
}
