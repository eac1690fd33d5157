//! `bench size`: how large the binary is that people download.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::shell;

const LIMIT: u64 = 60_000_000;

/// How to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Builds the release binary and compares its size with the limit.
pub fn run(options: &Options) -> Result<()> {
    shell::run(shell::cargo().args(["build", "--release", "--package", "kontor"]))?;
    let path = shell::target().join("release/kontor");
    let bytes = fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?.len();
    if options.json {
        println!("{}", serde_json::json!({ "bytes": bytes, "limit": LIMIT }));
    } else {
        println!("release binary: {bytes} bytes (limit {LIMIT})");
    }
    if bytes > LIMIT {
        bail!("the release binary is larger than {LIMIT} bytes");
    }
    Ok(())
}
