//! Two servers under the same load by turns, so that whatever else the machine does hits both alike.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::load::{Call, Throughput, drive};
use crate::report::median;

/// How the turns are taken.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Turns {
    /// Connections that stay open, one request after the other on each
    #[arg(long, default_value_t = 8)]
    pub connections: usize,
    /// Pairs of turns
    #[arg(long, default_value_t = 7)]
    pub rounds: usize,
    /// Milliseconds of a turn
    #[arg(long, default_value_t = 1_500)]
    pub turn_ms: u64,
}

impl Default for Turns {
    fn default() -> Self {
        Self { connections: 8, rounds: 7, turn_ms: 1_500 }
    }
}

/// One side: a server and what it is asked.
#[derive(Debug, Clone)]
pub struct Side {
    /// The server.
    pub address: SocketAddr,
    /// The requests, in turn.
    pub calls: Vec<Call>,
}

/// How the two sides did.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// The median of the rounds' ratios: ours to theirs.
    pub ratio: f64,
    /// Our median.
    pub ours: Throughput,
    /// Their median.
    pub theirs: Throughput,
}

/// Measures both sides by turns; a first short turn of each warms them and is not counted.
pub fn fight(ours: &Side, theirs: &Side, turns: Turns) -> Result<Outcome> {
    let length = Duration::from_millis(turns.turn_ms.max(10));
    let turn = |side: &Side, length| drive(side.address, &side.calls, turns.connections.max(1), length);
    turn(theirs, length / 3)?;
    turn(ours, length / 3)?;
    let mut rounds = Vec::with_capacity(turns.rounds);
    for _ in 0..turns.rounds.max(1) {
        let their = turn(theirs, length)?;
        let our = turn(ours, length)?;
        if their.answers <= 0.0 {
            bail!("the other server answered nothing");
        }
        rounds.push((our, their));
    }
    let middle = |figure: &dyn Fn(&(Throughput, Throughput)) -> f64| median(rounds.iter().map(figure).collect());
    Ok(Outcome {
        ratio: middle(&|(our, their)| our.answers / their.answers),
        ours: Throughput { answers: middle(&|(our, _)| our.answers), bytes: middle(&|(our, _)| our.bytes) },
        theirs: Throughput { answers: middle(&|(_, their)| their.answers), bytes: middle(&|(_, their)| their.bytes) },
    })
}

impl Turns {
    /// A sentence about them.
    pub fn describe(self) -> String {
        format!(
            "load: own generator, {} connections that stay open, one thread each; {} turns of {} ms by turns, medians",
            self.connections, self.rounds, self.turn_ms
        )
    }
}
