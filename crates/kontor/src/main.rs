//! The `kontor` command: configuration, composition and verbs.

mod cli;
mod config;
mod exit;
mod local;
mod reference;
mod secrets;
mod session;
mod starter;
mod terminal;
mod verbs;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
