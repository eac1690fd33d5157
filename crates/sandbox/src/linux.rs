//! The sandbox of Linux.

mod collect;
mod filter;
mod ground;
mod groups;
mod init;
mod launch;
mod machine;
mod network;
mod paths;
mod places;
mod proxy;
mod reaper;
mod root;
mod sandbox;
mod system;
mod talk;
mod users;
mod watch;

pub use collect::collect;
pub use launch::run;
pub use sandbox::{Running, Sandbox, Streams, launcher};
pub use system::leave;
pub use watch::{Seen, Witness};

/// Where the proxy takes connections, on the loopback device of inside.
const PROXY_PORT: u16 = 3128;
