//! One command from beginning to end, in a process of one thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage as Used, UsageWho, getrusage};
use nix::sys::signal::{
    SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SigSet, SigmaskHow, kill, sigprocmask,
};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeValLike as _;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use super::filter::Filter;
use super::ground::Ground;
use super::groups::{Counts, Groups};
use super::init::{Inside, step, wait_for};
use super::paths;
use super::places::Places;
use super::proxy::Proxy;
use super::system;
use super::talk::{End, Order, Talk, Told};
use super::users::Users;
use crate::{Ended, Error, InForce, Job, Outcome, Step, Stopped, Tier, Usage};

/// How often the groups are asked for the time on processors.
const LOOK: Duration = Duration::from_millis(100);

/// The namespaces that a command has of its own, beside those of its network and its groups.
const NAMESPACES: libc::c_int =
    libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;

/// Runs a command with this process's standard streams, until it and everything that it started has ended.
///
/// The calling process must have one thread. Signals that it gets are handed on to the command.
pub fn run(job: &Job) -> Result<Outcome, Error> {
    run_while(job, None, None)
}

/// Does the same; stops when `wanted` has something to read or is closed. A watched command is shown to whoever holds the
/// other end of `watcher`.
pub fn run_while(job: &Job, wanted: Option<&dyn AsFd>, watcher: Option<OwnedFd>) -> Result<Outcome, Error> {
    check(job)?;
    if job.watched.is_some() != watcher.is_some() {
        return Err(Error::refused("a command is watched by the program that starts it, or not at all"));
    }
    if job.tier != Tier::Landlock {
        return hold(job, wanted, watcher, None);
    }
    if watcher.is_some() {
        return Err(Error::refused("in the tier `landlock` no command can be watched"));
    }
    let ground = Ground::of(job)?;
    let outcome = hold(&ground.translate(job), wanted, None, Some(&ground));
    ground.clear();
    outcome
}

/// On the machine's own ground, or in namespaces.
fn hold(
    job: &Job,
    wanted: Option<&dyn AsFd>,
    watcher: Option<OwnedFd>,
    ground: Option<&Ground>,
) -> Result<Outcome, Error> {
    let begun = Instant::now();
    let mut users = Users::of_caller();
    let places = step(Step::Folders, || match ground {
        Some(_) => {
            rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
            Ok(Ok(Places::default()))
        }
        // Where there are no namespaces, folders cannot be lent either: then that is what is said.
        None => Ok(folders(job, &mut users).or_else(|error| possible().and(Err(error)))),
    })??;
    let local_sockets =
        paths::version().is_some_and(|version| version >= paths::HOLDS_SOCKETS) || !places.hold_sockets();
    let (signals, mask) = signals().map_err(Error::launcher)?;
    let (talk, theirs) = Talk::pair().map_err(Error::launcher)?;
    let inside =
        Inside { job, places, ground, local_sockets, mask, talk: theirs, sacrifice: None, ready: None, watcher };
    let Some(process) = begin(if ground.is_some() { 0 } else { NAMESPACES })? else {
        drop(talk);
        system::leave(inside.run())
    };
    drop(inside);
    let mut watch = Watch {
        job,
        process,
        talk,
        signals,
        wanted,
        begun,
        end: None,
        stopped: None,
        alive: true,
        told_to_begin: false,
    };
    let mut groups = Groups::default();
    let kept = watch
        .set_up(ground.is_none().then_some(&users), &mut groups)
        .and_then(|proxy| watch.until_it_ends(&groups).map(|()| proxy));
    let counts = watch.end(&groups);
    if ground.is_some() {
        // What outlived the first process came to this one.
        super::ground::end_descendants();
    }
    let restored = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&mask), None);
    let proxy = kept.map_err(|error| watch.maybe_lost(error))?;
    restored.map_err(|error| Error::launcher(error.desc()))?;
    watch.outcome(&groups, &counts, local_sockets, proxy)
}

fn check(job: &Job) -> Result<(), Error> {
    if job.command.first().is_none_or(|program| program.is_empty()) {
        return Err(Error::refused("no command was given; write it behind `--`"));
    }
    for (name, value) in job.permissions.environment.iter() {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(Error::refused(format!("`{}` is no variable's name", crate::destination::shown(name))));
        }
    }
    Ok(())
}

