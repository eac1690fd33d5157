//! `bench size`: how large the binary is that people download.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

const LIMIT: u64 = 60_000_000;

/// The name of a step at which a test lets the hub die; what people run has none.
const FAIL_POINT: &[u8] = b"registry::before_blob";

/// How to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Builds the release binary and compares its size with the limit.
pub fn run(options: &Options) -> Result<()> {
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--release", "--package", "kontor"]).current_dir(crate::root());
    if !build.status().context("cannot start cargo")?.success() {
        bail!("the release binary does not build");
    }
    let path = crate::target().join("release/kontor");
    let program = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if program.windows(FAIL_POINT.len()).any(|part| part == FAIL_POINT) {
        bail!("the release binary has fail points: build it without the feature `failpoints`");
    }
    let bytes = program.len() as u64;
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
