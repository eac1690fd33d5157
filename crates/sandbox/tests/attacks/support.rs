//! Runs a probe outside, inside as root, inside as an ordinary user, and in bubblewrap's common profile.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use kontor_sandbox::{Error, Finished, Job, Sandbox};

/// The ordinary user of these tests.
const USER: &str = "1000";

/// Who starts a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum As {
    Root,
    User,
}

/// Whom this process can start commands as.
pub fn everybody() -> &'static [As] {
    if is_root() { &[As::Root, As::User] } else { &[As::User] }
}

pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The launcher, where every user may start it.
fn launcher() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let folder = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap().keep();
        let place = folder.join("launcher");
        fs::copy(env!("CARGO_BIN_EXE_kontor-sandbox-launcher"), &place).unwrap();
        place
    })
}

pub fn sandbox(who: As, arguments: &[&str]) -> Sandbox {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned());
    if who == As::User && is_root() {
        let drop = ["--reuid", USER, "--regid", USER, "--clear-groups"].map(str::to_owned);
        let launcher = launcher().to_str().unwrap().to_owned();
        return Sandbox::new(find("setpriv"), drop.into_iter().chain([launcher]).chain(arguments).collect());
    }
    Sandbox::new(launcher().to_owned(), arguments.collect())
}

/// The same where no user namespaces can be made, as in most containers.
pub fn without_namespaces(who: As) -> Sandbox {
    let forbid = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\"";
    let mut words: Vec<String> = Vec::new();
    if who == As::User && is_root() {
        words.extend(["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"].map(str::to_owned));
    }
    words.extend(["unshare", "--user", "--map-root-user", "sh", "-c", forbid].map(str::to_owned));
    words.push(launcher().to_str().unwrap().to_owned());
    let program = find(&words.remove(0));
    Sandbox::new(program, words)
}

pub fn run(who: As, job: &Job) -> Result<Finished, Error> {
    run_with(&sandbox(who, &[]), job)
}

pub fn run_with(sandbox: &Sandbox, job: &Job) -> Result<Finished, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { sandbox.spawn(job)?.finish(b"", 1 << 20).await })
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn find(name: &str) -> PathBuf {
    ["/usr/bin", "/bin", "/usr/local/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
        .unwrap_or_default()
}

/// Python in the form in which it starts quickest.
pub fn python(code: &str) -> [String; 4] {
    ["/usr/bin/python3".into(), "-IS".into(), "-c".into(), code.into()]
}

/// A job that runs a probe.
pub fn probing(code: &str) -> Job {
    let mut job = Job::new(python(code));
    job.limits.wall = Duration::from_mins(1);
    job
}

/// Runs a probe without any sandbox.
pub fn outside(who: As, code: &str, environment: &[(&str, &str)], folder: &Path) -> String {
    let mut command = if who == As::User && is_root() {
        let mut command = Command::new(find("setpriv"));
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]).args(python(code));
        command
    } else {
        let [program, arguments @ ..] = python(code);
        let mut command = Command::new(program);
        command.args(arguments);
        command
    };
    command.envs(environment.iter().copied()).current_dir(folder).stdin(Stdio::null());
    let output = command.output().unwrap();
    verdict(&output.stdout, &format!("{} {}", output.status, text(&output.stderr)))
}

/// Bubblewrap as it is commonly used, if it is there.
pub fn bubblewrap(code: &str, shown: &[(&Path, &str)]) -> Option<String> {
    let program = find("bwrap");
    if program.as_os_str().is_empty() {
        return None;
    }
    let mut command = if is_root() {
        let mut command = Command::new(find("setpriv"));
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(["--unshare-all", "--clearenv", "--new-session", "--die-with-parent", "--cap-drop", "ALL"]);
    command.args(["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib"]);
    command.args([
        "--symlink",
        "usr/lib64",
        "/lib64",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--tmpfs",
        "/tmp",
        "--tmpfs",
        "/work",
    ]);
    for (from, at) in shown {
        command.arg("--ro-bind").arg(from).arg(at);
    }
    let output = command.arg("--").args(python(code)).stdin(Stdio::null()).output().unwrap();
    Some(verdict(&output.stdout, &format!("{} {}", output.status, text(&output.stderr))))
}

/// What a probe says: the last line of its output, or why there is none.
pub fn verdict(output: &[u8], otherwise: &str) -> String {
    let output = text(output);
    output.lines().last().map_or_else(|| format!("NOTHING {otherwise}"), str::to_owned)
}

/// Says loudly that something was not tested.
pub fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}
