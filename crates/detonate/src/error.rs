use std::io;

/// Why nothing could be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("the made-up home cannot be laid out")]
    Home(#[source] io::Error),
    /// The made-up network could not be prepared.
    #[error("the made-up network cannot be prepared: {reason}")]
    Network {
        /// Why.
        reason: String,
    },
    /// The sandbox could not be made.
    #[error("the sandbox could not be made, so nothing was run: {reason}")]
    Sandbox {
        /// What the sandbox said.
        reason: String,
    },
}
