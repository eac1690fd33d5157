//! How a run ended, as its receipt says it.

use kontor_sandbox::{Ended, Outcome, Stopped, Tier};

use super::{milliseconds, streams::Said};
use crate::outputs::Gathered;
use crate::program::Program;
use crate::receipt::{Connection, ConnectionTotal, ExitFact, LeftBehind, Resources, SandboxFact};

/// How a program ended.
#[derive(Debug)]
pub enum End {
    /// The sandbox told it.
    Told(Box<Outcome>),
    /// The process that held the program was lost, and with it what it knew; why, in its parent's words. Nothing of the program
    /// is left, and whether it ended before is not known.
    Lost(String),
}

impl End {
    /// Whether it was ended because nobody wanted it any longer.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Told(outcome) if outcome.stopped == Some(Stopped::Cancelled))
    }

    /// In a word, with code and signal where there are some.
    pub fn exit(&self) -> ExitFact {
        let Self::Told(outcome) = self else {
            return ExitFact { outcome: "lost".to_owned(), code: None, signal: None };
        };
        let (code, signal) = match outcome.ended {
            Ended::Exit(code) => (Some(code), None),
            Ended::Signal(signal) => (None, Some(signal)),
        };
        let word = match (outcome.stopped, code) {
            (Some(Stopped::Wall | Stopped::Cpu), _) => "time_limit",
            (Some(Stopped::Memory), _) => "memory_limit",
            (Some(Stopped::Cancelled), _) => "cancelled",
            (None, Some(0)) => "done",
            (None, Some(_)) => "failed",
            (None, None) => "killed",
        };
        ExitFact { outcome: word.to_owned(), code, signal }
    }

    /// What it used; `wall_ms` is what was seen from outside.
    pub fn resources(&self, wall_ms: u64) -> Resources {
        match self {
            Self::Told(outcome) => Resources {
                wall_ms: milliseconds(outcome.usage.wall),
                cpu_ms: milliseconds(outcome.usage.cpu),
                memory: (outcome.usage.memory > 0).then_some(outcome.usage.memory),
            },
            Self::Lost(_) => Resources { wall_ms, cpu_ms: 0, memory: None },
        }
    }

    /// Its connections. The program chose nearly all that is said of them, so it goes through `clean` first.
    pub fn connections(&self, clean: &mut dyn FnMut(&str) -> String) -> Vec<Connection> {
        match self {
            Self::Told(outcome) => outcome.connections.iter().map(|one| connection(one, clean)).collect(),
            Self::Lost(_) => Vec::new(),
        }
    }

    /// All its connections by destination, and whether each is listed by itself too.
    pub fn totals(&self, clean: &mut dyn FnMut(&str) -> String) -> (Vec<ConnectionTotal>, bool) {
        match self {
            Self::Told(outcome) => {
                let totals = outcome.connection_totals.iter().map(|one| total(one, clean)).collect();
                (totals, outcome.connections_unlisted == 0)
            }
            Self::Lost(_) => (Vec::new(), true),
        }
    }

    /// What was not kept of what came out.
    pub fn left_behind(&self, stdout: &Said, stderr: &Said, gathered: Gathered) -> Vec<LeftBehind> {
        let mut left = Vec::new();
        let mut leave = |name: &str, reason: String| left.push(LeftBehind { name: name.to_owned(), reason });
        for (name, said) in [("stdout", stdout), ("stderr", stderr)] {
            if said.is_cut() {
                leave(name, format!("only the first {} of {} bytes were kept", said.bytes.len(), said.total));
            }
        }
        match self {
            Self::Told(outcome) if outcome.connections_unlisted > 0 => {
                leave("connections", format!("{} more connections are not listed", outcome.connections_unlisted));
            }
            Self::Told(_) => {}
            Self::Lost(reason) => leave(
                "connections",
                format!("what it connected to and used was lost with the process that held it ({reason})"),
            ),
        }
        left.extend(gathered.left.into_iter().take(100).map(|(name, reason)| LeftBehind { name, reason }));
        left
    }

    /// What stood between it and the machine; `asked` is the tier that was asked for.
    pub fn sandbox(&self, program: &Program, asked: Tier) -> SandboxFact {
        let (tier, mut layers) = match self {
            Self::Told(outcome) => (outcome.in_force.tier, layers(outcome)),
            Self::Lost(_) => (asked, vec!["what was asked for, as what was in force was not told".to_owned()]),
        };
        if tier == Tier::Landlock && !program.hidden.is_empty() {
            layers.push("without covering the packages of this machine".to_owned());
        }
        layers.extend(program.shown().into_iter().map(|path| format!("showing {path}")));
        let tier = match tier {
            Tier::Full => "full",
            Tier::Weaker => "weaker",
            Tier::Landlock => "landlock",
        };
        SandboxFact { tier: tier.to_owned(), layers }
    }
}

fn layers(outcome: &Outcome) -> Vec<String> {
    let held = &outcome.in_force;
    let mut layers = vec![format!("{} system calls refused", held.refused_calls)];
    if held.tier != Tier::Landlock {
        layers.insert(0, "namespaces of its own".to_owned());
    }
    layers.extend(held.landlock.map(|version| format!("Landlock {version}")));
    layers.push(format!("limits by {}", held.limited_by));
    layers.extend(held.lacking.iter().map(|lacking| format!("without {lacking}")));
    layers
}

/// What is said of a connection.
fn connection(one: &kontor_sandbox::Connection, clean: &mut dyn FnMut(&str) -> String) -> Connection {
    let (host, port) = match &one.destination {
        Some(destination) => (destination.host().to_string(), destination.port()),
        None => match one.asked.rsplit_once(':') {
            Some((host, port)) => (host.to_owned(), port.parse().unwrap_or(0)),
            None => (one.asked.clone(), 0),
        },
    };
    Connection {
        host: clean(&host),
        port,
        address: one.address.map(|address| address.to_string()),
        sni: one.sni.as_deref().map(&mut *clean),
        request: one.request.as_deref().map(&mut *clean),
        sent: one.sent,
        received: one.received,
        duration_ms: milliseconds(one.duration),
        decision: one.refused.as_deref().map_or_else(|| "granted".to_owned(), clean),
    }
}

/// The connections to one destination. Of those that were refused the program chose the name.
fn total(one: &kontor_sandbox::ConnectionTotal, clean: &mut dyn FnMut(&str) -> String) -> ConnectionTotal {
    ConnectionTotal {
        destination: clean(&one.destination),
        decision: if one.granted { "granted" } else { "refused" }.to_owned(),
        count: one.count,
        sent: one.sent,
        received: one.received,
    }
}
