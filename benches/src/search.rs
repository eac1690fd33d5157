//! `bench search`: how well the product's own ranking finds the skill that a request is about.

pub mod corpus;
pub mod figures;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use kontor_search::{Change, Index, Query};
use kontor_types::{PageSize, Viewer};

use corpus::Yardstick;
use figures::{Outcome, Report};

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folder with corpus.jsonl(.zst), queries.jsonl and qrels.tsv
    #[arg(long)]
    data: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Also print each query's figure, tab-separated, to standard error
    #[arg(long)]
    each: bool,
}

/// Indexes the corpus, asks every query, and prints nDCG@10, Recall@10 and Hit@1.
pub fn run(options: &Options) -> Result<()> {
    let yardstick = Yardstick::read(&options.data)?;
    let report = Report::of(&outcomes(&yardstick, options.each)?);
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", report.table());
    }
    Ok(())
}

fn outcomes(yardstick: &Yardstick, each: bool) -> Result<Vec<Outcome>> {
    let changes: Vec<Change> =
        yardstick.documents().into_iter().map(|document| Change::Upsert(Box::new(document))).collect();
    let index = Index::in_memory().context("cannot make an index")?;
    index.apply(&changes, 1).context("cannot index the corpus")?;
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
