//! `check`: everything that can be said about the code without running it.

mod edges;
mod libraries;
mod tidy;

use std::time::Instant;

use anyhow::{Result, bail};

use crate::{generate, shell};

/// What to check.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// The build profile that clippy uses
    #[arg(long, default_value = "dev")]
    profile: String,
}

impl Options {
    /// All parts; clippy shares build scripts and procedural macros with what `profile` builds.
    pub fn everything(profile: &str) -> Self {
        Self { only: Vec::new(), profile: profile.to_owned() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Fmt,
    Edges,
    Libraries,
    Tidy,
    Generated,
    Clippy,
}

const PARTS: &[Part] = &[Part::Fmt, Part::Edges, Part::Libraries, Part::Tidy, Part::Generated, Part::Clippy];

/// Runs every part, also after one has failed, so that one run shows all there is to mend.
pub fn run(options: &Options) -> Result<()> {
    let mut failed = Vec::new();
    for part in PARTS.iter().copied().filter(|part| options.only.is_empty() || options.only.contains(part)) {
        let name = format!("{part:?}").to_lowercase();
        let start = Instant::now();
        let outcome = match part {
            Part::Fmt => shell::run(shell::cargo().args(["fmt", "--all", "--check"])),
            Part::Edges => edges::check(),
            Part::Libraries => libraries::check(),
            Part::Tidy => tidy::check(),
            Part::Generated => generate::check_without_program(),
            Part::Clippy => clippy(&options.profile),
        };
        let seconds = start.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => println!("check {name}: ok ({seconds:.1} s)"),
            Err(error) => {
                println!("check {name}: FAILED ({seconds:.1} s)\n{error:#}");
                failed.push(name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("check failed: {}", failed.join(", "));
    }
    Ok(())
}

fn clippy(profile: &str) -> Result<()> {
    let mut command = shell::cargo();
    command.args(["clippy", "--quiet", "--workspace", "--all-targets", "--locked", "--profile", profile]);
    shell::run(command.args(["--", "-D", "warnings"]))
}
