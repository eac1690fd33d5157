//! The hub's configuration: defaults, then the file, then the environment, then the command line.

mod compose;
mod load;
mod settings;
mod values;

pub use compose::{api_config, app_settings};
pub use load::{HubFlags, Loaded, load};
pub use settings::{Config, LogFormat};
