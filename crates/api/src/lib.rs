//! HTTP: native, clawhub, well-known, device sign-in, operations.

pub mod foreign;
pub mod pages;
