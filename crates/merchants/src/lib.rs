//! Simulated merchants: real HTTP servers that speak the checkout of UCP (2026-01-11) with signed quotes. They take no money and
//! bring nothing; demonstrations and tests buy from them. A [`Mischief`] lets one misbehave as merchants on the internet do.

mod catalogue;
mod mischief;
mod repeats;
mod sell;
mod server;
mod shop;

pub use catalogue::{Catalogue, Coupon, Product};
pub use mischief::Mischief;
pub use server::{Merchant, Running};
pub use shop::OrderSeen;
