//! `bench pages`: how long a hub with a hundred thousand skills takes for the pages that people open.

mod crowded;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use crate::hub::Hub;
use crate::load::{self, Call};
use crate::machine;
use crate::many::{Many, PUBLISHER};
use crate::product::Product;
use crate::report::{Limit, Report};
use crowded::Crowded;

/// Milliseconds for a skill's page, over one connection.
const SKILL: f64 = 20.0;
/// Connections that ask at once, besides one alone.
const TOGETHER: usize = 8;
/// How often a page that is always the same is asked for.
const AGAIN: usize = 200;
/// Requests of each kind that are not counted.
const WARM: usize = 50;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    product: Product,
    #[command(flatten)]
    many: Many,
    /// How many skills the hub holds in the end, as copies of those that were imported
    #[arg(long, default_value_t = 100_000)]
    copies: usize,
    /// How many different pages of each kind are asked for
    #[arg(long, default_value_t = 1_000)]
    asked: usize,
}

impl Options {
    /// The usual measurement of a binary.
    pub fn usual(product: Product) -> Self {
        Self { product, many: Many::default(), copies: 100_000, asked: 1_000 }
    }
}

/// Prints what [`measure`] finds.
pub fn run(options: &Options) -> Result<()> {
    measure(options)?.finish(options.product.json)
}

/// Asks for each kind of page over one connection and over several at once.
pub fn measure(options: &Options) -> Result<Report> {
    let binary = options.product.binary()?;
    let crowded = Crowded::fill(&binary, &options.many, options.copies)?;
    let hub = Hub::start(&binary, &crowded.folder)?;
    let kinds = kinds(&crowded, options.asked);
    let mut report = Report::of("pages");
    report.setting(machine::describe());
    report.setting(format!(
        "hub: SQLite, {} skills of one publisher, {} of them imported and the others copies of their rows; \
         one in ten has 20 versions",
        crowded.skills, crowded.imported
    ));
    report
        .setting(format!("over loopback, from the first byte sent to the last byte read; {WARM} of each kind before"));
    for (kind, calls, limit) in &kinds {
        let mut seen = sizes(hub.address, calls)?;
        seen.sort_unstable();
        report.setting(format!("{kind}: {} kB in the middle", seen.get(seen.len() / 2).unwrap_or(&0) / 1_000));
        for connections in [1, TOGETHER] {
            let limit = if connections == 1 { *limit } else { Limit::None };
            let mut times = together(hub.address, calls, connections)?;
            times.sort();
            let n = times.len();
            let at = |share: usize| times.get(n * share / 100).copied().unwrap_or_default().as_secs_f64() * 1e3;
            report.figure(format!("{kind}, {connections} at once, p50 of {n}"), at(50), "ms", Limit::None);
            report.figure(format!("{kind}, {connections} at once, p99 of {n}"), at(99), "ms", limit);
        }
    }
    report.figure("hub's memory afterwards", hub.resident(), "MB", Limit::None);
    hub.stop()?;
    Ok(report)
}

/// What is asked for, and how long it may take.
fn kinds(crowded: &Crowded, asked: usize) -> [(&'static str, Vec<Call>, Limit); 6] {
    let page = |place: String| Call::browse(&place);
    let names: Vec<String> = crowded.sample(asked);
    let search = |extra: &str| -> Vec<Call> {
        crowded.queries.iter().take(asked).map(|words| page(format!("/?{}{extra}", query(words)))).collect()
    };
    [
        ("skill", names.iter().map(|name| page(format!("/@{PUBLISHER}/{name}"))).collect(), Limit::AtMost(SKILL)),
        ("home", vec![page("/".to_owned()); AGAIN], Limit::None),
        ("publisher", vec![page(format!("/@{PUBLISHER}")); AGAIN], Limit::None),
        ("newest", vec![page("/?sort=updated".to_owned()); AGAIN], Limit::None),
        ("search", search(""), Limit::None),
        ("search, most installed", search("&sort=installs"), Limit::None),
    ]
}

fn query(words: &str) -> String {
    let plain = |char: char| if char.is_ascii_alphanumeric() { char } else { '+' };
    format!("q={}", words.chars().map(plain).collect::<String>())
}

/// Asks for the first few once, so that every way was walked; the bytes of their bodies.
fn sizes(address: SocketAddr, calls: &[Call]) -> Result<Vec<usize>> {
    let seen = calls.iter().take(WARM).map(|call| {
        let answer = call.once(address)?;
        if answer.status != 200 {
            bail!("the hub answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        Ok(answer.body.len())
    });
    seen.collect()
}

/// Asks for each once, shared between some connections.
fn together(address: SocketAddr, calls: &[Call], connections: usize) -> Result<Vec<Duration>> {
    let share = calls.len().div_ceil(connections).max(1);
    thread::scope(|scope| {
        let asking: Vec<_> = calls.chunks(share).map(|calls| scope.spawn(move || load::each(address, calls))).collect();
        let mut times = Vec::with_capacity(calls.len());
        for one in asking {
            times.extend(one.join().map_err(|_| anyhow!("a connection broke"))??);
        }
        Ok(times)
    })
}
