//! `fuzz`: feeds the readers of foreign bytes what nobody would send, with coverage to guide it.
//!
//! The fuzzer is libFuzzer from its crate, instrumented by stable rustc, so there is no tool to install.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// What the fuzzer needs to see which ways the bytes take, as `cargo fuzz` sets it.
const INSTRUMENTATION: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];

/// What to fuzz.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The target, a folder of fuzz/seeds; all of them when absent
    target: Option<String>,
    /// Seconds for all targets together
    #[arg(long, default_value_t = 600)]
    seconds: u64,
}

/// Fuzzes and fails at the first input that breaks something.
pub fn run(options: &Options) -> Result<()> {
    for (target, line) in fuzz(options.target.as_deref(), options.seconds)? {
        println!("{target}: {line}");
    }
    Ok(())
}

/// Fuzzes one target or all of them within the time; returns each one's closing line.
pub fn fuzz(target: Option<&str>, seconds: u64) -> Result<BTreeMap<String, String>> {
    let mut targets = targets()?;
    if let Some(wanted) = target {
        targets.retain(|name| name == wanted);
    }
    if targets.is_empty() {
        bail!("there is no such target; the folders of fuzz/seeds are the targets");
    }
    let program = build()?;
    let share = (seconds / targets.len() as u64).max(1);
    targets.into_iter().map(|target| Ok((target.clone(), one(&program, &target, share)?))).collect()
}

fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(shell::root().join("fuzz/seeds")).context("cannot read fuzz/seeds")? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

fn build() -> Result<PathBuf> {
    let folder = shell::root().join("fuzz");
    // The libraries under test are those of the product, so their versions come from its lock file.
    fs::copy(shell::root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let host = shell::host()?;
    let place = place();
    let mut cargo = shell::cargo();
    cargo.args(["build", "--release", "--target", &host, "--manifest-path"]).arg(folder.join("Cargo.toml"));
    cargo.env("CARGO_TARGET_DIR", &place).env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\u{1f}"));
    shell::run(&mut cargo)?;
    Ok(place.join(host).join("release/kontor-fuzz"))
}

fn place() -> PathBuf {
    shell::target().join("fuzz")
}

fn one(program: &Path, target: &str, seconds: u64) -> Result<String> {
    let corpus = place().join("corpus").join(target);
    let artifacts = place().join("artifacts").join(target);
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    let log = place().join(format!("{target}.log"));
    let mut fuzzer = Command::new(program);
    fuzzer
        .args(["-rss_limit_mb=2048", "-timeout=10", "-max_len=65536", "-print_final_stats=1"])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(&corpus)
        .arg(shell::root().join("fuzz/seeds").join(target))
        .env("KONTOR_FUZZ_TARGET", target)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log)?);
    let status = fuzzer.status().context("cannot start the fuzzer")?;
    let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if !status.success() {
        let tail: Vec<_> = said.lines().rev().take(40).collect();
        println!("{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        bail!(
            "{target}: an input breaks something; mend it and move the input from {} to fuzz/seeds/{target}",
            artifacts.display()
        );
    }
    let done = said.lines().rev().find(|line| line.starts_with("Done "));
    Ok(done.unwrap_or("ended without a closing line").to_owned())
}
