//! `setup`: which tools are here, what each is for, and the line that brings a missing one.

use anyhow::{Result, bail};

use crate::shell;

struct Tool {
    name: &'static str,
    purpose: &'static str,
    needed: bool,
    remedy: &'static str,
    version: fn() -> Option<String>,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "cargo",
        purpose: "builds everything",
        needed: true,
        remedy: "install Rust 1.95 or newer",
        version: || shell::version("cargo", &["--version"]),
    },
    Tool {
        name: "cc",
        purpose: "builds SQLite, zstd and the TLS library",
        needed: true,
        remedy: "apt-get install gcc libc6-dev",
        version: || shell::version("cc", &["--version"]),
    },
    Tool {
        name: "git",
        purpose: "lists the files that `check` reads; a source of `kontor import`",
        needed: true,
        remedy: "apt-get install git",
        version: || shell::version("git", &["--version"]),
    },
    Tool {
        name: "cargo-nextest",
        purpose: "runs the tests faster than `cargo test` does",
        needed: false,
        remedy: "cargo install cargo-nextest --locked",
        version: || shell::version("cargo", &["nextest", "--version"]),
    },
    Tool {
        name: "npm",
        purpose: "brings the real clients that the client suite drives",
        needed: false,
        remedy: "apt-get install npm",
        version: || shell::version("npm", &["--version"]),
    },
    Tool {
        name: "python3",
        purpose: "runs the reference validator and the S3 server of the tests",
        needed: false,
        remedy: "apt-get install python3 python3-venv",
        version: || shell::version("python3", &["--version"]),
    },
];

/// Prints the table; fails when something is missing without which nothing builds.
pub fn run() -> Result<()> {
    let mut missing = Vec::new();
    for tool in TOOLS {
        if let Some(version) = (tool.version)() {
            println!("  ok       {:<14} {version}", tool.name);
        } else {
            let word = if tool.needed { "MISSING" } else { "optional" };
            println!("  {word:<8} {:<14} {} — get it with: {}", tool.name, tool.purpose, tool.remedy);
            missing.extend(tool.needed.then_some(tool.name));
        }
    }
    if !missing.is_empty() {
        bail!("install {} first", missing.join(", "));
    }
    Ok(())
}
