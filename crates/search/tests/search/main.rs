//! The index at its border: what is fed in, what comes out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod basics;
mod chinese;
mod copies;
mod feed;
mod filters;
mod hostile;
mod paging;
mod quality;
mod typing;
mod viewers;
mod world;
