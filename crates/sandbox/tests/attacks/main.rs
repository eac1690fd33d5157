#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]
//! Attacks from inside: each is shown to work without the sandbox, and must not work in it, whoever starts it.

mod ground;
mod limits;
mod matrix;
mod probes;
mod proxy;
mod steps;
mod support;
