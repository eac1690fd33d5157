//! The product's binary as the tests build it.

use std::path::PathBuf;

use anyhow::Result;

use crate::shell;

/// Everything is built once, in this profile.
pub const PROFILE: &str = "ci";

/// Builds and names the binary. Building its package alone would choose other features and compile everything again.
pub fn binary() -> Result<PathBuf> {
    shell::run(shell::cargo().args(["test", "--quiet", "--no-run", "--workspace", "--locked", "--profile", PROFILE]))?;
    Ok(shell::target().join(PROFILE).join("kontor"))
}
