//! Each probe outside, inside as root, inside as an ordinary user, and in bubblewrap's common profile.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::Path;

use kontor_sandbox::{Shown, Tier, Work};
use rustix::io::{FdFlags, fcntl_setfd};
use tempfile::TempDir;

use crate::probes::{FILES, KERNEL, NETWORK, Probe, program};
use crate::support::{
    As, bubblewrap, everybody, is_root, outside, probing, run, run_with, skipped, text, verdict, without_namespaces,
};

/// What no file of the machine has by chance.
const CANARY: &str = "kontor-canary-5f1c9a";

/// Probes that some machines do not let anybody do: there they say nothing.
const OF_SOME_MACHINES: &[&str] = &[
    "B1 every home folder",
    "B3 a socket in the home folder",
    "B9 the kernel's memory",
    "B9 the machine's memory",
    "B9 keys",
    "B9 magic keys",
    "B9 block devices",
    "B9 the machine's groups",
    "C1 this machine's address",
    "C2 a server of this machine, by IPv6",
    "C4 a name server",
    "C7 virtual machine sockets",
    "C7 echo sockets",
    "E1 the first process's memory",
    "E5 ports of the machine",
    "E5 rings of calls",
    "E5 memory that nobody sees",
    "E5 quotas",
    "E5 another kernel",
    "E5 modules",
    "E5 accounting",
    "E6 a call of the 32-bit convention",
    "E6 a call of the x32 convention",
    "E1 what is left of a crash",
    "E1 advice on another process's memory",
    "E7 how devices are announced",
    "E7 how modules are loaded",
    "E7 what is run when a group ends",
    "E7 making a device",
];

