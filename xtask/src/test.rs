//! `test`: everything that must hold, stage by stage, each with its seconds.

mod stages;
mod tally;

use std::time::Instant;

use anyhow::{Result, bail};

use crate::postgres::Cluster;
use stages::Stage;
use tally::Tally;

/// What to test.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only the tests of these crates, on both databases
    crates: Vec<String>,
    /// Only these stages
    #[arg(long, value_enum, value_delimiter = ',', conflicts_with = "crates")]
    only: Vec<Stage>,
    /// All stages but these
    #[arg(long, value_enum, value_delimiter = ',', conflicts_with = "crates")]
    skip: Vec<Stage>,
}

impl Options {
    /// The real clients alone.
    pub fn clients() -> Self {
        Self { crates: Vec::new(), only: vec![Stage::Clients], skip: Vec::new() }
    }
}

/// What the stages share.
pub struct Session {
    /// Only these crates; all when empty.
    crates: Vec<String>,
    /// Started by the first stage that tests on it.
    postgres: Option<Cluster>,
    /// What the runners counted.
    tally: Tally,
}

impl Session {
    /// The address of a Postgres, started when it is asked for first.
    fn postgres(&mut self) -> Result<String> {
        let cluster = match self.postgres.take() {
            Some(cluster) => cluster,
            None => Cluster::start()?,
        };
        Ok(self.postgres.insert(cluster).url())
    }
}

/// Runs the stages one after the other, also after one has failed, and closes with what the runners counted.
pub fn run(options: &Options) -> Result<()> {
    let chosen = |stage: &Stage| match options {
        Options { crates, .. } if !crates.is_empty() => *stage == Stage::Tests,
        Options { only, .. } if !only.is_empty() => only.contains(stage),
        Options { skip, .. } => !skip.contains(stage),
    };
    let mut session = Session { crates: options.crates.clone(), postgres: None, tally: Tally::default() };
    let mut ended = Vec::new();
    for stage in Stage::ALL.iter().copied().filter(chosen) {
        println!("\n== {stage}: {}", stage.purpose());
        let start = Instant::now();
        let outcome = stage.run(&mut session);
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        let line = format!("{:>8.1} s  {stage:<9} {word}", start.elapsed().as_secs_f64());
        if let Err(error) = &outcome {
            println!("{stage}: {error:#}");
        }
        println!("{line}");
        ended.push((line, outcome.is_ok()));
    }
    println!("\n== seconds per stage");
    for (line, _) in &ended {
        println!("{line}");
    }
    session.tally.close();
    if ended.iter().any(|(_, well)| !well) {
        bail!("not every stage passed");
    }
    Ok(())
}
