//! `bench start`: how soon a hub with many skills is ready, and how much memory it holds when nobody asks anything.

use std::time::Duration;

use anyhow::Result;

use crate::hub::Hub;
use crate::machine;
use crate::many::Many;
use crate::product::Product;
use crate::report::{Limit, Report, median};

/// Milliseconds until `/readyz` answers 200.
const READY: f64 = 300.0;
/// Megabytes.
const IDLE: f64 = 80.0;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    product: Product,
    #[command(flatten)]
    many: Many,
    /// How often the hub is started
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Seconds without a request before its memory is looked at
    #[arg(long, default_value_t = 10)]
    idle: u64,
}

impl Options {
    /// The usual measurement of a binary.
    pub fn usual(product: Product) -> Self {
        Self { product, many: Many::default(), rounds: 7, idle: 10 }
    }
}

/// Prints what [`measure`] finds.
pub fn run(options: &Options) -> Result<()> {
    measure(options)?.finish(options.product.json)
}

/// Starts the hub some times, and lets the last one idle.
pub fn measure(options: &Options) -> Result<Report> {
    let binary = options.product.binary()?;
    let filled = options.many.fill(&binary)?;
    let mut report = Report::of("start");
    report.setting(machine::describe());
    report.setting(options.many.describe());
    report.setting(format!(
        "ready: from starting the program to the first 200 of /readyz, {} starts after one that is not counted",
        options.rounds
    ));
    let mut times = Vec::with_capacity(options.rounds);
    for _ in 0..options.rounds.max(1) {
        let hub = Hub::start(&binary, &filled.folder)?;
        times.push(hub.ready_after.as_secs_f64() * 1e3);
        hub.stop()?;
    }
    let slowest = times.iter().copied().fold(f64::NAN, f64::max);
    report.figure("ready, median", median(times), "ms", Limit::AtMost(READY));
    report.figure("ready, slowest", slowest, "ms", Limit::None);
    let hub = Hub::start(&binary, &filled.folder)?;
    std::thread::sleep(Duration::from_secs(options.idle));
    report.setting(format!("idle: VmRSS {} s after the start, without a request", options.idle));
    report.figure("idle memory", hub.resident(), "MB", Limit::AtMost(IDLE));
    hub.stop()?;
    Ok(report)
}
