//! The `kontor` command: configuration, composition and verbs.

mod amounts;
mod cli;
mod config;
mod exit;
#[cfg_attr(feature = "failpoints", path = "failpoints/armed.rs")]
#[cfg_attr(not(feature = "failpoints"), path = "failpoints/absent.rs")]
mod failpoints;
mod help;
mod local;
mod near;
mod reference;
mod secrets;
mod session;
mod starter;
mod table;
mod terminal;
mod verbs;
mod watch;

use std::process::ExitCode;

use kontor_sandbox::Packed;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: Packed<MiMalloc> = Packed::before(MiMalloc);

fn main() -> ExitCode {
    failpoints::arm();
    // These two begin a process that must have one thread, and as soon as can be.
    verbs::sandbox::at_once().unwrap_or_else(|| {
        ALLOCATOR.end();
        cli::run()
    })
}
