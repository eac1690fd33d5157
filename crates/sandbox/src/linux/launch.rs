//! One command from beginning to end, in a process of one thread.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage as Used, UsageWho, getrusage};
use nix::sys::signal::{
    SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SigSet, SigmaskHow, kill, sigprocmask,
};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeValLike as _;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use super::filter::{Filter, Holds};
use super::groups::Groups;
use super::init::{Inside, step, wait_for};
use super::paths;
use super::places::Places;
use super::proxy::Proxy;
use super::system;
use super::talk::{End, Order, Talk, Told};
use super::users::Users;
use crate::{Ended, Error, InForce, Job, Outcome, Step, Stopped, Tier, Usage};

/// The namespaces that a command has of its own.
const NAMESPACES: libc::c_int = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS;

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
    let begun = Instant::now();
    let mut users = Users::of_caller();
    let places = step(Step::Folders, || Ok(folders(job, &mut users)))??;
    let local_sockets =
        paths::version().is_some_and(|version| version >= paths::HOLDS_SOCKETS) || !places.hold_sockets();
    let groups = step(Step::Groups, || Groups::new(&job.limits))?;
    let holds =
        Holds { counted_memory: groups.count_memory(), own_network: true, local_sockets, watched: watcher.is_some() };
    let filter = step(Step::Filter, || Filter::new(holds).map_err(io::Error::other))?;
    let (signals, mask) = signals().map_err(Error::launcher)?;
    let (talk, theirs) = Talk::pair().map_err(Error::launcher)?;
    let inside = Inside {
        job,
        places,
        filter: &filter,
        groups: groups.doors().map_err(Error::launcher)?,
        counted_memory: groups.count_memory(),
        mask,
        talk: theirs,
        sacrifice: None,
        ready: None,
        watcher,
    };
    let Some(process) = begin()? else {
        drop(talk);
        system::leave(inside.run())
    };
    drop(inside);
    let mut watch = Watch { job, process, talk, signals, wanted, begun, end: None, stopped: None, alive: true };
    let kept = watch.set_up(&users).and_then(|proxy| watch.until_it_ends().map(|()| proxy));
    watch.end(&groups);
    let restored = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&mask), None);
    let proxy = kept?;
    restored.map_err(|error| Error::launcher(error.desc()))?;
    watch.outcome(&groups, &filter, proxy)
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

fn begin() -> Result<Option<Pid>, Error> {
    step(Step::Namespaces, || match system::begin(NAMESPACES) {
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
}

impl Watch<'_> {
    /// Gives the first process inside its user, and lets the command begin when all is set up.
    fn set_up(&mut self, users: &Users) -> Result<Option<Proxy>, Error> {
        step(Step::Users, || users.give(self.process))?;
        self.say(&Order::Given)?;
        if self.job.permissions.network.is_empty() {
            return Ok(None);
        }
        match self.hear()? {
            Some((Told::Ready, Some(listener))) => {
                let proxy = Proxy::start(listener, &self.job.permissions.network)?;
                self.say(&Order::Begin)?;
                Ok(Some(proxy))
            }

            Some((Told::Failed(error), _)) => Err(error),
            _ => Err(Error::launcher("the first process inside ended")),
        }
    }

    fn say(&self, order: &Order) -> Result<(), Error> {
        match self.talk.say(order, None) {
            Ok(()) => Ok(()),
            // It has ended; what it said last is still there to be heard.
            Err(error) if error.raw_os_error() == Some(libc::EPIPE) => Ok(()),
            Err(error) => Err(Error::launcher(error)),
        }
    }

    fn hear(&self) -> Result<Option<(Told, Option<OwnedFd>)>, Error> {
        self.talk.hear().map_err(Error::launcher)
    }

    fn until_it_ends(&mut self) -> Result<(), Error> {
        loop {
            let left = self.job.limits.wall.saturating_sub(self.begun.elapsed());
            if left.is_zero() {
                self.stop(Stopped::Wall);
                return Ok(());
            }
            let mut awaited: Vec<&dyn AsFd> = vec![&self.talk, &self.signals];
            awaited.extend(self.wanted);
            // Some systems cannot wait for longer at once.
            let ready = wait_for(&awaited, Some(left.min(Duration::from_hours(1)))).map_err(Error::launcher)?;
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
            if ready.get(2) == Some(&true) {
                self.stop(Stopped::Cancelled);
                return Ok(());
            }
            while let Ok(Some(signal)) = self.signals.read_signal() {
                self.say(&Order::Signal(signal.ssi_signo.cast_signed()))?;
            }
        }
    }

    fn stop(&mut self, why: Stopped) {
        self.stopped = Some(why);
    }

    /// Ends whatever is left; returns when nothing is.
    fn end(&mut self, groups: &Groups) {
        if self.end.is_none() {
            groups.kill();
            let _ = kill(self.process, SIGKILL);
        }
        while self.alive {
            match waitpid(self.process, None) {
                Ok(WaitStatus::StillAlive) | Err(nix::errno::Errno::EINTR) => {}
                Ok(_) | Err(_) => self.alive = false,
            }
        }
    }

    fn outcome(self, groups: &Groups, filter: &Filter, proxy: Option<Proxy>) -> Result<Outcome, Error> {
        let memory_was_over = groups.ran_out_of_memory();
        let ended = match self.end {
            Some(end) => end.ended,
            None if self.stopped.is_some() || memory_was_over => Ended::Signal(libc::SIGKILL),
            None => return Err(Error::launcher("the first process inside was killed")),
        };
        let killed = ended == Ended::Signal(libc::SIGKILL);
        let cpu_signal = ended == Ended::Signal(libc::SIGXCPU);
        let stopped = self.stopped.or(self.end.and_then(|end| end.stopped));
        let stopped = stopped.or((killed && memory_was_over).then_some(Stopped::Memory));
        let used = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| Error::launcher(error.desc()))?;
        let cpu = cpu(&used);
        let stopped = stopped.or((cpu_signal || (killed && cpu >= self.job.limits.cpu)).then_some(Stopped::Cpu));
        let largest = u64::try_from(used.max_rss()).unwrap_or(0).saturating_mul(1024);
        let memory = groups.most_memory().or(self.end.map(|end| end.memory.max(largest))).unwrap_or(largest);
        let (connections, connections_unlisted) = proxy.map(Proxy::finish).unwrap_or_default();
        // Of a command that was killed from outside the version is not heard; it ran, so Landlock held unless it may lack.
        let landlock = self.end.map_or_else(paths::version, |end| end.landlock);
        let lacking: Vec<String> = landlock.is_none().then(|| "Landlock".to_owned()).into_iter().collect();
        Ok(Outcome {
            ended,
            stopped,
            usage: Usage { wall: self.begun.elapsed(), cpu, memory },
            connections,
            connections_unlisted,
            in_force: InForce {
                tier: if lacking.is_empty() { Tier::Full } else { Tier::Weaker },
                lacking,
                landlock,
                limited_by: groups.kind.to_owned(),
                refused_calls: filter.calls,
                local_sockets: filter.local_sockets,
            },
        })
    }
}

fn cpu(used: &Used) -> Duration {
    let microseconds = used.user_time().num_microseconds().saturating_add(used.system_time().num_microseconds());
    Duration::from_micros(microseconds.max(0).cast_unsigned())
}
