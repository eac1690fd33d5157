use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Destination;

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub ended: Ended,
    /// Why it was ended from outside, if it was.
    pub stopped: Option<Stopped>,
    /// What it used, with all that it started.
    pub usage: Usage,
    /// Every connection that it tried through the proxy, allowed or not, in the order in which they ended.
    pub connections: Vec<Connection>,
    /// How many connections are not listed because there were too many.
    pub connections_unlisted: u64,
    /// All connections of each destination together, those that are not listed too.
    #[serde(default)]
    pub connection_totals: Vec<ConnectionTotal>,
    /// What held it.
    pub in_force: InForce,
}

impl Outcome {
    /// The exit code as a shell would say it: 128 and the signal's number when a signal ended it, 124 when its time was over.
    pub const fn code(&self) -> i32 {
        match (self.stopped, self.ended) {
            (Some(Stopped::Wall), _) => 124,
            (_, Ended::Exit(code)) => code,
            (_, Ended::Signal(number)) => 128 + number,
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// By itself, with this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

/// Why a command was ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Its time on the clock was over.
    Wall,
    /// Its time on processors was over.
    Cpu,
    /// It wanted more memory than its limit.
    Memory,
    /// Whoever started it did not want it any longer.
    Cancelled,
}

/// What a command used, with all that it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// From the order to its end, with the sandbox's own set-up.
    #[serde(rename = "wall_us", with = "microseconds")]
    pub wall: Duration,
    /// On processors.
    #[serde(rename = "cpu_us", with = "microseconds")]
    pub cpu: Duration,
    /// The most memory in bytes: of all together where the machine counts that, else of the largest process.
    #[serde(rename = "memory_bytes")]
    pub memory: u64,
}

/// A time as a whole number.
mod microseconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}

/// One connection through the proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// What was asked for, shortened and without control characters when it was not understood.
    pub asked: String,
    /// The permission that covered it.
    pub destination: Option<Destination>,
    /// The one address that was looked up and connected to.
    pub address: Option<IpAddr>,
    /// The name in the TLS greeting.
    pub sni: Option<String>,
    /// Method and path of a request in plain HTTP; the path without its query.
    pub request: Option<String>,
    /// Bytes from the command.
    pub sent: u64,
    /// Bytes to the command.
    pub received: u64,
    /// How long it was open.
    #[serde(rename = "duration_us", with = "microseconds")]
    pub duration: Duration,
    /// Why it was refused, or nothing when it was allowed.
    pub refused: Option<String>,
}

/// The connections to one destination, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionTotal {
    /// Host and port, or what was asked for where that was not understood; empty for the rest of too many.
    pub destination: String,
    /// Whether they were allowed.
    pub granted: bool,
    /// How many.
    pub count: u64,
    /// Bytes from the command.
    pub sent: u64,
    /// Bytes to the command.
    pub received: u64,
}

/// What held a command: the parts of the sandbox that were in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// `full`, `weaker` when something is lacking, or `landlock` when that was asked for.
    pub tier: Tier,
    /// What this machine lacks, in words.
    pub lacking: Vec<String>,
    /// The kernel's version of Landlock.
    pub landlock: Option<i32>,
    /// What limits memory and processes: `cgroup v2`, `cgroup v1`, or `rlimits`.
    pub limited_by: String,
    /// How many system calls are refused.
    pub refused_calls: usize,
    /// Whether local sockets could be made: not when a granted folder has one that this machine listens at.
    pub local_sockets: bool,
}

/// How much of the sandbox is in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// All of it.
    #[default]
    Full,
    /// No Landlock: must be accepted.
    Weaker,
    /// No namespaces, but Landlock, the list of refused calls and limits: must be asked for by this name.
    Landlock,
}
