//! The services put together, without HTTP: what the API, pages, the command line and tests all call.

mod app;
mod error;
mod evidence;
mod folder;
mod keys;
mod models;
mod overview;
mod settings;
mod work;

pub use app::App;
pub use error::Error;
pub use evidence::{has_keys, make_keys};
pub use overview::{Figure, Work};
pub use settings::Settings;
