//! `bench search-speed`: how long the service searches among a hundred thousand skills.

mod crowd;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use kontor_search::{Change, Index, Query};
use kontor_types::Viewer;

use crate::search::corpus::Yardstick;
use crowd::Crowd;

const P50_LIMIT: Duration = Duration::from_millis(1);
const P99_LIMIT: Duration = Duration::from_millis(10);
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
    /// Folder that keeps the index between runs; a temporary one unless given
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Fills an index on the disk with mixed texts, then times short and whole-sentence queries one after another.
pub fn run(options: &Options) -> Result<()> {
    let yardstick = Yardstick::read(&options.data).context("--data names the folder whose texts are mixed")?;
    let crowd = Crowd::of(&yardstick);
    let temporary = tempfile::tempdir()?;
    let folder = options.keep.as_deref().unwrap_or(temporary.path());
    let index = Index::open(folder)?.into_index();
    let started = Instant::now();
    fill(&index, &crowd, options.skills)?;
    let filled = started.elapsed();
    let short = times(&index, &crowd.short_queries())?;
    let sentences = times(&index, &crowd.sentences())?;
    let suggestions = suggestion_times(&index, &crowd.short_queries())?;
    let rows = [("short", &short), ("sentence", &sentences), ("suggest", &suggestions)];
    if options.json {
        let figures = rows.map(|(name, times)| {
            let micros = |share| percentile(times, share).as_micros();
            (name, serde_json::json!({ "n": times.len(), "p50_us": micros(50), "p99_us": micros(99) }))
        });
        let mut report = serde_json::Map::from_iter(figures.map(|(name, figures)| (name.to_owned(), figures)));
        report.insert("skills".to_owned(), index.len().into());
        println!("{}", serde_json::Value::Object(report));
    } else {
        println!("{} skills indexed in {:.1} s, {} MB", index.len(), filled.as_secs_f64(), megabytes(folder)?);
        for (name, times) in rows {
            let [p50, p90, p99] = [50, 90, 99].map(|share| percentile(times, share));
            println!("{name:>9}: p50 {p50:>9.2?}  p90 {p90:>9.2?}  p99 {p99:>9.2?}  ({} queries)", times.len());
        }
    }
    for (name, times) in rows {
        if percentile(times, 50) > P50_LIMIT || percentile(times, 99) > P99_LIMIT {
            bail!("{name} queries take longer than p50 {P50_LIMIT:?} or p99 {P99_LIMIT:?}");
        }
    }
    Ok(())
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

fn times(index: &Index, queries: &[String]) -> Result<Vec<Duration>> {
    let viewer = Viewer::anonymous();
    timed(queries, |text| index.search(&Query::new(text, &viewer)).map(drop).context("a query failed"))
}

fn suggestion_times(index: &Index, queries: &[String]) -> Result<Vec<Duration>> {
    let viewer = Viewer::anonymous();
    timed(queries, |text| {
        let typed: String = text.chars().take(5).collect();
        index.suggest(&typed, &viewer, 8).map(drop).context("a suggestion failed")
    })
}

/// The time of each query, ascending: the median of some rounds, so that what else runs on the machine counts less.
/// A first round warms the caches and is not counted.
fn timed(queries: &[String], ask: impl Fn(&str) -> Result<()>) -> Result<Vec<Duration>> {
    let mut rounds: Vec<Vec<Duration>> = vec![Vec::new(); queries.len()];
    for round in 0..=ROUNDS {
        for (query, times) in queries.iter().zip(&mut rounds) {
            let started = Instant::now();
            ask(query)?;
            if round > 0 {
                times.push(started.elapsed());
            }
        }
    }
    let mut times: Vec<Duration> = rounds.iter_mut().map(|times| median(times)).collect();
    times.sort();
    Ok(times)
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
