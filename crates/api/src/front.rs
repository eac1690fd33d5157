//! What happens to every request before and after its handler.

mod address;
mod asked;
mod enter;
mod guard;
mod idempotency;
mod limiter;
mod origin;
mod request_id;

pub use asked::{Asked, Asker};
pub use idempotency::Once;

pub(crate) use asked::{COOKIE, cookie_name};
pub(crate) use enter::enter;
pub(crate) use guard::guard;
pub(crate) use idempotency::Keyed;
pub(crate) use limiter::Limiter;
