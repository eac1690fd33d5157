//! Measures what is claimed: one file for each claim in `docs/benchmarks.md`, run with `cargo xtask bench NAME`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool for developers talks on its standard streams"
)]

mod all;
mod corpora;
mod crash;
mod detonate;
mod download;
mod duel;
mod errands;
mod gateway;
mod hub;
mod import;
mod ledger;
mod load;
mod log;
mod machine;
mod many;
mod nginx;
mod pages;
mod product;
mod report;
mod resolve;
mod run_wild;
mod sandbox;
mod scan;
mod scan_quality;
mod search;
mod search_speed;
mod size;
mod start;
mod workflow;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measure one claim and print the figure beside its limit.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Every claim with its usual settings, and one table
    All(all::Options),
    /// How fast the transparency log takes entries in and proves them (limits: 2,000/s, 1 ms)
    Log(log::Options),
    /// Durable transfers a second (limits: SQLite 40,000, Postgres 10,000, a hot account no slower)
    Ledger(ledger::Options),
    /// What a call of a model takes by the hub, beside a bare hop (limits: 100 µs more, 40 µs of a processor)
    Gateway(gateway::Options),
    /// Workflows of three steps that do nothing (limits: Postgres 10 × DBOS for Python, SQLite 1.5 × a bare group commit)
    Workflow(workflow::Options),
    /// The size of the release binary (limit: 60 MB)
    Size(size::Options),
    /// What is left of what hubs acknowledged when they die at every step and at any moment (limit: nothing is lost)
    Crash(crash::Options),
    /// Errands whose hub is killed at each entry of their journals (limit: one order and one charge each)
    Errands(errands::Options),
    /// How soon a hub with many skills is ready, and its memory without work (limits: 300 ms, 80 MB)
    Start(start::Options),
    /// How fast a hub takes in real skills, and the memory that needs (limits: 200 skills/s, 200 MB on each side)
    Import(import::Options),
    /// Archives from a hub beside the same bytes from nginx (limit: 0.6 of nginx)
    Download(download::Options),
    /// Resolving names beside a constant answer of the same server (limit: 0.4 of it)
    Resolve(resolve::Options),
    /// What holding a command costs, and what is left of many (limits: 2.5 ms, bubblewrap's p99, 200 runs/s, nothing)
    Sandbox(sandbox::Options),
    /// How long pages take on a hub with 100,000 skills (limit: a skill's page, p99 20 ms)
    Pages(pages::Options),
    /// How many skills are scanned in a second of processor time (limits: 300, first finding 50 ms)
    Scan(scan::Options),
    /// What the scanner finds and flags, source by source (limits: recall 0.80, 2 % high, 5 % medium)
    ScanQuality(scan_quality::Options),
    /// How well search finds the skill that a request is about (nDCG@10, Recall@10, Hit@1)
    Search(search::Options),
    /// How long the service searches among many skills (limits: p50 1 ms, p99 10 ms)
    SearchSpeed(search_speed::Options),
    /// How many scripts of real skills start in the sandbox and answer (limit: 60 % of the eligible skills)
    RunWild(run_wild::Options),
    /// What running finds in scripts that unpack themselves, beside reading (limits: 95 % found, no control, 5 % of real skills)
    Detonate(detonate::Options),
}

impl Bench {
    fn run(self) -> Result<()> {
        match self {
            Self::Crash(options) => crash::run(&options),
            Self::Errands(options) => errands::run(&options),
            Self::All(options) => all::run(&options),
            Self::Gateway(options) => gateway::run(&options),
            Self::Ledger(options) => ledger::run(&options),
            Self::Log(options) => log::run(&options),
            Self::Workflow(options) => workflow::run(&options),
            Self::Size(options) => size::run(&options),
            Self::Start(options) => start::run(&options),
            Self::Import(options) => import::run(&options),
            Self::Download(options) => download::run(&options),
            Self::Resolve(options) => resolve::run(&options),
            Self::Pages(options) => pages::run(&options),
            Self::Sandbox(options) => sandbox::run(&options),
            Self::Scan(options) => scan::run(&options),
            Self::ScanQuality(options) => scan_quality::run(&options),
            Self::Search(options) => search::run(&options),
            Self::SearchSpeed(options) => search_speed::run(&options),
            Self::RunWild(options) => run_wild::run(&options),
            Self::Detonate(options) => detonate::run(&options),
        }
    }
}

fn main() -> ExitCode {
    // A launcher must have one thread, and do nothing else.
    if env::args_os().nth(1).is_some_and(|word| word == run_wild::LAUNCHER) {
        return ExitCode::from(u8::try_from(kontor_sandbox::launcher()).unwrap_or(1));
    }
    let mut words = env::args().skip(1);
    if let Some(word) = words.next().filter(|word| [gateway::hop::PROVIDER, gateway::hop::HOP].contains(&word.as_str()))
    {
        let served = gateway::hop::serve(&word, words.next().as_deref());
        return if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    match Arguments::parse().bench.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
