//! How a hub dies.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// The steps of publishing, in their order: of the blob store and of the registry.
const STEPS: &[&str] = &[
    "registry::before_blob",
    "blob::written",
    "blob::synced",
    "blob::renamed",
    "blob::settled",
    "registry::blob_stored",
    "registry::skill_written",
    "registry::version_written",
    "registry::change_written",
    "registry::committed",
];
/// A step is passed at most so often before the hub dies there.
const PASSES: u32 = 12;
/// Longest time at work before a kill.
const AT_WORK: u64 = 600;
/// Longest time since the start before a kill: a start takes less.
const AT_START: u64 = 400;

/// One way to die.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Death {
    /// By itself, when it has come by a step so many times.
    Step { step: &'static str, times: u32 },
    /// Killed so long after clients began to work.
    Work { after: Duration },
    /// Killed so long after it was started.
    Start { after: Duration },
}

impl Death {
    /// The death of this number: half of them at each step in turn, the others at random moments.
    pub fn of(number: u32, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed ^ (u64::from(number) << 32));
        let turn = number / 2;
        if number.is_multiple_of(2) {
            let step = STEPS.get(turn as usize % STEPS.len()).copied().unwrap_or("registry::committed");
            return Self::Step { step, times: random.random_range(1..=PASSES) };
        }
        if turn % 4 == 3 {
            return Self::Start { after: Duration::from_millis(random.random_range(0..AT_START)) };
        }
        Self::Work { after: Duration::from_millis(random.random_range(0..AT_WORK)) }
    }

    /// What the hub is told to die of.
    pub fn armed(&self) -> Option<String> {
        match self {
            Self::Step { step, times } => Some(format!("{step}={times}")),
            Self::Work { .. } | Self::Start { .. } => None,
        }
    }
}
