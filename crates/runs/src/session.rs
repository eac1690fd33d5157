//! The session in which somebody works: a terminal, a desktop's window, a job of a scheduler.

use std::fs;

use kontor_types::Digest;
use serde::{Deserialize, Serialize};

/// Names one session of one machine since it was started; another one never has the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(Digest);

impl SessionId {
    /// The session of this process: the process that leads it, when that began, and since when the machine runs. `None` where
    /// the leader is gone or the system does not tell, so that nothing holds for a session that nobody can tell from another.
    pub fn own() -> Option<Self> {
        let own = Stat::of("self")?;
        let leader = Stat::of(&own.session.to_string())?;
        let machine = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(Self::named(&format!("{}\n{}\n{}", machine.trim(), own.session, leader.started)))
    }

    /// A session that somebody else names, such as the client of an agent.
    pub fn named(name: &str) -> Self {
        Self(Digest::of(name.as_bytes()))
    }
}

/// What the system tells of a process.
struct Stat {
    session: u32,
    started: u64,
}

impl Stat {
    fn of(process: &str) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name, in parentheses, may hold anything.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        Some(Self { session: fields.get(3)?.parse().ok()?, started: fields.get(19)?.parse().ok()? })
    }
}
