//! `snap`: runs the tests and shows each snapshot that differs, to accept or reject it.

use anyhow::{Result, bail};

use crate::postgres::{Cluster, VARIABLE};
use crate::product::{PROFILE, package};
use crate::{shell, tools};

/// Which snapshots.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only those of these crates
    crates: Vec<String>,
    /// Accept all that differ without asking
    #[arg(long)]
    accept: bool,
}

/// Runs the tests, both databases at hand, and writes what is accepted into the test files.
pub fn run(options: &Options) -> Result<()> {
    if shell::version("cargo", &["insta", "--version"]).is_none() {
        bail!("reviewing snapshots needs a tool that is not here; run: cargo install cargo-insta --locked");
    }
    let cluster = Cluster::start()?;
    let mut command = shell::cargo();
    command.args(["insta", "test", "--profile", PROFILE, if options.accept { "--accept" } else { "--review" }]);
    for name in &options.crates {
        command.args(["--package", &package(name)]);
    }
    if options.crates.is_empty() {
        command.arg("--workspace");
    }
    let command = command.env(VARIABLE, cluster.url()).env("KONTOR_TEST_PYTHON", tools::python()?);
    // The review asks at the terminal.
    shell::run(command.stdin(std::process::Stdio::inherit()))
}