/// What the probes look for, on this machine.
struct Planted {
    home: TempDir,
    skill: TempDir,
    granted: TempDir,
    scratch: TempDir,
    values: Vec<(&'static str, String)>,
    _held: Vec<Box<dyn std::any::Any>>,
}

/// A process of this machine with a secret in its environment.
struct Neighbour(std::process::Child);

impl Neighbour {
    fn new() -> Self {
        let mut command = std::process::Command::new("sleep");
        Self(command.arg("600").env("KONTOR_CANARY", CANARY).spawn().unwrap())
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn folder(mode: u32) -> TempDir {
    tempfile::Builder::new().permissions(fs::Permissions::from_mode(mode)).tempdir().unwrap()
}

impl Planted {
    fn new() -> Self {
        let (home, skill, granted, scratch) = (folder(0o755), folder(0o777), folder(0o755), folder(0o777));
        let at = |name: &str| home.path().join(name);
        for inner in [".ssh", ".git/hooks"] {
            fs::create_dir_all(at(inner)).unwrap();
        }
        for name in [".ssh/id_ed25519", ".bashrc", "CLAUDE.md"] {
            fs::write(at(name), CANARY).unwrap();
        }
        fs::write(skill.path().join("SKILL.md"), "---\nname: probe\n---\n").unwrap();
        let mut held: Vec<Box<dyn std::any::Any>> = Vec::new();
        for place in [at("agent.sock"), granted.path().join("agent.sock")] {
            held.push(Box::new(UnixListener::bind(&place).unwrap()));
            fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let datagrams = granted.path().join("datagram.sock");
        held.push(Box::new(UnixDatagram::bind(&datagrams).unwrap()));
        fs::set_permissions(&datagrams, fs::Permissions::from_mode(0o777)).unwrap();
        if is_root() {
            let program = granted.path().join("id");
            fs::copy("/usr/bin/id", &program).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
        }
        let neighbour = Neighbour::new();
        let number = neighbour.0.id().to_string();
        held.push(Box::new(neighbour));
        let abstract_name = format!("kontor-probe-{}", std::process::id());
        held.push(Box::new(UnixListener::bind_addr(&SocketAddr::from_abstract_name(&abstract_name).unwrap()).unwrap()));
        let mut values = vec![("CANARY", CANARY.to_owned()), ("ABSTRACT", abstract_name), ("NAME", host_name())];
        values.push(("NEIGHBOUR", number));
        values.extend(servers(&mut held));
        values.push(("HOME", home.path().to_str().unwrap().to_owned()));
        Self { home, skill, granted, scratch, values, _held: held }
    }

    fn program(&self, probe: &Probe, inside: bool) -> String {
        let place = |folder: &TempDir, at: &str| {
            if inside { at.to_owned() } else { folder.path().to_str().unwrap().to_owned() }
        };
        let mut values = self.values.clone();
        values.push(("SKILL", place(&self.skill, "/skill")));
        values.push(("GRANTED", place(&self.granted, "/granted")));
        values.push(("SCRATCH", place(&self.scratch, "/work")));
        program(probe.body, &values)
    }

    /// In the tier that needs no namespaces, where none can be made.
    fn on_ground(&self, who: As, probe: &Probe) -> String {
        let mut job = probing(&self.program(probe, false));
        job.tier = Tier::Landlock;
        job.skill = Some(self.skill.path().to_owned());
        job.work = Work::Folder(self.scratch.path().to_owned());
        job.permissions.read.push(Shown::in_place(self.granted.path()));
        match run_with(&without_namespaces(who), &job) {
            Ok(finished) => verdict(&finished.stdout.bytes, &text(&finished.stderr.bytes)),
            Err(error) => format!("NOT RUN {error}"),
        }
    }

    fn inside(&self, who: As, probe: &Probe) -> String {
        let mut job = probing(&self.program(probe, true));
        job.skill = Some(self.skill.path().to_owned());
        job.permissions.read.push(Shown { from: self.granted.path().to_owned(), at: "/granted".into() });
        match run(who, &job) {
            Ok(finished) => {
                let otherwise = format!("{:?} {}", finished.outcome.ended, text(&finished.stderr.bytes));
                verdict(&finished.stdout.bytes, &otherwise)
            }
            Err(error) => format!("NOT RUN {error}"),
        }
    }
}

fn host_name() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned()
}

/// Servers of this machine, which go on as long as the test.
fn servers(held: &mut Vec<Box<dyn std::any::Any>>) -> Vec<(&'static str, String)> {
    let loopback = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut values = vec![("LOOPBACK", loopback.local_addr().unwrap().port().to_string())];
    held.push(Box::new(loopback));
    let by_six = TcpListener::bind("[::1]:0");
    values.push(("LOOPBACK6", by_six.as_ref().map_or(9, |server| server.local_addr().unwrap().port()).to_string()));
    held.push(Box::new(by_six));
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    values.push(("DATAGRAM", datagrams.local_addr().unwrap().port().to_string()));
    std::thread::spawn(move || {
        let mut bytes = [0; 16];
        while let Ok((_, from)) = datagrams.recv_from(&mut bytes) {
            let _ = datagrams.send_to(b"pong", from);
        }
    });
    // The address by which this machine would leave, if it has one; nothing is sent.
    let route = UdpSocket::bind("0.0.0.0:0").unwrap();
    let address =
        route.connect("192.0.2.1:9").and_then(|()| route.local_addr()).map(|address| address.ip().to_string());
    let address = address.unwrap_or_else(|_| "192.0.2.1".into());
    let server = TcpListener::bind((address.as_str(), 0));
    values.push(("PORT", server.as_ref().map_or(9, |server| server.local_addr().unwrap().port()).to_string()));
    values.push(("ADDRESS", address));
    held.push(Box::new(server));
    values
}

/// Runs the probes, prints one line for each, and gives back what is wrong.
fn matrix(probes: &[Probe]) -> Vec<String> {
    let planted = Planted::new();
    let canary = tempfile::tempfile().unwrap();
    (&canary).write_all(CANARY.as_bytes()).unwrap();
    let environment = [("KONTOR_CANARY", CANARY)];
    let mut wrong = Vec::new();
    let mut say = std::io::stderr();
    for probe in probes {
        let shown_as = if probe.as_user || !is_root() { As::User } else { As::Root };
        // Open for whoever is started, as a careless program would leave it.
        fcntl_setfd(canary.as_fd(), FdFlags::empty()).unwrap();
        let bare = outside(shown_as, &planted.program(probe, false), &environment, planted.scratch.path());
        let inside: Vec<String> = everybody().iter().map(|who| planted.inside(*who, probe)).collect();
        let other = bubblewrap(
            &planted.program(probe, true),
            &[(planted.skill.path(), "/skill"), (planted.granted.path(), "/granted")],
        );
        fcntl_setfd(canary.as_fd(), FdFlags::CLOEXEC).unwrap();
        let other = other.unwrap_or_else(|| "SKIPPED".into());
        let short = |verdict: &str| verdict.split(' ').next().unwrap_or_default().to_owned();
        let columns: Vec<String> = inside.iter().map(|verdict| short(verdict)).collect();
        let _ = writeln!(
            say,
            "{:<52} outside {:<8} inside {:<16} bubblewrap {}",
            probe.name,
            short(&bare),
            columns.join(" "),
            short(&other)
        );
        if !bare.starts_with("LEAKED") && !OF_SOME_MACHINES.contains(&probe.name) {
            wrong.push(format!("{}: shows nothing, it does not work outside either: {bare}", probe.name));
        }
        // A process that the kernel ended in the middle of a probe got nothing out of it, but must say so itself.
        for (who, verdict) in everybody().iter().zip(&inside) {
            if !verdict.starts_with("BLOCKED") {
                wrong.push(format!("{}: {who:?}: {verdict}", probe.name));
            }
        }
    }
    assert_untouched(planted.home.path(), planted.skill.path(), &mut wrong);
    wrong
}

/// What a command can learn where it has no root of its own: names and sizes of the machine's files, and its name. A signal to
/// everybody is said to have worked where it reached nobody.
const SEEN_ON_GROUND: &[&str] = &[
    "E1 a signal to everybody",
    "B9 the kernel's memory",
    "B9 the machine's memory",
    "B9 keys",
    "B9 magic keys",
    "B9 the machine's name",
];

#[test]
#[cfg(target_arch = "x86_64")]
fn the_weaker_tier_holds_where_no_namespaces_can_be_made() {
    let planted = Planted::new();
    let canary = tempfile::tempfile().unwrap();
    (&canary).write_all(CANARY.as_bytes()).unwrap();
    fcntl_setfd(canary.as_fd(), FdFlags::empty()).unwrap();
    let mut wrong = Vec::new();
    for probe in FILES.iter().chain(NETWORK).chain(KERNEL).filter(|probe| !SEEN_ON_GROUND.contains(&probe.name)) {
        for who in everybody() {
            let verdict = planted.on_ground(*who, probe);
            if !verdict.starts_with("BLOCKED") {
                wrong.push(format!("{}: {who:?}: {verdict}", probe.name));
            }
        }
    }
    fcntl_setfd(canary.as_fd(), FdFlags::CLOEXEC).unwrap();
    assert_untouched(planted.home.path(), planted.skill.path(), &mut wrong);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What the probes outside changed is theirs; inside nothing may have been added. The probes outside append one letter.
fn assert_untouched(home: &Path, skill: &Path, wrong: &mut Vec<String>) {
    for place in [home.join(".bashrc"), home.join("CLAUDE.md"), skill.join("SKILL.md")] {
        let text = fs::read_to_string(&place).unwrap();
        if text.matches('x').count() > 1 {
            wrong.push(format!("{}: changed from inside", place.display()));
        }
    }
}

fn check(probes: &[Probe]) {
    if !is_root() {
        skipped("the attacks run as an ordinary user only, because this test is not root's");
    }
    if !Path::new("/usr/bin/bwrap").exists() {
        skipped("bubblewrap is not installed, so its column is empty");
    }
    let wrong = matrix(probes);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_and_secrets_stay_outside() {
    check(FILES);
}

#[test]
fn nothing_is_reached_without_a_grant() {
    check(NETWORK);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_kernel_and_other_processes_stay_out_of_reach() {
    check(KERNEL);
}

#[test]
fn nothing_of_one_run_is_there_in_the_next() {
    let leave = r"
for path in ('@SCRATCH@/left', '/tmp/kontor-left', '/dev/shm/kontor-left'):
    open(path, 'w').write('x')
memory = call(29, 0x4b4f, 4096, 0o1666)[0]
queue = libc.mq_open if hasattr(libc, 'mq_open') else None
return True";
    let look = r"
found = [p for p in ('@SCRATCH@/left', '/tmp/kontor-left', '/dev/shm/kontor-left') if os.path.exists(p)]
if call(29, 0x4b4f, 0, 0)[0] >= 0: found.append('memory')
for path in found:
    if path != 'memory': os.unlink(path)
print(*found)
return bool(found)";
    let planted = Planted::new();
    let probe = |body| Probe { name: "B10", body, as_user: false };
    let outside = |body| outside(As::Root, &planted.program(&probe(body), false), &[], planted.scratch.path());
    outside(leave);
    assert!(outside(look).starts_with("LEAKED"), "the probe does not work outside");
    for who in everybody() {
        planted.inside(*who, &probe(leave));
        assert!(planted.inside(*who, &probe(look)).starts_with("BLOCKED"), "{who:?}");
    }
    let _ = std::process::Command::new("ipcrm").args(["-M", "0x4b4f"]).output();
}
