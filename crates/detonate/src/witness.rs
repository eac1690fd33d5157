//! What a run does, as the sandbox's witness tells it: written down, and answered.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kontor_sandbox::{Deed, Seen, Witness};

use crate::home::HOME;
use crate::net::Net;

/// How many events of a run are kept.
const MOST: usize = 2000;
/// Shorter sleeps pass as they are.
const NAP: Duration = Duration::from_millis(500);
/// How many sleeps are cut short: a program that waits for something must come to an end.
const NAPS: u32 = 300;
/// Folders in which nothing of a person stands.
const SYSTEM: &[&str] =
    &["/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/proc", "/dev", "/opt", "/nix", "/root", "/var"];

/// Something that a run did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A made-up secret's file was opened for reading, by this program.
    Read { canary: usize, program: String },
    /// The file that only downloads know was opened, by this program.
    Probe { program: String },
    /// A file of the home was opened for writing, named or removed, by this program.
    Changed { path: String, removed: bool, program: String },
    /// A program began.
    Started { program: PathBuf, words: Vec<String> },
    /// A connection or a datagram.
    Reached { address: IpAddr, port: u16 },
    /// It asked for what no sandbox allows.
    Refused { call: &'static str, program: String },
    /// It left its session.
    Left { program: String },
}

/// Everything that was seen of one run.
#[derive(Debug, Default)]
pub struct Log {
    /// Different events, in the order in which each came first.
    pub events: Vec<Event>,
    /// How many calls were seen.
    pub calls: usize,
    /// How long it wanted to sleep.
    pub slept: Duration,
    seen: BTreeSet<Event>,
    naps: u32,
}

/// What a witness must know of the room.
#[derive(Debug)]
pub struct Known {
    /// Files with secrets.
    pub identities: BTreeMap<(u64, u64), usize>,
    /// The same by their place below the home.
    pub places: BTreeMap<String, usize>,
    /// The file that only downloads know, below the home.
    pub probe: String,
}

/// Watches until everything has ended, or until `over` is set and nothing is left to tell.
pub fn watch(mut witness: Witness, known: &Known, net: &Net, over: &AtomicBool) -> Log {
    let mut log = Log::default();
    if !witness.wait().unwrap_or(false) {
        return log;
    }
    loop {
        match witness.next(Duration::from_millis(100)) {
            Ok(Some(seen)) => {
                log.calls += 1;
                // Whoever ended meanwhile needs no answer, and what was read may be of another process.
                if !witness.holds(&seen) {
                    continue;
                }
                log.handle(&mut witness, &seen, known, net);
            }
            Ok(None) if witness.is_over() || over.load(Ordering::SeqCst) => return log,
            Ok(None) => {}
            Err(_) => return log,
        }
    }
}

impl Log {
    fn handle(&mut self, witness: &mut Witness, seen: &Seen, known: &Known, net: &Net) {
        match &seen.deed {
            Deed::Sleep { time } => {
                let time = time.unwrap_or_default();
                if time >= NAP && self.naps < NAPS {
                    self.naps += 1;
                    self.slept = self.slept.saturating_add(time);
                    return witness.pretend(seen);
                }
            }
            Deed::Reach { to } if !to.ip().is_loopback() && to.port() > 0 => {
                // Whoever connects must find somebody there, by whichever protocol.
                if net.is_new(to.port(), false)
                    && let Ok(Some(listener)) = witness.listen(to.port())
                {
                    net.serve(listener);
                }
                if net.is_new(to.port(), true)
                    && let Ok(Some(socket)) = witness.receive(to.port())
                {
                    net.receive(socket);
                }
                self.note(Event::Reached { address: to.ip(), port: to.port() });
            }
            Deed::Open { path, write } => self.opened(seen, path, *write, known),
            Deed::Remove { path } => self.changed(seen, path, true),
            Deed::Name { from, to } => {
                self.changed(seen, from, true);
                self.changed(seen, to, false);
            }
            // The first is the command itself.
            Deed::Start { program, words } if self.calls > 1 => {
                self.note(Event::Started { program: program.clone(), words: words.clone() });
            }
            Deed::Refused { call } => self.note(Event::Refused { call, program: program(seen) }),
            Deed::Leave => self.note(Event::Left { program: program(seen) }),
            Deed::Start { .. } | Deed::Reach { .. } | Deed::Other => {}
        }
        witness.go_on(seen);
    }

    fn opened(&mut self, seen: &Seen, path: &Path, write: bool, known: &Known) {
        if SYSTEM.iter().any(|system| path.starts_with(system)) && !path.starts_with("/proc") {
            return;
        }
        let below = path.strip_prefix(HOME).ok().map(|below| below.to_string_lossy().into_owned());
        if below.as_deref() == Some(&known.probe) {
            return self.note(Event::Probe { program: program(seen) });
        }
        if write {
            return self.changed(seen, path, false);
        }
        let by_place = below.as_ref().and_then(|below| known.places.get(below)).copied();
        let canary = by_place.or_else(|| known.identities.get(&seen.identity(path)?).copied());
        if let Some(canary) = canary {
            self.note(Event::Read { canary, program: program(seen) });
        }
    }

    fn changed(&mut self, seen: &Seen, path: &Path, removed: bool) {
        if let Ok(below) = path.strip_prefix(HOME) {
            let path = below.to_string_lossy().into_owned();
            self.note(Event::Changed { path, removed, program: program(seen) });
        }
    }

    fn note(&mut self, event: Event) {
        if self.events.len() < MOST && self.seen.insert(event.clone()) {
            self.events.push(event);
        }
    }
}

/// The program that a process runs, by the name of its file.
fn program(seen: &Seen) -> String {
    let path = seen.program().unwrap_or_default();
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
