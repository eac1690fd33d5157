//! `dev`: a hub from the working tree with something in it, on a data folder that the next start throws away.

mod changes;
mod seeded;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::product::PROFILE;
use crate::shell;

/// How to run it.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:7878")]
    listen: String,
    /// Go on with the data of the last time
    #[arg(long)]
    keep: bool,
    /// Build and start again whenever a source file changes
    #[arg(long)]
    watch: bool,
}

/// Builds, starts, fills, and stays until the hub ends.
pub fn run(options: &Options) -> Result<()> {
    let data = shell::target().join("dev");
    if !options.keep && data.exists() {
        fs::remove_dir_all(&data)?;
    }
    loop {
        let built_from = changes::newest()?;
        let hub = build().and_then(|program| seeded::start(&program, &data, &options.listen));
        match hub {
            Ok(mut hub) if !options.watch => return hub.wait().map(drop).context("cannot wait for the hub"),
            Ok(mut hub) => {
                changes::wait(built_from)?;
                kill(Pid::from_raw(i32::try_from(hub.id())?), Signal::SIGINT)?;
                hub.wait()?;
            }
            Err(error) if options.watch => {
                println!("{error:#}");
                changes::wait(built_from)?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// With what the tests have compiled already.
fn build() -> Result<PathBuf> {
    shell::run(shell::cargo().args(["build", "--workspace", "--bin", "kontor", "--locked", "--profile", PROFILE]))?;
    Ok(shell::target().join(PROFILE).join("kontor"))
}
