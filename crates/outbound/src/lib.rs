//! The one HTTP client for addresses that somebody else chose: imports, mirrors, webhooks, identity providers.
//!
//! Whoever names a URL could name the hub's own network. So every address is looked at before a connection is made, at
//! each redirect too: names are resolved here and only the addresses that were looked at are connected to, so an answer
//! that changes between the look and the connection gains nothing. Time, redirects and size are bounded.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use kontor_outbound::{Outbound, Policy};
//!
//! let outbound = Outbound::new(Policy::default())?;
//! let archive = outbound.get("https://example.com/skills.zip")?.limit(10_000_000).send().await?.bytes().await?;
//! # drop(archive);
//! # Ok(())
//! # }
//! ```

mod address;
mod error;
mod names;
mod outbound;
mod policy;
mod request;
mod response;
mod secure;

pub use address::{Class, classify};
pub use error::Error;
pub use names::{Names, SystemNames};
pub use outbound::Outbound;
pub use policy::{Exception, ExceptionError, Policy};
pub use request::Request;
pub use response::Response;
pub use secure::client;
