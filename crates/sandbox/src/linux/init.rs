//! The first process inside: it sets everything up, begins the command, collects what ends, and ends with the command, which
//! ends everything else inside too.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::unistd::Pid;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, set_dumpable_behavior, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use super::filter::{Filter, Holds};
use super::ground::Ground;
use super::network::Network;
use super::places::{Places, plain};
use super::reaper::Reaper;
use super::root::Root;
use super::talk::{Order, Talk, Told};
use super::users::INSIDE;
use super::{paths, system, watch};
use crate::{Error, Job, Step, Tier};

/// Where programs are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What the command calls this machine.
const NAME: &[u8] = b"kontor";

/// What the first process is given.
#[derive(Debug)]
pub struct Inside<'a> {
    pub job: &'a Job,
    pub places: Places,
    /// Where the command's folders stand, if it is held without namespaces.
    pub ground: Option<&'a Ground>,
    /// Whether local sockets may be made.
    pub local_sockets: bool,
    /// The signals that were blocked before the launcher blocked its own.
    pub mask: SigSet,
    pub talk: Talk,
    /// Where this process says how soon the kernel should take it.
    pub sacrifice: Option<File>,
    /// Where the command's process says that all is done and it becomes the command.
    pub ready: Option<io::PipeWriter>,
    /// Whoever watches, if somebody does.
    pub watcher: Option<OwnedFd>,
}

/// What the command's process needs to know, once all around it is set up.
#[derive(Debug)]
pub struct Held {
    pub filter: Filter,
    /// Whether a group counts the memory.
    pub counted_memory: bool,
    /// The kernel's version of Landlock, if it holds.
    pub landlock: Option<i32>,
}

