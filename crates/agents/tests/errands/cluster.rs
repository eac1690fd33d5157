//! A Postgres of its own that can be made to fall over.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Every commit that is answered is on the disk.
const SETTINGS: &str =
    "listen_addresses = ''\nmax_connections = 200\nshared_buffers = 64MB\nlog_min_messages = error\n";

pub struct Cluster {
    server: Child,
    folder: TempDir,
    programs: PathBuf,
    user: Option<(u32, u32)>,
}

/// Where `initdb` and `postgres` are, the newest version that there is.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = versions.map(|path| path.join("bin")).collect();
    found.sort();
    let listed = std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let whole = |folder: &PathBuf| folder.join("initdb").exists() && folder.join("postgres").exists();
    found.into_iter().rev().chain(listed).find(whole)
}

/// Postgres refuses to be root; somebody else is it then.
fn user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let known = fs::read_to_string("/etc/passwd").unwrap();
    let entry = |name: &str| {
        let line = known.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    entry("postgres").or_else(|| entry("nobody"))
}

impl Cluster {
    /// `None`, said loudly, without a Postgres on this machine.
    #[expect(clippy::print_stderr, reason = "what a test leaves out must be seen")]
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("SKIPPED: there is no Postgres here (initdb, postgres)");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("kontor-restart-").tempdir_in("/tmp").unwrap();
        let user = user();
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let command = |name: &str| command(&programs, &folder, user, name);
        let made = command("initdb")
            .args(["--username=kontor", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
            .stdout(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let settings = format!("{SETTINGS}unix_socket_directories = '{}'\n", folder.path().display());
        fs::write(folder.path().join("data/postgresql.auto.conf"), settings).unwrap();
        let server = command("postgres").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut cluster = Self { server, folder, programs, user };
        cluster.wait();
        Some(cluster)
    }

    /// The address of its first database.
    pub fn url(&self) -> String {
        format!("postgres:///postgres?host={}&user=kontor", self.folder.path().display())
    }

    /// Ends it as a crash would, every connection at once and nothing put in order, and starts it again.
    pub fn crash(&mut self) {
        self.quit();
        self.server = command(&self.programs, &self.folder, self.user, "postgres")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.wait();
    }

    fn quit(&mut self) {
        let sent = Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.server.wait().unwrap();
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_mins(1);
        let file = self.folder.path().join("data/postmaster.pid");
        let own = self.server.id().to_string();
        let ready =
            |text: String| text.lines().next() == Some(own.as_str()) && text.lines().any(|line| line.trim() == "ready");
        while !fs::read_to_string(&file).is_ok_and(ready) {
            assert!(self.server.try_wait().unwrap().is_none() && Instant::now() < deadline, "postgres does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.quit();
    }
}

fn command(programs: &std::path::Path, folder: &TempDir, user: Option<(u32, u32)>, name: &str) -> Command {
    let mut command = Command::new(programs.join(name));
    command.current_dir(folder.path()).env("LC_ALL", "C.UTF-8").arg("-D").arg(folder.path().join("data"));
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid).env("HOME", folder.path());
    }
    command
}
