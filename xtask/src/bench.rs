//! `bench`: one sub-command for each claim in `docs/benchmarks.md`.

mod search;
mod size;

use anyhow::Result;
use clap::Subcommand;

/// A claim that can be measured.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// The size of the release binary (limit: 60 MB)
    Size(size::Options),
    /// How well search finds the skill that a request is about (nDCG@10, Recall@10, Hit@1)
    Search(search::Options),
}

impl Bench {
    /// Measures and prints.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Size(options) => size::run(&options),
            Self::Search(options) => search::run(&options),
        }
    }
}
