//! A real hub: the release binary as a process of its own, over SQLite with fsync, on a folder of the disk.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::load::Call;
use crate::machine;

/// The administrator's token on every hub that is measured.
pub const TOKEN: &str = "kontor_bench_only_for_this_machine_0123456789";

/// How long a hub may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a starting hub is asked.
const ASKED_EVERY: Duration = Duration::from_millis(1);

/// A hub that is up.
pub struct Hub {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From starting the program to `/readyz` answering 200.
    pub ready_after: Duration,
}

impl Hub {
    /// Starts a hub over a folder and waits until it is ready.
    pub fn start(binary: &Path, data: &Path) -> Result<Self> {
        let free = TcpListener::bind("127.0.0.1:0").context("no free port")?;
        let address = free.local_addr()?;
        drop(free);
        let mut command = machine::on_two_cores(binary);
        command.arg("up").arg("--data").arg(data).args(["--listen", &address.to_string(), "--no-starter", "--quiet"]);
        command.env("KONTOR_ADMIN_TOKEN", TOKEN).env("KONTOR_LOG", "warn");
        let started = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("the hub does not start")?;
        let mut hub = Self { child, address, ready_after: Duration::ZERO };
        let ready = Call::get("/readyz");
        while ready.status(address) != Some(200) {
            if let Some(status) = hub.child.try_wait()? {
                bail!("the hub ended with {status} before it was ready");
            }
            if started.elapsed() > PATIENCE {
                bail!("the hub was not ready within {PATIENCE:?}");
            }
            std::thread::sleep(ASKED_EVERY);
        }
        hub.ready_after = started.elapsed();
        Ok(hub)
    }

    /// The hub's address for clients.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory it ever held, in megabytes.
    pub fn peak(&self) -> f64 {
        machine::megabytes(self.child.id(), "VmHWM").unwrap_or(f64::NAN)
    }

    /// The memory that it holds now, in megabytes.
    pub fn resident(&self) -> f64 {
        machine::megabytes(self.child.id(), "VmRSS").unwrap_or(f64::NAN)
    }

    /// The processor seconds that it has used.
    pub fn processor_seconds(&self) -> f64 {
        machine::seconds_of(self.child.id()).unwrap_or(f64::NAN)
    }

    /// A client's command for this hub.
    pub fn client(&self, binary: &Path, arguments: &[&str]) -> Command {
        let mut command = machine::on_two_cores(binary);
        command.args(arguments).args(["--registry", &self.url()]).env("KONTOR_TOKEN", TOKEN).stdin(Stdio::null());
        command
    }

    /// Tells it to stop and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        let process = Pid::from_raw(i32::try_from(self.child.id())?);
        kill(process, Signal::SIGTERM).context("the hub has gone")?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the hub ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // Nothing is left to tell when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
