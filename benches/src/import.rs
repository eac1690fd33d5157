//! `bench import`: how fast a real hub takes in real skills, and how much memory that needs on both sides.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::hub::Hub;
use crate::product::{self, Product};
use crate::report::{Limit, Report, median};
use crate::{corpora, machine};

/// Skills in a second.
const RATE: f64 = 200.0;
/// Megabytes, of the hub and of the client.
const MEMORY: f64 = 200.0;
/// The package that README shows.
const PACKAGE: &str = "ecc-universal@2.0.0";
/// How often the client's memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    product: Product,
    /// The folder or archive with the development corpus
    #[arg(long, default_value = "../shared/data/skills-dev.tar.zst")]
    corpus: PathBuf,
    /// How often each source is imported, each time into a new hub
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

impl Options {
    /// The usual measurement of a binary.
    pub fn usual(product: Product) -> Self {
        Self { product, corpus: PathBuf::from("../shared/data/skills-dev.tar.zst"), rounds: 3 }
    }
}

/// Prints what [`measure`] finds.
pub fn run(options: &Options) -> Result<()> {
    measure(options)?.finish(options.product.json)
}

/// Imports the corpus and the package of README into new hubs.
pub fn measure(options: &Options) -> Result<Report> {
    let binary = options.product.binary()?;
    let data = product::data()?;
    let mut report = Report::of("import");
    report.setting(machine::describe());
    report.setting(machine::disk(&data)?);
    report.setting("hub: release binary, new data folder each round, SQLite (WAL, synchronous=FULL), blobs with fsync");
    report
        .setting("time: from starting `kontor import` to its end, the median of the rounds; memory: VmHWM, the worst");
    let corpus = options.corpus.canonicalize();
    let corpus = corpus.with_context(|| format!("cannot find {}", options.corpus.display()))?;
    source(&mut report, "corpus", &binary, &data, &corpus, options.rounds)?;
    let folder = tempfile::tempdir_in(&data)?;
    // The package is fetched before, so that the network is not measured.
    match corpora::npm(folder.path(), PACKAGE) {
        Ok(package) => source(&mut report, PACKAGE, &binary, &data, &package, options.rounds)?,
        Err(error) => {
            eprintln!("SKIPPED: {PACKAGE} is not measured: {error:#}");
            report.setting(format!("{PACKAGE} was skipped: npm did not bring it"));
        }
    }
    Ok(report)
}

/// One import.
struct Round {
    skills: usize,
    seconds: f64,
    hub: f64,
    client: f64,
    /// Processor seconds of both, until the client ended.
    work: f64,
}

#[derive(Deserialize)]
struct Outcome {
    imported: usize,
    refused: usize,
}

fn source(report: &mut Report, name: &str, binary: &Path, data: &Path, source: &Path, rounds: usize) -> Result<()> {
    let rounds = (0..rounds.max(1)).map(|_| round(binary, data, source)).collect::<Result<Vec<_>>>()?;
    #[expect(clippy::cast_precision_loss, reason = "some hundred skills")]
    let mut rates: Vec<f64> = rounds.iter().map(|round| round.skills as f64 / round.seconds).collect();
    rates.sort_by(f64::total_cmp);
    let worst = |memory: fn(&Round) -> f64| rounds.iter().map(memory).fold(0.0, f64::max);
    let all: Vec<String> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
    let skills = rounds.first().map_or(0, |round| round.skills);
    report.setting(format!("{name}: {skills} skills, rounds at {} skills/s", all.join(", ")));
    report.figure(format!("{name}: rate"), median(rates), "skills/s", Limit::AtLeast(RATE));
    #[expect(clippy::cast_precision_loss, reason = "some hundred skills")]
    let work = rounds.iter().map(|round| round.work * 1e3 / round.skills as f64).fold(f64::INFINITY, f64::min);
    report.figure(format!("{name}: processor time of both"), work, "ms a skill", Limit::None);
    report.figure(format!("{name}: hub's memory"), worst(|round| round.hub), "MB", Limit::AtMost(MEMORY));
    report.figure(format!("{name}: client's memory"), worst(|round| round.client), "MB", Limit::AtMost(MEMORY));
    Ok(())
}

fn round(binary: &Path, data: &Path, source: &Path) -> Result<Round> {
    let folder = tempfile::tempdir_in(data)?;
    let hub = Hub::start(binary, folder.path())?;
    let source = source.to_str().context("the source has an odd path")?;
    let before = hub.processor_seconds() + machine::seconds_of_ended().unwrap_or(f64::NAN);
    let (said, seconds, client) = timed(
        hub.client(binary, &["import", source, "--publisher", "bench", "--on-conflict", "rename", "--json", "--quiet"]),
    )?;
    let work = hub.processor_seconds() + machine::seconds_of_ended().unwrap_or(f64::NAN) - before;
    let outcome: Outcome = serde_json::from_slice(&said).context("the import said nothing that can be read")?;
    if outcome.imported == 0 || outcome.refused * 20 > outcome.imported {
        bail!("{} skills were imported and {} refused", outcome.imported, outcome.refused);
    }
    let round = Round { skills: outcome.imported, seconds, hub: hub.peak(), client, work };
    hub.stop()?;
    Ok(round)
}

/// Runs a command to its end: what it said, its seconds, and the most memory it was seen to hold.
fn timed(mut command: Command) -> Result<(Vec<u8>, f64, f64)> {
    let mut said = tempfile::tempfile()?;
    let started = Instant::now();
    let mut child = command.stdout(Stdio::from(said.try_clone()?)).spawn().context("the client does not start")?;
    let mut peak: f64 = 0.0;
    let status = loop {
        peak = peak.max(machine::megabytes(child.id(), "VmHWM").unwrap_or(0.0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(LOOK_EVERY);
    };
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        bail!("the import ended with {status}");
    }
    let mut bytes = Vec::new();
    std::io::Seek::rewind(&mut said)?;
    std::io::Read::read_to_end(&mut said, &mut bytes)?;
    Ok((bytes, seconds, peak))
}