impl Inside<'_> {
    /// What the list of refused calls depends on.
    pub const fn holds(job: &Job, counted_memory: bool, local_sockets: bool) -> Holds {
        let watched = job.watched.is_some();
        match job.tier {
            Tier::Landlock => Holds { counted_memory: false, namespaces: false, local_sockets: false, watched },
            Tier::Full | Tier::Weaker => Holds { counted_memory, namespaces: true, local_sockets, watched },
        }
    }

    /// Does all of it; the caller ends the process with the code.
    pub fn run(mut self) -> i32 {
        let held = if self.ground.is_some() { self.set_up_on_ground() } else { self.set_up() };
        match held {
            Ok(held) => match self.begin(&held) {
                Ok((process, ready)) => {
                    let code =
                        Reaper::new(process, ready, &self.job.limits, self.ground.is_none(), &held).run(&self.talk);
                    if let (Some(ground), true) = (self.ground, code != 0) {
                        // The launcher is gone, which would have done it.
                        ground.clear();
                    }
                    code
                }
                Err(error) => self.failed(error),
            },
            Err(error) => self.failed(error),
        }
    }

    fn failed(&self, error: Error) -> i32 {
        let _ = self.talk.say(&Told::Failed(error), &[]);
        125
    }

    /// Everything up to the command's own process.
    fn set_up(&mut self) -> Result<Held, Error> {
        step(Step::Users, || self.become_known())?;
        let mut network = Some(step(Step::Network, Network::begin)?);
        rustix::system::sethostname(self.name()).map_err(Error::launcher)?;
        if self.watcher.is_some() || !self.job.permissions.network.is_empty() {
            step(Step::Network, || self.open_sockets(network.take()))?;
        }
        step(Step::Trees, || self.places.mounts.iter_mut().try_for_each(super::places::Place::pick_up))?;
        step(Step::Identity, become_inside)?;
        rustix::process::umask(rustix::fs::Mode::from_bits_retain(0o022));
        let root = step(Step::Root, || Root::new(&self.job.limits))?;
        step(Step::Pivot, || root.enter())?;
        step(Step::Fill, || root.fill(self.job, &mut self.places))?;
        step(Step::Seal, Root::seal)?;
        drop(root);
        step(Step::Network, || network.map_or(Ok(()), Network::enter))?;
        let counted_memory = self.join()?;
        // Now that this process is in its groups, they are the outermost that can be seen from here.
        step(Step::Join, || system::unshare(libc::CLONE_NEWCGROUP))?;
        step(Step::Capabilities, give_up_capabilities)?;
        let landlock = step(Step::Landlock, || {
            paths::restrict(&paths::own_root(), &paths::writable(self.job)).map_err(io::Error::other)
        })?;
        if landlock.is_none() && !self.job.accept_weaker {
            return Err(Error::Lacking {
                feature: "Landlock".into(),
                hint: "use Linux 5.13 or newer with `landlock` among its security modules, or accept a weaker sandbox"
                    .into(),
            });
        }
        let filter = step(Step::Filter, || Ok(self.filter(counted_memory)))?;
        Ok(Held { filter, counted_memory, landlock })
    }

    /// The same without namespaces. Landlock waits for the command's own process, because this one looks into `/proc`.
    fn set_up_on_ground(&mut self) -> Result<Held, Error> {
        step(Step::Users, || self.become_known())?;
        step(Step::Identity, || {
            rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
            Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
        })?;
        rustix::process::umask(rustix::fs::Mode::from_bits_retain(0o022));
        let counted_memory = self.join()?;
        step(Step::Capabilities, give_up_capabilities)?;
        let filter = step(Step::Filter, || Ok(self.filter(counted_memory)))?;
        Ok(Held { filter, counted_memory, landlock: paths::version() })
    }

    fn filter(&self, counted_memory: bool) -> Filter {
        Filter::new(Self::holds(self.job, counted_memory, self.local_sockets))
    }

    /// Dies with the launcher, and waits for its user. Without namespaces it does not die at once: it sees that the launcher is
    /// gone, and ends what the kernel would not end with it.
    fn become_known(&mut self) -> io::Result<()> {
        // Once this process cannot be looked into, it may not open this any longer.
        self.sacrifice = File::options().write(true).open("/proc/self/oom_score_adj").ok();
        if self.ground.is_none() {
            set_parent_process_death_signal(Some(Signal::KILL))?;
        }
        match self.talk.hear()? {
            Some((Order::Given, _)) => Ok(()),
            _ => Err(io::Error::other("the launcher is gone")),
        }
    }

    /// Waits for the groups, and goes into them; says whether one counts the memory. A process puts itself in, because taking in
    /// another one makes the kernel wait for all processors.
    fn join(&self) -> Result<bool, Error> {
        let Some((Order::Begin(counted_memory), doors)) = self.talk.hear().map_err(Error::launcher)? else {
            return Err(Error::launcher("it is gone"));
        };
        step(Step::Join, || doors.into_iter().try_for_each(|door| File::from(door).write_all(b"0")))?;
        Ok(counted_memory)
    }

    /// What this machine is called inside.
    fn name(&self) -> &[u8] {
        self.job.watched.as_ref().map_or(NAME, |watched| watched.host_name.as_bytes())
    }

    /// The sockets of the watcher; with destinations granted, the one at which the proxy outside takes connections.
    fn open_sockets(&self, network: Option<Network>) -> io::Result<()> {
        network.map_or(Ok(()), Network::enter)?;
        if let Some(watcher) = &self.watcher {
            watch::open_sockets(watcher)?;
        }
        if self.job.permissions.network.is_empty() {
            return Ok(());
        }
        let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, super::PROXY_PORT))?;
        self.talk.say(&Told::Ready, &[listener.as_fd()])
    }

    /// Begins the command's process.
    fn begin(&mut self, held: &Held) -> Result<(Pid, io::PipeReader), Error> {
        // The kernel, when memory ends, takes the command and neither this process nor the machine's own programs.
        let sacrifice = self.sacrifice.take();
        let sacrifice = |points: &str| sacrifice.as_ref().map(|mut file| file.write_all(points.as_bytes()));
        sacrifice("1000");
        let (reads, writes) = io::pipe().map_err(Error::launcher)?;
        self.ready = Some(writes);
        let mut command = || {
            let error = self.command(held);
            let _ = self.talk.say(&Told::Failed(error), &[]);
            system::leave(125)
        };
        let process = step(Step::Fork, || system::begin_beside(&mut command))?;
        self.ready = None;
        sacrifice("0");
        Ok((process, reads))
    }

    /// What the command's process does before it becomes the command; it returns only when it cannot.
    fn command(&self, held: &Held) -> Error {
        match self.hold(held) {
            Ok(()) => execute(self.job, self.ground, self.ready.as_ref()),
            Err(error) => error,
        }
    }

    fn hold(&self, held: &Held) -> Result<(), Error> {
        step(Step::Rlimits, || self.limit(held.counted_memory))?;
        step(Step::Descriptors, || {
            rustix::process::setsid()?;
            rustix::process::chdir(&self.job.directory)
                .map_err(|error| io::Error::other(format!("{}: {error}", self.job.directory.display())))?;
            system::close_at_exec_from(3)
        })?;
        if let Some(ground) = self.ground {
            stand_on(ground)?;
        }
        system::end_at_broken_pipe();
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.mask), None).map_err(|error| Error::launcher(error.desc()))?;
        step(Step::Seccomp, || {
            let watcher = self.watcher.as_ref().map(watch::aside).transpose()?;
            held.filter.apply().map_err(io::Error::other)?;
            watcher.map_or(Ok(()), |watcher| watch::begin(&watcher))
        })
    }

    fn limit(&self, counted_memory: bool) -> io::Result<()> {
        let limits = &self.job.limits;
        // Without namespaces the kernel counts the user's other processes too.
        let others = if self.ground.is_some() { super::ground::of_the_user() } else { 0 };
        let cpu = limits.cpu.as_secs().saturating_add(u64::from(limits.cpu.subsec_nanos() > 0)).max(1);
        let mut values = vec![
            (Resource::Core, 0),
            (Resource::Cpu, cpu.saturating_add(1)),
            (Resource::Fsize, limits.disk),
            (Resource::Nofile, limits.open_files),
            (Resource::Nproc, limits.processes.saturating_add(others)),
            (Resource::Memlock, limits.memory.min(64 << 10)),
            (Resource::Msgqueue, 64 << 10),
            (Resource::Sigpending, 1024),
            (Resource::Nice, 0),
            (Resource::Rtprio, 0),
        ];
        if !counted_memory {
            values.push((Resource::Data, limits.memory));
        }
        for (resource, value) in values {
            let most = rustix::process::getrlimit(resource).maximum.map_or(value, |most| most.min(value));
            setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
        }
        Ok(())
    }
}

