//! The hub's configuration: defaults, then the file, then the environment, then the command line.

mod load;
mod settings;
mod values;

pub use load::{HubFlags, load};
pub use settings::Config;
