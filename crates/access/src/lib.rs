//! People, publishers and their members, tokens, device sign-in, browser sessions and the audit trail.
//!
//! [`Caller`] is who asks: every writing verb of every service takes one and every write leaves an [`audit`] event.

pub mod audit;
mod caller;
mod error;

pub use caller::Caller;
pub use error::Error;
