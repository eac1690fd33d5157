//! The hub's client: native API, import sources, installs and the lock file.

mod api;
mod error;
mod transport;

pub use api::{Client, Name};
pub use error::{Error, ErrorKind};
