//! `bench search`: how well the product's own ranking finds the skill that a request is about.

pub mod corpus;
pub mod figures;
mod left_out;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use kontor_search::{Change, Index, Query};
use kontor_types::{PageSize, Viewer};

use crate::report::{self, Limit};
use corpus::Yardstick;
use figures::{Outcome, Report, mean};

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folder with corpus.jsonl(.zst), queries.jsonl and qrels.tsv
    #[arg(long)]
    data: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Choose the main weights from a grid on all origins but one, and judge them on that one; some minutes
    #[arg(long)]
    leave_one_out: bool,
    /// Also print each query's figure, tab-separated, to standard error
    #[arg(long)]
    each: bool,
}

/// What nDCG@10 has to reach on the development half: over all, and over the eval suites of other origins than the
/// largest, which has half of the requests.
const ALL: f64 = 0.77;
const OTHERS: f64 = 0.59;

/// Indexes the corpus, asks every query, and prints nDCG@10, Recall@10 and Hit@1.
pub fn run(options: &Options) -> Result<()> {
    let yardstick = Yardstick::read(&options.data)?;
    if options.leave_one_out {
        return left_out::run(&yardstick, options.json);
    }
    let report = Report::of(&outcomes(&yardstick, options.each)?);
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", report.table());
    }
    Ok(())
}

/// The figures of the development half beside their limits.
pub fn measure(data: &Path) -> Result<report::Report> {
    let yardstick = Yardstick::read(data)?;
    let outcomes = outcomes(&yardstick, false)?;
    let mut report = report::Report::of("search");
    report.setting(format!("{} requests of {}, no neural model", outcomes.len(), data.display()));
    report.figure("nDCG@10, all", mean(&outcomes, |_| true), "", Limit::AtLeast(ALL));
    report.figure("nDCG@10, other origins", mean(&outcomes, Outcome::is_of_others), "", Limit::AtLeast(OTHERS));
    Ok(report)
}

fn outcomes(yardstick: &Yardstick, each: bool) -> Result<Vec<Outcome>> {
    asked(yardstick, &filled(yardstick)?, each)
}

/// An index in memory with the documents.
fn filled(yardstick: &Yardstick) -> Result<Index> {
    let changes: Vec<Change> =
        yardstick.documents().into_iter().map(|document| Change::Upsert(Box::new(document))).collect();
    let index = Index::in_memory().context("cannot make an index")?;
    index.apply(&changes, 1).context("cannot index the corpus")?;
    Ok(index)
}

fn asked(yardstick: &Yardstick, index: &Index, each: bool) -> Result<Vec<Outcome>> {
    let viewer = Viewer::anonymous();
    let mut outcomes = Vec::new();
    for request in &yardstick.requests {
        let query = Query { page: PageSize::clamped(10), ..Query::new(&request.text, &viewer) };
        let hits = index.search(&query).with_context(|| format!("cannot answer `{}`", request.text))?;
        let found: Vec<bool> =
            hits.items.iter().map(|hit| request.relevant.contains(yardstick.id(hit.skill))).collect();
        let outcome = Outcome::new(request, &found);
        if each {
            eprintln!("{}\t{:.4}", request.id, outcome.ndcg10);
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
