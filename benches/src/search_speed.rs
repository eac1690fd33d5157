//! `bench search-speed`: how long the service searches among a hundred thousand skills.

mod crowd;

use std::path::PathBuf;
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
const ROUNDS: usize = 3;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many skills the index holds
    #[arg(long, default_value_t = 100_000)]
    skills: usize,
    /// Folder in the layout of the retrieval yardstick whose texts are mixed to skills
    #[arg(long, default_value = "../shared/data/retrieval-dev")]
    data: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Fills an index on the disk with mixed texts, then times short and whole-sentence queries one after another.
pub fn run(options: &Options) -> Result<()> {
    let yardstick = Yardstick::read(&options.data).context("--data names the folder whose texts are mixed")?;
    let crowd = Crowd::of(&yardstick);
    let folder = tempfile::tempdir()?;
    let index = Index::open(folder.path())?.into_index();
    let started = Instant::now();
    let mut sequence = 0;
    for first in (0..options.skills).step_by(BATCH) {
        let batch: Vec<Change> = (first..(first + BATCH).min(options.skills)).map(|place| crowd.skill(place)).collect();
        sequence += u64::try_from(batch.len())?;
        index.apply(&batch, sequence)?;
    }
    index.rest()?;
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
        println!(
            "{} skills indexed in {:.1} s, {} segments' worth on disk",
            index.len(),
            filled.as_secs_f64(),
            size(folder.path())?
        );
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

/// The time of each query, ascending; a first round warms the caches and is not counted.
fn timed(queries: &[String], ask: impl Fn(&str) -> Result<()>) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    for round in 0..=ROUNDS {
        for query in queries {
            let started = Instant::now();
            ask(query)?;
            if round > 0 {
                times.push(started.elapsed());
            }
        }
    }
    times.sort();
    Ok(times)
}

fn percentile(times: &[Duration], share: usize) -> Duration {
    times.get(times.len() * share / 100).or(times.last()).copied().unwrap_or_default()
}

fn size(folder: &std::path::Path) -> Result<String> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(format!("{} MB", bytes / 1_000_000))
}
