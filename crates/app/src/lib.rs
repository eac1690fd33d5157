//! The services put together, without HTTP: what the API, pages, the command line and tests all call.

mod app;
mod error;
mod folder;
mod keys;
mod sealed_keys;
mod settings;

pub use app::App;
pub use error::Error;
pub use sealed_keys::{Keys, SHORTEST_PASSPHRASE};
pub use settings::Settings;