/// What is shown; what root grants is lent to the command's user.
fn folders(job: &Job, users: &mut Users) -> Result<Places, Error> {
    let mut places = Places::of(job)?;
    if users.is_root() {
        for place in &mut places.mounts {
            place.lend(users).map_err(|error| Error::refused(error.to_string()))?;
        }
    }
    Ok(places)
}

/// Whether there are namespaces.
fn possible() -> Result<(), Error> {
    match begin(NAMESPACES)? {
        None => system::leave(0),
        Some(process) => {
            let _ = waitpid(process, None);
            Ok(())
        }
    }
}

fn begin(namespaces: libc::c_int) -> Result<Option<Pid>, Error> {
    step(Step::Namespaces, || match system::begin(namespaces) {
        Err(error)
            if error
                .raw_os_error()
                .is_some_and(|code| matches!(code, libc::EPERM | libc::ENOSPC | libc::EINVAL | libc::ENOSYS)) =>
        {
            Ok(Err(super::machine::no_namespaces(&error)))
        }
        other => other.map(Ok),
    })?
}

/// The signals that are handed on, as something to wait for, and which ones were blocked before.
fn signals() -> io::Result<(SignalFd, SigSet)> {
    let mut handed_on = SigSet::empty();
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT] {
        handed_on.add(signal);
    }
    let mut before = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&handed_on), Some(&mut before))?;
    Ok((SignalFd::with_flags(&handed_on, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?, before))
}

/// The launcher's view of a running command.
struct Watch<'a> {
    job: &'a Job,
    process: Pid,
    talk: Talk,
    signals: SignalFd,
    wanted: Option<&'a dyn AsFd>,
    begun: Instant,
    end: Option<End>,
    stopped: Option<Stopped>,
    alive: bool,
    told_to_begin: bool,
}

