//! `bench all`: every claim with its usual settings, and one table.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::corpora::Shared;
use crate::product::Product;
use crate::report::{Report, table};
use crate::{download, import, log, pages, resolve, sandbox, scan, search, search_speed, size, start};

/// How to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    product: Product,
    /// Folder of the retrieval yardstick
    #[arg(long, default_value = "../shared/data/retrieval-dev")]
    data: PathBuf,
    #[command(flatten)]
    shared: Shared,
}

/// One claim and how it is measured.
type Claim<'a> = (&'a str, Box<dyn Fn() -> Result<Report> + 'a>);

/// Runs one benchmark after the other; one that cannot be run does not keep the others from running.
pub fn run(options: &Options) -> Result<()> {
    let product = options.product.quiet();
    product.binary()?;
    let of = || product.clone();
    let claims: [Claim<'_>; 11] = [
        ("size", Box::new(move || size::measure(&size::Options::usual(of())))),
        ("start", Box::new(move || start::measure(&start::Options::usual(of())))),
        ("import", Box::new(move || import::measure(&import::Options::usual(of())))),
        ("download", Box::new(move || download::measure(&download::Options::usual(of())))),
        ("resolve", Box::new(move || resolve::measure(&resolve::Options::usual(of())))),
        ("pages", Box::new(move || pages::measure(&pages::Options::usual(of())))),
        ("sandbox", Box::new(move || sandbox::measure(&sandbox::Options::usual(of())))),
        ("scan", Box::new(move || scan::measure(&scan::Options::usual(of(), options.shared.clone())))),
        ("log", Box::new(|| log::measure(&log::Options::usual()))),
        ("search-speed", Box::new(|| search_speed::measure(&search_speed::Options::usual(&options.data)))),
        ("search", Box::new(|| search::measure(&options.data))),
    ];
    let (mut reports, mut broken) = (Vec::new(), Vec::new());
    for (name, measure) in claims {
        eprintln!("bench {name} …");
        match measure() {
            Ok(report) => reports.push(report),
            Err(error) => {
                eprintln!("bench {name}: {error:#}");
                broken.push(name);
            }
        }
    }
    if options.product.json {
        println!("{}", serde_json::Value::Array(reports.iter().map(Report::json).collect()));
    } else {
        print!("{}", table(&reports));
        for setting in reports.iter().flat_map(|report| report.settings.iter().map(move |text| (report.claim, text))) {
            println!("  {}: {}", setting.0, setting.1);
        }
    }
    let missed: Vec<&str> = reports.iter().filter(|report| !report.is_met()).map(|report| report.claim).collect();
    if !broken.is_empty() || !missed.is_empty() {
        bail!("limits missed: {missed:?}; not measured: {broken:?}");
    }
    Ok(())
}
