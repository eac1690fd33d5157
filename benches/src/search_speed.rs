//! `bench search-speed`: how long the service searches among a hundred thousand skills.

pub mod crowd;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use kontor_search::{Change, Index, Query};
use kontor_types::Viewer;

use crate::report::{Limit, Report};
use crate::search::corpus::Yardstick;
use crate::{machine, product};
use crowd::Crowd;

/// Milliseconds.
const P50_LIMIT: f64 = 1.0;
const P99_LIMIT: f64 = 10.0;
/// How many skills go into one commit.
const BATCH: usize = 1_000;
/// How often each query is asked.
const ROUNDS: usize = 5;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many skills the index holds
    #[arg(long, default_value_t = 100_000)]
    skills: usize,
    /// Folder in the layout of the retrieval yardstick whose texts are mixed to skills
    #[arg(long, default_value = "../shared/data/retrieval-dev")]
    data: PathBuf,
    /// Folder that keeps the index between runs; below the build's folder unless given
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Options {
    /// The usual measurement.
    pub fn usual(data: &Path) -> Self {
        Self { skills: 100_000, data: data.to_owned(), keep: None, json: false }
    }
}

/// Prints what [`measure`] finds.
pub fn run(options: &Options) -> Result<()> {
    measure(options)?.finish(options.json)
}

/// Fills an index on the disk with mixed texts, then times short and whole-sentence queries one after another.
pub fn measure(options: &Options) -> Result<Report> {
    let yardstick = Yardstick::read(&options.data).context("--data names the folder whose texts are mixed")?;
    let crowd = Crowd::of(&yardstick);
    let folder = match &options.keep {
        Some(folder) => folder.clone(),
        None => product::data()?.join(format!("index-{}", options.skills)),
    };
    let index = Index::open(&folder)?.into_index();
    let started = Instant::now();
    fill(&index, &crowd, options.skills)?;
    let filled = started.elapsed().as_secs_f64();
    let short = times(&index, &crowd.short_queries())?;
    let sentences = times(&index, &crowd.sentences())?;
    let suggestions = suggestion_times(&index, &crowd.short_queries())?;
    let mut report = Report::of("search-speed");
    report.setting(machine::describe());
    let (skills, size) = (index.len(), megabytes(&folder)?);
    report.setting(format!("index: {skills} skills mixed of real texts, {size} MB on disk, filled in {filled:.1} s"));
    report.setting(format!(
        "inside the service, no HTTP; queries one after another; of each the median of {ROUNDS} rounds after a first one; \
         processor time is what is left on a machine that does nothing else"
    ));
    for (name, times) in [("short", &short), ("sentence", &sentences), ("suggest", &suggestions)] {
        let n = times.passed.len();
        let millis = |times: &[Duration], share| percentile(times, share).as_secs_f64() * 1e3;
        report.figure(format!("{name}, p50 of {n}"), millis(&times.passed, 50), "ms", Limit::AtMost(P50_LIMIT));
        report.figure(format!("{name}, p99 of {n}"), millis(&times.passed, 99), "ms", Limit::AtMost(P99_LIMIT));
        let [half, most] = [50, 99].map(|share| millis(&times.worked, share));
        report.setting(format!("{name}, processor time: p50 {half:.3} ms, p99 {most:.3} ms"));
    }
    Ok(report)
}

/// Adds what is missing of the skills.
fn fill(index: &Index, crowd: &Crowd, skills: usize) -> Result<()> {
    let there = usize::try_from(index.sequence())?;
    for first in (there..skills).step_by(BATCH) {
        let end = (first + BATCH).min(skills);
        let batch: Vec<Change> = (first..end).map(|place| crowd.skill(place)).collect();
        index.apply(&batch, u64::try_from(end)?)?;
    }
    index.rest().context("merging failed")
}

/// The times of some queries, ascending.
struct Times {
    /// By the clock.
    passed: Vec<Duration>,
    /// Of the processor.
    worked: Vec<Duration>,
}

fn times(index: &Index, queries: &[String]) -> Result<Times> {
    let viewer = Viewer::anonymous();
    timed(queries, |text| index.search(&Query::new(text, &viewer)).map(drop).context("a query failed"))
}

fn suggestion_times(index: &Index, queries: &[String]) -> Result<Times> {
    let viewer = Viewer::anonymous();
    timed(queries, |text| {
        let typed: String = text.chars().take(5).collect();
        index.suggest(&typed, &viewer, 8).map(drop).context("a suggestion failed")
    })
}

/// The time of each query: the median of some rounds, so that what else runs on the machine counts less. A first round
/// warms the caches and is not counted.
fn timed(queries: &[String], ask: impl Fn(&str) -> Result<()>) -> Result<Times> {
    let mut passed: Vec<Vec<Duration>> = vec![Vec::new(); queries.len()];
    let mut worked = passed.clone();
    for round in 0..=ROUNDS {
        for (place, query) in queries.iter().enumerate() {
            let (started, before) = (Instant::now(), machine::time_of_thread()?);
            ask(query)?;
            if round > 0 {
                passed[place].push(started.elapsed());
                worked[place].push(machine::time_of_thread()?.saturating_sub(before));
            }
        }
    }
    let medians = |mut rounds: Vec<Vec<Duration>>| {
        let mut times: Vec<Duration> = rounds.iter_mut().map(|times| median(times)).collect();
        times.sort();
        times
    };
    Ok(Times { passed: medians(passed), worked: medians(worked) })
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    percentile(times, 50)
}

fn percentile(times: &[Duration], share: usize) -> Duration {
    times.get(times.len() * share / 100).or(times.last()).copied().unwrap_or_default()
}

fn megabytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes / 1_000_000)
}
