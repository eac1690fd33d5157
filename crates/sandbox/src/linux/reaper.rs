//! What the first process does while the command runs: it collects processes that ended, hands signals on, and where no group of
//! the machine does it, counts memory and processor time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{SIGCHLD, SIGKILL, SigSet, SigmaskHow, kill, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeValLike as _;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::ground;
use super::init::{Held, wait_for};
use super::places::plain;
use super::talk::{End, Order, Talk, Told};
use crate::{Ended, Error, Limits, Stopped};

/// How often memory is counted, and processor time.
const LOOK: Duration = Duration::from_millis(10);
const LOOK_RARELY: Duration = Duration::from_millis(100);

/// Collects and counts.
#[derive(Debug)]
pub struct Reaper<'a> {
    command: Pid,
    ready: io::PipeReader,
    limits: &'a Limits,
    /// Whether it sees no processes but the command's.
    alone: bool,
    memory: u64,
    seen: Seen,
    cpu: Duration,
    /// Whether nothing is left inside.
    empty: bool,
    held: &'a Held,
}

/// Time on processors, in ticks, as each process showed it last. What a process used is known to its parent only if that waits
/// for it, so what was seen of those that are gone is kept.
#[derive(Debug, Default)]
struct Seen {
    live: BTreeMap<i32, u64>,
    gone: u64,
}

impl Seen {
    /// Takes in what all processes show now; says what they and the gone ones used together.
    fn look(&mut self, now: BTreeMap<i32, u64>) -> u64 {
        for (process, ticks) in std::mem::take(&mut self.live) {
            // A smaller number is that of another process with the same name.
            if now.get(&process).is_none_or(|later| *later < ticks) {
                self.gone = self.gone.saturating_add(ticks);
            }
        }
        self.live = now;
        self.live.values().fold(self.gone, |sum, ticks| sum.saturating_add(*ticks))
    }
}

impl<'a> Reaper<'a> {
    pub fn new(command: Pid, ready: io::PipeReader, limits: &'a Limits, alone: bool, held: &'a Held) -> Self {
        let (memory, cpu) = (0, Duration::ZERO);
        Self { command, ready, limits, alone, memory, seen: Seen::default(), cpu, empty: false, held }
    }

    /// Until the command ended, then says how.
    pub fn run(mut self, talk: &Talk) -> i32 {
        let watched = self.watch(talk);
        if !self.alone {
            ground::end_descendants();
        }
        let told = match watched {
            Ok((ended, stopped)) => {
                let cpu = u64::try_from(self.cpu.as_micros()).unwrap_or(u64::MAX);
                Told::Ended(End {
                    ended,
                    stopped,
                    landlock: self.held.landlock,
                    memory: self.memory,
                    cpu,
                    alone: self.empty,
                    refused_calls: self.held.filter.calls,
                })
            }
            Err(error) => Told::Failed(Error::launcher(plain(&error))),
        };
        i32::from(talk.say(&told, &[]).is_err())
    }

