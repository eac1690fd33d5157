//! The product's binary as the tests build it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::shell;

/// Everything is built once, in this profile.
pub const PROFILE: &str = "ci";

/// Builds and names the binary. Building its package alone would choose other features and compile everything again.
pub fn binary() -> Result<PathBuf> {
    shell::run(shell::cargo().args(["test", "--quiet", "--no-run", "--workspace", "--locked", "--profile", PROFILE]))?;
    Ok(shell::target().join(PROFILE).join("kontor"))
}

/// Builds what a test of crashes needs and names it: the program that lets hubs die, and a hub with fail points. To name
/// one test takes the features of the tests, with which everything is built already but the two programs themselves.
pub fn crash() -> Result<Command> {
    let mut build = shell::cargo();
    build.args([
        "build",
        "--quiet",
        "--workspace",
        "--locked",
        "--profile",
        PROFILE,
        "--features",
        "kontor/failpoints",
    ]);
    shell::run(build.args(["--bin", "kontor", "--bin", "kontor-bench", "--test", "local_verbs"]))?;
    let folder = shell::target().join(PROFILE);
    // Whoever builds the product meanwhile puts another binary in this one's place.
    let program = folder.join("kontor-failpoints");
    std::fs::copy(folder.join("kontor"), &program).context("cannot keep the hub with fail points")?;
    let mut command = shell::command(folder.join("kontor-bench"));
    command.args(["crash", "--program"]).arg(program);
    Ok(command)
}

/// The package that people mean when they name a crate: `db` is `kontor-db`.
pub fn package(name: &str) -> String {
    if name.starts_with("kontor") || name == "xtask" { name.to_owned() } else { format!("kontor-{name}") }
}