/// In the command's own process, without namespaces: it ends with its parent, and Landlock opens what it may see.
fn stand_on(ground: &Ground) -> Result<(), Error> {
    let landlock = step(Step::Landlock, || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        let (readable, writable) = ground.opened();
        paths::restrict(&readable, &writable).map_err(io::Error::other)
    })?;
    let holds = landlock.is_some_and(|version| version >= super::ground::HOLDS_SIGNALS);
    if holds { Ok(()) } else { Err(Error::launcher("Landlock did not begin to hold")) }
}

/// Runs one step of the set-up; tests let each of them fail, or the process die in it.
pub fn step<T>(step: Step, work: impl FnOnce() -> io::Result<T>) -> Result<T, Error> {
    let failed = |reason: String| Error::SetUp { step, reason };
    fail::fail_point!(step.name(), |_| Err(failed("a test wants it to fail".to_owned())));
    work().map_err(|error| failed(plain(&error)))
}

/// Becomes the user of inside, with no other groups, still with all rights over the new namespaces.
fn become_inside() -> io::Result<()> {
    use rustix::process::{Gid, Uid};
    let (user, group) = (Uid::from_raw(INSIDE), Gid::from_raw(INSIDE));
    match rustix::thread::set_thread_groups(&[]) {
        // An ordinary user may not put its groups down; they are nobody's inside.
        Ok(()) | Err(rustix::io::Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // The change of user has let go of this.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(())
}

fn give_up_capabilities() -> io::Result<()> {
    for number in 0..64 {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
            Ok(()) => {}
            Err(rustix::io::Errno::INVAL) => break,
            // Who has none, and gets none by starting a program, need not give any up.
            Err(rustix::io::Errno::PERM) if !nix::unistd::geteuid().is_root() => break,
            Err(error) => return Err(error.into()),
        }
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    set_no_new_privs(true)?;
    Ok(())
}

/// Becomes the command; says why when it cannot.
fn execute(job: &Job, ground: Option<&Ground>, ready: Option<&io::PipeWriter>) -> Error {
    let program = job.command.first().cloned().unwrap_or_default();
    let refuse = |error: Errno| Error::Command {
        program: program.to_string_lossy().chars().take(200).collect(),
        reason: error.desc().to_lowercase(),
        missing: error == Errno::ENOENT,
    };
    let text = |bytes: Vec<u8>| CString::new(bytes).map_err(|_| Errno::EINVAL);
    let arguments: Result<Vec<_>, _> = job.command.iter().map(|argument| text(argument.clone().into_vec())).collect();
    let variables: Result<Vec<_>, _> =
        environment(job, ground).into_iter().map(|line| text(line.into_bytes())).collect();
    let (arguments, variables) = match (arguments, variables) {
        (Ok(arguments), Ok(variables)) => (arguments, variables),
        (Err(error), _) | (_, Err(error)) => return refuse(error),
    };
    // The other end goes with this process's copy of it, and what is written stays.
    if ready.is_none_or(|mut ready| ready.write_all(b"x").is_err()) {
        return Error::launcher("the first process inside is gone");
    }
    let mut reason = Errno::ENOENT;
    for candidate in candidates(Path::new(&program)) {
        let Ok(path) = text(candidate.as_os_str().as_bytes().to_vec()) else { continue };
        let Err(error) = nix::unistd::execve(&path, &arguments, &variables);
        if !matches!(error, Errno::ENOENT | Errno::ENOTDIR) {
            reason = error;
        }
    }
    refuse(reason)
}

fn candidates(program: &Path) -> Vec<PathBuf> {
    if program.as_os_str().is_empty() {
        return Vec::new();
    }
    if program.as_os_str().as_bytes().contains(&b'/') {
        return vec![program.to_owned()];
    }
    PATH.split(':').map(|folder| Path::new(folder).join(program)).collect()
}

/// The variables of the command: four that programs need, the proxy's if there is one, and what was granted.
fn environment(job: &Job, ground: Option<&Ground>) -> Vec<String> {
    let home = ground.map_or_else(|| "/tmp".to_owned(), |ground| ground.temporary.display().to_string());
    let proxy = format!("http://127.0.0.1:{}", super::PROXY_PORT);
    let mut variables: Vec<(&str, &str)> =
        vec![("PATH", PATH), ("HOME", &home), ("TMPDIR", &home), ("LANG", "C.UTF-8"), ("USER", "skill")];
    if !job.permissions.network.is_empty() {
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            variables.push((name, &proxy));
        }
        variables.extend([("NO_PROXY", "localhost,127.0.0.1,::1"), ("no_proxy", "localhost,127.0.0.1,::1")]);
        // Node and its package manager look at the variables above only when told.
        variables.push(("NODE_USE_ENV_PROXY", "1"));
    }
    let granted: Vec<_> = job.permissions.environment.iter().collect();
    variables.retain(|(name, _)| !granted.iter().any(|(own, _)| own == name));
    variables.into_iter().chain(granted).map(|(name, value)| format!("{name}={value}")).collect()
}

/// Waits until a descriptor has something, or the time is over.
pub fn wait_for(descriptors: &[&dyn std::os::fd::AsFd], most: Option<std::time::Duration>) -> io::Result<Vec<bool>> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut polled: Vec<PollFd<'_>> =
        descriptors.iter().map(|descriptor| PollFd::from_borrowed_fd(descriptor.as_fd(), PollFlags::IN)).collect();
    let most = most.map(|most| Timespec {
        tv_sec: i64::try_from(most.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: most.subsec_nanos().into(),
    });
    match poll(&mut polled, most.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(polled.iter().map(|descriptor| !descriptor.revents().is_empty()).collect())
}
