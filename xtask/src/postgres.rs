//! A Postgres of our own for the tests: a cluster in a temporary folder that listens on a socket only.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, chown, geteuid};
use tempfile::TempDir;

use crate::shell;

/// The variable in which the tests find the server.
pub const VARIABLE: &str = "KONTOR_TEST_POSTGRES";

/// Settings for data that nobody will miss.
const SETTINGS: &str = "listen_addresses = ''
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 400
shared_buffers = 64MB
max_wal_size = 256MB
log_min_messages = error
";

/// Settings of a server whose commits are on the disk when they are acknowledged, as people run it.
const DURABLE: &str = "listen_addresses = ''
max_connections = 100
shared_buffers = 256MB
max_wal_size = 4GB
log_min_messages = error
";

const LONGEST_START: Duration = Duration::from_mins(1);

/// What to run beside a server.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<OsString>,
}

/// `postgres COMMAND…`: for one test file or one look with psql.
pub fn run(options: &Options) -> Result<()> {
    let cluster = Cluster::start()?;
    let [program, arguments @ ..] = options.command.as_slice() else { bail!("name a command") };
    shell::run(Command::new(program).args(arguments).env(VARIABLE, cluster.url()))
}

/// A running server; dropping it stops the server and removes its data.
///
/// It is a plain child in our process group, so an interrupt from the terminal ends it with us.
pub struct Cluster {
    server: Child,
    folder: TempDir,
}

impl Cluster {
    /// Makes the cluster and waits until it answers.
    pub fn start() -> Result<Self> {
        Self::with(SETTINGS)
    }

    /// The same with every commit synced to the disk, for measuring.
    pub fn durable() -> Result<Self> {
        Self::with(DURABLE)
    }

    fn with(settings: &str) -> Result<Self> {
        let programs = programs().context("Postgres is not here; `cargo xtask setup` says how to get it")?;
        let folder = tempfile::Builder::new().prefix("kontor-pg-").tempdir_in("/tmp")?;
        // Postgres refuses to be root.
        let user = if geteuid().is_root() { Some(unprivileged()?) } else { None };
        if let Some(user) = &user {
            chown(folder.path(), Some(user.uid), Some(user.gid))?;
        }
        let program = |name: &str| {
            let mut command = shell::command(programs.join(name));
            command.current_dir(folder.path()).env("LC_ALL", "C.UTF-8").arg("-D").arg(folder.path().join("data"));
            if let Some(user) = &user {
                command.uid(user.uid.as_raw()).gid(user.gid.as_raw()).env("HOME", folder.path());
            }
            command
        };
        let mut make = program("initdb");
        make.args(["--username=kontor", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]);
        shell::capture(&mut make)?;
        let settings = format!("{settings}unix_socket_directories = '{}'\n", folder.path().display());
        fs::write(folder.path().join("data/postgresql.auto.conf"), settings)?;
        let log = fs::File::create(folder.path().join("log"))?;
        let server =
            program("postgres").stdout(log.try_clone()?).stderr(log).spawn().context("cannot start postgres")?;
        let mut cluster = Self { server, folder };
        cluster.wait()?;
        Ok(cluster)
    }

    fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + LONGEST_START;
        let pid_file = self.folder.path().join("data/postmaster.pid");
        while !fs::read_to_string(&pid_file).is_ok_and(|text| text.lines().any(|line| line.trim() == "ready")) {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            if let Some(status) = self.server.try_wait()? {
                bail!("postgres ended with {status}: {}", log());
            }
            if Instant::now() > deadline {
                bail!("postgres is not ready after {} s: {}", LONGEST_START.as_secs(), log());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The server's address for tests, which make their own databases in it.
    pub fn url(&self) -> String {
        format!("postgres:///postgres?host={}&user=kontor", self.folder.path().display())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = i32::try_from(self.server.id()).is_ok_and(|id| kill(Pid::from_raw(id), Signal::SIGQUIT).is_ok());
        if let Err(error) = self.server.wait().map(|_| stopped) {
            eprintln!("xtask: postgres does not stop: {error}");
        }
    }
}

/// Where `initdb` and `postgres` are: the newest version that the system has, or the path.
pub fn programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let installed = versions.into_iter().rev().map(|(_, folder)| folder);
    let listed = env::var_os("PATH").into_iter().flat_map(|path| env::split_paths(&path).collect::<Vec<_>>());
    installed.chain(listed).find(|folder| has(folder, "initdb") && has(folder, "postgres"))
}

fn has(folder: &Path, program: &str) -> bool {
    folder.join(program).is_file()
}

fn unprivileged() -> Result<User> {
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name)? {
            return Ok(user);
        }
    }
    bail!("Postgres refuses to run as root, and there is neither a user `postgres` nor `nobody`")
}
