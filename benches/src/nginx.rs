//! nginx as Debian ships it, serving a folder: what a download is held against.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::unistd::Uid;
use tempfile::TempDir;

use crate::load::Call;
use crate::machine;

const PATIENCE: Duration = Duration::from_secs(10);

/// A running nginx.
pub struct Nginx {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    _folder: TempDir,
}

impl Nginx {
    /// Serves the files of a folder; `probe` is one of them.
    pub fn serve(program: &Path, files: &Path, probe: &str) -> Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder")?;
        let free = TcpListener::bind("127.0.0.1:0").context("no free port")?;
        let address = free.local_addr()?;
        drop(free);
        let place = folder.path().join("nginx.conf");
        fs::write(&place, configuration(folder.path(), files, address)).context("nginx's configuration")?;
        let mut command = machine::on_two_cores(program);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&place).args(["-e", "stderr"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let mut nginx = Self { child: child.context("nginx does not start")?, address, _folder: folder };
        let started = Instant::now();
        let probe = Call::get(&format!("/{probe}"));
        while probe.status(address) != Some(200) {
            if let Some(status) = nginx.child.try_wait()? {
                bail!("nginx ended with {status}");
            }
            if started.elapsed() > PATIENCE {
                bail!("nginx does not serve the file");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(nginx)
    }

    /// What `nginx -v` says, or nothing when it is not here.
    pub fn version(program: &Path) -> Option<String> {
        let said = Command::new(program).arg("-v").output().ok()?;
        let text = String::from_utf8_lossy(&said.stderr).trim().to_owned();
        Some(text.strip_prefix("nginx version: ").unwrap_or(&text).to_owned())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // QUIT lets the master end its workers; killing the master would leave them behind.
        if let Ok(process) = i32::try_from(self.child.id()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), nix::sys::signal::Signal::SIGTERM);
        }
        let _ = self.child.wait();
    }
}

/// Debian's settings where they matter for speed (`sendfile`, `tcp_nopush`, one worker a processor), without a log of
/// requests, and connections that stay open for as long as the measurement.
fn configuration(folder: &Path, files: &Path, address: SocketAddr) -> String {
    let user = if Uid::effective().is_root() { "user root;" } else { "" };
    let (folder, files) = (folder.display(), files.display());
    format!(
        "daemon off; worker_processes auto; pid {folder}/nginx.pid; {user}
events {{ worker_connections 768; }}
http {{
  access_log off; sendfile on; tcp_nopush on; types_hash_max_size 2048; default_type application/octet-stream;
  keepalive_timeout 65; keepalive_requests 100000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen {address}; root {files}; }}
}}
"
    )
}
