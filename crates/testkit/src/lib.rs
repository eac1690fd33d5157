//! Whole hubs for tests: both databases, a real HTTP server on a port of its own, people with tokens, and packages.

mod database;
mod hub;
mod package;
mod people;

pub use database::On;
pub use hub::{Answer, Body, TestHub};
pub use package::{canonical, skill, zip_of};
pub use people::Person;
