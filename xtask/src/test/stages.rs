//! What each stage does.

use std::fmt;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::postgres::VARIABLE;
use crate::product::{self, PROFILE};
use crate::test::Session;
use crate::{browser, check, fuzz, generate, shell, tools};

/// For all targets together; `cargo xtask fuzz` takes its time.
const FUZZ_SECONDS: u64 = 60;

/// The files of the client suite that run on Postgres too.
const WRITING: &[&str] = &["account.test.mjs", "lifecycle.test.mjs", "publish.test.mjs"];

/// How often hubs die; `cargo xtask bench crash` kills ten times as many.
const KILLS: &str = "100";

/// One part of `cargo xtask test`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Stage {
    /// Private tools and system packages
    Tools,
    /// Formatting, lints, edges, tidiness, generated files
    Check,
    /// Unit and integration tests on SQLite and Postgres
    Tests,
    /// Verifiers that are not ours against the transparency log
    Verifiers,
    /// The examples in the documentation
    Examples,
    /// Generated files that a built program prints
    Generated,
    /// A minute of fuzzing
    Fuzz,
    /// The real clients against the binary
    Clients,
    /// Chromium over the pages
    Browser,
    /// Hubs that die and are started again
    Crash,
}

impl Stage {
    /// In the order in which they run.
    pub const ALL: &[Self] = &[
        Self::Tools,
        Self::Check,
        Self::Tests,
        Self::Verifiers,
        Self::Examples,
        Self::Generated,
        Self::Fuzz,
        Self::Clients,
        Self::Browser,
        Self::Crash,
    ];

    /// One line about what happens now.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Tools => "bring what the tests need",
            Self::Check => "formatting, crate edges, tidiness, lints",
            Self::Tests => "unit and integration tests on SQLite and a private Postgres",
            Self::Verifiers => "the published log and bills of materials before verifiers that are not ours",
            Self::Examples => "the examples in the documentation",
            Self::Generated => "the pages that the program prints are those in docs, and its OpenAPI document is valid",
            Self::Fuzz => "a minute of fuzzing for all targets together",
            Self::Clients => "the real clients from the npm registry against the binary",
            Self::Browser => "every page in Chromium: languages, themes, widths, keyboard, without scripts, attacked",
            Self::Crash => "hubs that die at every step and at any moment lose nothing",
        }
    }

    /// Runs it.
    pub fn run(self, session: &mut Session) -> Result<()> {
        match self {
            Self::Tools => {
                tools::install_system()?;
                tools::python()?;
                tools::clients()?;
                tools::browser().map(drop)
            }
            Self::Check => check::run(&check::Options::everything(PROFILE)),
            Self::Tests => tests(session),
            Self::Verifiers => verifiers(session),
            Self::Examples => {
                let mut command = shell::cargo();
                command.args(["test", "--quiet", "--doc", "--workspace", "--locked", "--profile", PROFILE]);
                session.tally.run(&mut command)
            }
            Self::Generated => generate::check_program(&product::binary()?),
            Self::Fuzz => {
                let closing = fuzz::fuzz(None, FUZZ_SECONDS)?;
                session.tally.add(closing.into_iter().map(|(target, line)| format!("fuzz {target}: {line}")).collect());
                Ok(())
            }
            Self::Clients => clients(session),
            Self::Browser => browser(session),
            Self::Crash => crash(session),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Tools => "tools",
            Self::Check => "check",
            Self::Tests => "tests",
            Self::Verifiers => "verifiers",
            Self::Examples => "examples",
            Self::Generated => "generated",
            Self::Fuzz => "fuzz",
            Self::Clients => "clients",
            Self::Browser => "browser",
            Self::Crash => "crash",
        })
    }
}

fn tests(session: &mut Session) -> Result<()> {
    let mut command = shell::cargo();
    if shell::version("cargo", &["nextest", "--version"]).is_some() {
        command.args(["nextest", "run", "--no-fail-fast", "--color", "never", "--cargo-profile", PROFILE]);
    } else {
        command.args(["test", "--no-fail-fast", "--all-targets", "--profile", PROFILE]);
    }
    if session.crates.is_empty() {
        command.arg("--workspace");
    }
    for name in &session.crates {
        command.args(["--package", &product::package(name)]);
    }
    command.env(VARIABLE, session.postgres()?);
    let python = tools::python()?;
    session.tally.run(command.arg("--locked").env("KONTOR_TEST_PYTHON", python))
}

/// Without Go the stage says so for the log and passes: only CI as root is sure to have it.
fn verifiers(session: &mut Session) -> Result<()> {
    session.tally.run(verifying("trust").env("KONTOR_TEST_PYTHON", tools::python()?))?;
    let Some(go) = tools::go_verifier()? else {
        println!("SKIPPED: Go or its library golang.org/x/mod is not here; cargo xtask setup says how to get them");
        return Ok(());
    };
    let mut command = verifying("log");
    if let Some(cluster) = &session.postgres {
        command.env(VARIABLE, cluster.url());
    }
    session.tally.run(command.env("KONTOR_GO_VERIFIER", go).env("KONTOR_TEST_PYTHON", tools::python()?))
}

/// The verifiers among the tests of one name. The workspace is named and not the package, which would choose other
/// features and compile everything again.
fn verifying(test: &str) -> Command {
    let mut command = shell::cargo();
    command.args(["test", "--workspace", "--test", test, "--locked", "--profile", PROFILE, "verifiers::"]);
    command
}

/// The suite on SQLite, then what writes most once more on Postgres.
fn clients(session: &mut Session) -> Result<()> {
    let node = tools::clients()?;
    let suite = suite("tests/clients/")?;
    let (binary, python) = (product::binary()?, tools::python()?);
    let run = |files: &[String]| {
        let mut command = shell::command(&node);
        command.args(["--test", "--test-reporter=tap", "--test-concurrency=2"]).args(files);
        command.env("KONTOR_BIN", &binary).env("KONTOR_CLIENTS", tools::folder().join("clients/node_modules"));
        command.env("KONTOR_TEST_PYTHON", &python).env_remove(VARIABLE);
        command
    };
    session.tally.run(&mut run(&suite))?;
    let writing: Vec<_> =
        suite.iter().filter(|path| WRITING.iter().any(|name| path.ends_with(name))).cloned().collect();
    let server = session.postgres()?;
    session.tally.run(run(&writing).env(VARIABLE, server))
}

/// Without Chromium the stage says so for the log and passes: only CI as root is sure to have it.
fn browser(session: &mut Session) -> Result<()> {
    let Some(mut command) = browser::node()? else {
        println!("SKIPPED: {}", browser::MISSING);
        return Ok(());
    };
    command.args(["--test", "--test-reporter=tap", "--test-concurrency=2"]).args(suite("tests/browser/")?);
    session.tally.run(&mut command)
}

/// The files of a suite that Node runs.
fn suite(folder: &str) -> Result<Vec<String>> {
    let mut files = shell::files()?;
    files.retain(|path| path.starts_with(folder) && path.ends_with(".test.mjs"));
    if files.is_empty() {
        bail!("there is no suite in {folder}");
    }
    Ok(files)
}

fn crash(session: &mut Session) -> Result<()> {
    let postgres = session.postgres()?;
    let said = shell::capture(product::crash()?.args(["--kills", KILLS]).env(VARIABLE, postgres));
    let closing = said.context("a hub that died is not as it was acknowledged")?;
    print!("{closing}");
    session.tally.add(closing.lines().map(str::to_owned).collect());
    Ok(())
}
