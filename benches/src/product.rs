//! The release binary that is measured.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Which binary to measure, and how to say what was found.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Product {
    /// Measure this binary instead of building one
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

impl Product {
    /// The same binary, with figures for people.
    pub fn quiet(&self) -> Self {
        Self { json: false, ..self.clone() }
    }

    /// The binary, built with the profile `release` unless one was named.
    pub fn binary(&self) -> Result<PathBuf> {
        if let Some(binary) = &self.binary {
            return binary.canonicalize().with_context(|| format!("cannot find {}", binary.display()));
        }
        let mut build = Command::new("cargo");
        build.args(["build", "--quiet", "--release", "--package", "kontor"]).current_dir(crate::root());
        if !build.stdin(Stdio::null()).status().context("cannot start cargo")?.success() {
            bail!("the release binary does not build");
        }
        Ok(crate::target().join("release/kontor"))
    }
}

/// Makes and names the folder for what benchmarks keep: below the build's folder, so on a real disk.
pub fn data() -> Result<PathBuf> {
    let folder = crate::target().join("bench-data");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}
