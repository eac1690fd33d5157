//! People, publishers and their members, tokens, device sign-in, browser sessions, policies and the audit trail.
//!
//! [`Caller`] is who asks: every writing verb of every service takes one and every write leaves an [`audit`] event.
//! [`Access`] has the verbs.

mod access;
pub mod audit;
mod authenticate;
mod bootstrap;
mod browser;
mod caller;
mod device;
mod error;
mod members;
mod page;
mod password;
mod people;
pub mod policy;
mod publishers;
pub mod secret;
mod sessions;
mod signed_in;
mod tokens;
mod trail;

pub use access::{Access, Settings};
pub use authenticate::Session;
pub use bootstrap::Bootstrap;
pub use caller::Caller;
pub use device::{DevicePoll, DeviceRequest, DeviceStart};
pub use error::Error;
pub use kontor_db::audit_events::AuditEvent;
pub use kontor_db::members::{Member, Membership};
pub use kontor_db::persons::Person;
pub use kontor_db::publishers::Publisher;
pub use kontor_db::tokens::Token;
pub use page::Page;
pub use password::Proof;
pub use people::{NewPerson, PersonChange};
pub use publishers::KnownPublisher;
pub use secrecy::{ExposeSecret, SecretString};
pub use sessions::{OpenSession, SignInLink};
pub use signed_in::OwnSession;
pub use tokens::{IssuedToken, Lifetime, NewToken, OwnToken};
pub use trail::AuditFilter;