impl Watch<'_> {
    /// What went wrong here once the command could begin does not say that it did not.
    fn maybe_lost(&self, error: Error) -> Error {
        match error {
            Error::Launcher { reason } if self.told_to_begin => Error::Lost { reason },
            other => other,
        }
    }

    /// Gives the first process inside its user and its groups, and lets the command begin. The first process goes on with the
    /// set-up meanwhile; it begins the command only when it is told.
    fn set_up(&mut self, users: Option<&Users>, groups: &mut Groups) -> Result<Option<Proxy>, Error> {
        step(Step::Users, || users.map_or(Ok(()), |users| users.give(self.process)))?;
        self.say(&Order::Given, &[])?;
        *groups = step(Step::Groups, || Groups::new(&self.job.limits))?;
        let doors = groups.doors().map_err(Error::launcher)?;
        let mut proxy = None;
        if !self.job.permissions.network.is_empty() {
            match self.hear()? {
                Some((Told::Ready, with)) => {
                    let listener =
                        with.into_iter().next().ok_or_else(|| Error::launcher("the proxy's socket did not come"))?;
                    proxy = Some(Proxy::start(listener, &self.job.permissions.network)?);
                }
                Some((Told::Failed(error), _)) => return Err(error),
                _ => return Err(Error::launcher("the first process inside ended")),
            }
        }
        self.told_to_begin = true;
        let doors: Vec<BorrowedFd<'_>> = doors.iter().map(AsFd::as_fd).collect();
        self.say(&Order::Begin(groups.count_memory()), &doors)?;
        Ok(proxy)
    }

    fn say(&self, order: &Order, with: &[BorrowedFd<'_>]) -> Result<(), Error> {
        match self.talk.say(order, with) {
            Ok(()) => Ok(()),
            // It has ended; what it said last is still there to be heard.
            Err(error) if error.raw_os_error() == Some(libc::EPIPE) => Ok(()),
            Err(error) => Err(Error::launcher(error)),
        }
    }

    fn hear(&self) -> Result<Option<(Told, Vec<OwnedFd>)>, Error> {
        self.talk.hear().map_err(Error::launcher)
    }

    fn until_it_ends(&mut self, groups: &Groups) -> Result<(), Error> {
        // Some systems cannot wait for longer at once.
        let most = if groups.count_time() { LOOK } else { Duration::from_hours(1) };
        loop {
            let left = self.job.limits.wall.saturating_sub(self.begun.elapsed());
            if left.is_zero() {
                self.stop(Stopped::Wall);
                return Ok(());
            }
            let mut awaited: Vec<&dyn AsFd> = vec![&self.talk, &self.signals];
            awaited.extend(self.wanted);
            let ready = wait_for(&awaited, Some(left.min(most))).map_err(Error::launcher)?;
            if ready.first() == Some(&true) {
                match self.hear()? {
                    Some((Told::Failed(error), _)) => return Err(error),
                    Some((Told::Ended(end), _)) => {
                        self.end = Some(end);
                        return Ok(());
                    }
                    Some((Told::Ready, _)) => {}
                    // The kernel has ended the first process, and all others with it.
                    None => return Ok(()),
                }
            }
            if groups.time().is_some_and(|time| time > self.job.limits.cpu) {
                self.stop(Stopped::Cpu);
                return Ok(());
            }
            if ready.get(2) == Some(&true) {
                self.stop(Stopped::Cancelled);
                return Ok(());
            }
            while let Ok(Some(signal)) = self.signals.read_signal() {
                self.say(&Order::Signal(signal.ssi_signo.cast_signed()), &[])?;
            }
        }
    }

    fn stop(&mut self, why: Stopped) {
        self.stopped = Some(why);
    }

    /// Ends whatever is left; returns when nothing is, with what was counted.
    fn end(&mut self, groups: &Groups) -> Counts {
        if self.end.is_none() {
            groups.kill();
            let _ = kill(self.process, SIGKILL);
        }
        // When nothing of the command is left this is the end of the count, and the kernel takes the namespaces down meanwhile.
        let counts = self.end.is_some_and(|end| end.alone).then(|| groups.counts());
        while self.alive {
            match waitpid(self.process, None) {
                Ok(WaitStatus::StillAlive) | Err(nix::errno::Errno::EINTR) => {}
                Ok(_) | Err(_) => self.alive = false,
            }
        }
        counts.unwrap_or_else(|| groups.counts())
    }

    fn outcome(
        self,
        groups: &Groups,
        counts: &Counts,
        local_sockets: bool,
        proxy: Option<Proxy>,
    ) -> Result<Outcome, Error> {
        let memory_was_over = counts.ran_out_of_memory;
        let ended = match self.end {
            Some(end) => end.ended,
            None if self.stopped.is_some() || memory_was_over => Ended::Signal(libc::SIGKILL),
            None => return Err(self.maybe_lost(Error::launcher("the first process inside was killed"))),
        };
        let killed = ended == Ended::Signal(libc::SIGKILL);
        let cpu_signal = ended == Ended::Signal(libc::SIGXCPU);
        let stopped = self.stopped.or(self.end.and_then(|end| end.stopped));
        let stopped = stopped.or((killed && memory_was_over).then_some(Stopped::Memory));
        let used = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| Error::launcher(error.desc()))?;
        let seen = self.end.map_or(Duration::ZERO, |end| Duration::from_micros(end.cpu));
        let cpu = cpu(&used).max(seen).max(counts.time.unwrap_or_default());
        let stopped = stopped.or((cpu_signal || (killed && cpu >= self.job.limits.cpu)).then_some(Stopped::Cpu));
        let largest = u64::try_from(used.max_rss()).unwrap_or(0).saturating_mul(1024);
        let memory = counts.memory.or(self.end.map(|end| end.memory.max(largest))).unwrap_or(largest);
        let written = proxy.map(Proxy::finish).unwrap_or_default();
        // Of a command that was killed from outside the version is not heard; it ran, so Landlock held unless it may lack.
        let landlock = self.end.map_or_else(paths::version, |end| end.landlock);
        let mut lacking: Vec<String> = landlock.is_none().then(|| "Landlock".to_owned()).into_iter().collect();
        let tier = match self.job.tier {
            Tier::Landlock => {
                lacking.extend(Ground::lacking());
                Tier::Landlock
            }
            _ if lacking.is_empty() => Tier::Full,
            _ => Tier::Weaker,
        };
        Ok(Outcome {
            ended,
            stopped,
            usage: Usage { wall: self.begun.elapsed(), cpu, memory },
            connections: written.connections,
            connections_unlisted: written.unlisted,
            connection_totals: written.totals,
            in_force: InForce {
                tier,
                lacking,
                landlock,
                limited_by: groups.kind.to_owned(),
                refused_calls: self.end.map_or_else(
                    || Filter::new(Inside::holds(self.job, groups.count_memory(), local_sockets)).calls,
                    |end| end.refused_calls,
                ),
                local_sockets: local_sockets && tier != Tier::Landlock,
            },
        })
    }
}

fn cpu(used: &Used) -> Duration {
    let microseconds = used.user_time().num_microseconds().saturating_add(used.system_time().num_microseconds());
    Duration::from_micros(microseconds.max(0).cast_unsigned())
}
