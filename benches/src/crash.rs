//! `bench crash`: hubs die at every step of publishing and at any moment, and lose nothing that they acknowledged.
//!
//! A real hub is started, clients publish and import over HTTP, it dies, is checked, and is started again. Everything that
//! was acknowledged must be there byte for byte and be found; what was under way must be there whole or not at all, and
//! must go through when it is sent again.

mod client;
mod death;
mod hub;
mod life;
mod skill;
mod witness;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};

use death::Death;
use life::Life;

/// The variable that names a Postgres server.
const POSTGRES: &str = "KONTOR_TEST_POSTGRES";
/// How often one hub dies before another one takes its place.
const DEATHS_OF_A_HUB: u32 = 10;
/// One of so many hubs is on Postgres, where there is one.
const POSTGRES_SHARE: u32 = 5;

/// How much to kill.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How often hubs die
    #[arg(long, default_value_t = 1_000)]
    kills: u32,
    /// The command `kontor`, built with its feature `failpoints`; `cargo xtask bench crash` names it
    #[arg(long)]
    program: PathBuf,
    /// Chooses sizes, steps and moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Hubs that live side by side
    #[arg(long, default_value_t = 2)]
    hubs: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What happened.
#[derive(Debug, Default)]
pub struct Tally {
    at_steps: u32,
    at_work: u32,
    at_start: u32,
    on_postgres: u32,
    acknowledged: u64,
    repaired: u64,
    /// What was acknowledged and is not there.
    lost: Vec<String>,
    /// What else is not as it should be.
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, death: &Death, postgres: bool) {
        match death {
            Death::Step { .. } => self.at_steps += 1,
            Death::Work { .. } => self.at_work += 1,
            Death::Start { .. } => self.at_start += 1,
        }
        self.on_postgres += u32::from(postgres);
    }

    fn add(&mut self, other: Self) {
        self.at_steps += other.at_steps;
        self.at_work += other.at_work;
        self.at_start += other.at_start;
        self.on_postgres += other.on_postgres;
        self.acknowledged += other.acknowledged;
        self.repaired += other.repaired;
        self.lost.extend(other.lost);
        self.wrong.extend(other.wrong);
    }

    fn kills(&self) -> u32 {
        self.at_steps + self.at_work + self.at_start
    }

    fn line(&self, seed: u64) -> String {
        format!(
            "crash: {} kills ({} at steps, {} at work, {} at start; {} on Postgres), {} publishes acknowledged, {} lost, \
             {} otherwise wrong, {} repaired, seed {seed}",
            self.kills(),
            self.at_steps,
            self.at_work,
            self.at_start,
            self.on_postgres,
            self.acknowledged,
            self.lost.len(),
            self.wrong.len(),
            self.repaired,
        )
    }

    fn json(&self, seed: u64, begun: Instant) -> String {
        let report = serde_json::json!({
            "kills": self.kills(), "at_steps": self.at_steps, "at_work": self.at_work, "at_start": self.at_start,
            "on_postgres": self.on_postgres, "acknowledged": self.acknowledged, "lost": self.lost.len(),
            "wrong": self.wrong.len(), "repaired": self.repaired, "seed": seed, "seconds": begun.elapsed().as_secs(),
        });
        report.to_string()
    }
}

/// Kills, checks, and says what was lost.
pub fn run(options: &Options) -> Result<()> {
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let tally = runtime.block_on(all(options))?;
    for line in tally.lost.iter().chain(&tally.wrong).take(40) {
        eprintln!("crash: {line}");
    }
    let closing = if options.json { tally.json(options.seed, begun) } else { tally.line(options.seed) };
    if !tally.lost.is_empty() || !tally.wrong.is_empty() {
        bail!("a hub that died is not as it was acknowledged\n{closing}");
    }
    println!("{closing}");
    Ok(())
}

async fn all(options: &Options) -> Result<Tally> {
    let server = std::env::var(POSTGRES).ok().filter(|address| !address.is_empty());
    if server.is_none() {
        eprintln!("SKIPPED on Postgres: {POSTGRES} is not set (cargo xtask test sets it)");
    }
    let lives = (0..options.kills.div_ceil(DEATHS_OF_A_HUB)).map(|number| {
        let first = number * DEATHS_OF_A_HUB;
        let deaths = first..(first + DEATHS_OF_A_HUB).min(options.kills);
        let server = server.as_deref().filter(|_| number % POSTGRES_SHARE == POSTGRES_SHARE - 1);
        async move { Life::begin(&options.program, options.seed, number, server).await?.live(deaths).await }
    });
    let mut ended = futures::stream::iter(lives).buffer_unordered(options.hubs.max(1));
    let mut sum = Tally::default();
    while let Some(tally) = ended.try_next().await? {
        sum.add(tally);
        eprintln!("crash: {} of {} kills, {} publishes acknowledged", sum.kills(), options.kills, sum.acknowledged);
    }
    Ok(sum)
}
