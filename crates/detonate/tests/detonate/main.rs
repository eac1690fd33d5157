#![cfg(target_os = "linux")]
#![expect(clippy::print_stderr, reason = "what was seen explains a test that fails")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]
//! What scripts do when they are run, at this crate's border: as root and as an ordinary user.

mod benign;
mod harmful;
mod support;
