//! `bench`: one sub-command for each claim in `docs/benchmarks.md`.

mod size;

use anyhow::Result;
use clap::Subcommand;

/// A claim that can be measured.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// The size of the release binary (limit: 60 MB)
    Size(size::Options),
}

impl Bench {
    /// Measures and prints.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Size(options) => size::run(&options),
        }
    }
}