    fn watch(&mut self, talk: &Talk) -> io::Result<(Ended, Option<Stopped>)> {
        let mut children = SigSet::empty();
        children.add(SIGCHLD);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&children), None)?;
        let signals = SignalFd::with_flags(&children, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let mut stopped = None;
        let mut over = None;
        let begun = Instant::now();
        loop {
            if let Some(ended) = self.collect()? {
                if self.ready.read(&mut [0])? == 0 {
                    return Err(io::Error::other("the command's process ended before it was held"));
                }
                over = Some((ended, Instant::now()));
            }
            if let Some((ended, since)) = over
                && (self.empty || stopped.is_some() || since.elapsed() >= self.limits.linger)
            {
                return Ok((ended, stopped));
            }
            // Short commands are looked at closely only where nothing else counts their memory.
            let look = if self.held.counted_memory { LOOK_RARELY } else { LOOK };
            let ready = wait_for(&[talk, &signals], Some(look))?;
            if ready.first() == Some(&true) {
                match talk.hear()? {
                    Some((Order::Signal(number), _)) => self.hand_on(number),
                    Some(_) => {}
                    None => return Err(io::Error::other("the launcher is gone")),
                }
            }
            while signals.read_signal()?.is_some() {}
            if stopped.is_none() && begun.elapsed() >= look {
                stopped = self.too_much();
                if stopped.is_some() && self.alone {
                    let _ = kill(Pid::from_raw(-1), SIGKILL);
                } else if stopped.is_some() {
                    let _ = kill(self.command, SIGKILL);
                }
            }
        }
    }

    fn hand_on(&self, number: i32) {
        if let Ok(signal) = nix::sys::signal::Signal::try_from(number) {
            // As a terminal would: the command and what it started in its group; alone while it has no group yet.
            if kill(Pid::from_raw(-self.command.as_raw()), signal).is_err() {
                let _ = kill(self.command, signal);
            }
        }
    }

    /// Collects whatever ended; says how the command ended, if it did.
    fn collect(&mut self) -> io::Result<Option<Ended>> {
        let mut ended = None;
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(process, code)) if process == self.command => ended = Some(Ended::Exit(code)),
                Ok(WaitStatus::Signaled(process, signal, _)) if process == self.command => {
                    ended = Some(Ended::Signal(signal as i32));
                }
                Ok(WaitStatus::StillAlive) => return Ok(ended),
                Err(Errno::ECHILD) => {
                    self.empty = true;
                    return Ok(ended);
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Adds up what all processes use now.
    fn too_much(&mut self) -> Option<Stopped> {
        let page = rustix::param::page_size() as u64;
        let ticks = rustix::param::clock_ticks_per_second().max(1);
        let (mut pages, mut times) = (0_u64, BTreeMap::new());
        for number in if self.alone { everybody() } else { ground::descendants() } {
            let Ok(stat) = fs::read_to_string(format!("/proc/{number}/stat")) else { continue };
            let fields = Fields::of(&stat);
            pages = pages.saturating_add(fields.resident);
            times.insert(number, fields.ticks);
        }
        let live = times.values().fold(0_u64, |sum, ticks| sum.saturating_add(*ticks));
        let seen = self.seen.look(times);
        let bytes = pages.saturating_mul(page);
        self.memory = self.memory.max(bytes);
        let ended = getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| {
            (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()).max(0).cast_unsigned()
        });
        let time = |number: u64| Duration::from_millis(number.saturating_mul(1000) / ticks);
        // Each of the two may miss something, and neither counts anything twice.
        self.cpu = self.cpu.max((time(live) + Duration::from_micros(ended)).max(time(seen)));
        if self.cpu > self.limits.cpu {
            return Some(Stopped::Cpu);
        }
        (!self.held.counted_memory && bytes > self.limits.memory).then_some(Stopped::Memory)
    }
}

/// All processes but the first.
fn everybody() -> BTreeSet<i32> {
    let names = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| name.to_str()?.parse().ok()).filter(|number| *number != 1).collect()
}

/// What one line of `/proc/PID/stat` says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fields {
    ticks: u64,
    resident: u64,
}

impl Fields {
    /// The name in the second field may hold anything, so fields are counted from the last parenthesis.
    fn of(stat: &str) -> Self {
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let field = |number: usize| rest.split_whitespace().nth(number).and_then(|text| text.parse::<u64>().ok());
        let [user, system, resident] = [11, 12, 21].map(|number| field(number).unwrap_or(0));
        Self { ticks: user.saturating_add(system), resident }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Fields, Seen};

    #[test]
    fn the_time_of_processes_that_are_gone_is_kept() {
        let mut seen = Seen::default();
        let look = |seen: &mut Seen, now: &[(i32, u64)]| seen.look(now.iter().copied().collect::<BTreeMap<_, _>>());
        assert_eq!(look(&mut seen, &[(2, 5), (3, 7)]), 12);
        assert_eq!(look(&mut seen, &[(2, 6)]), 13);
        assert_eq!(look(&mut seen, &[(2, 1)]), 14, "another process with the same number");
        assert_eq!(look(&mut seen, &[]), 14);
    }

    #[test]
    fn a_name_cannot_shift_the_fields() {
        let line =
            "7 (a) 9 9 (9) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 0 0 20 0 1 0 100 1000000 250 18446744073709551615";
        assert_eq!(Fields::of(line), Fields { ticks: 42, resident: 250 });
        assert_eq!(Fields::of("nothing"), Fields::default());
    }
}
