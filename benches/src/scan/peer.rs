//! The leading scanner in Python, in an environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::machine;

/// What pip calls it.
const PACKAGE: &str = "cisco-ai-skill-scanner==2.3.2";

/// The other scanner's program.
pub struct Peer(PathBuf);

impl Peer {
    /// Installs it once; some 670 MB.
    pub fn install() -> Result<Self> {
        let place = crate::target().join("tools/peer-scanner");
        let program = place.join("bin/skill-scanner");
        if !program.exists() {
            eprintln!("installing {PACKAGE} (some 670 MB, once)");
            succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&place))?;
            let mut pip = Command::new(place.join("bin/pip"));
            succeed(pip.args(["install", "--quiet", "--disable-pip-version-check", PACKAGE]))?;
        }
        Ok(Self(program))
    }

    /// The processor seconds that it needs for all skills below a folder, its start included.
    pub fn all(&self, folder: &Path) -> Result<f64> {
        self.seconds(&["scan-all", "--recursive", "--format", "json"], folder)
    }

    /// The processor seconds that it needs for one skill, its start included.
    pub fn one(&self, folder: &Path) -> Result<f64> {
        self.seconds(&["scan", "--format", "json"], folder)
    }

    fn seconds(&self, arguments: &[&str], folder: &Path) -> Result<f64> {
        let before = machine::seconds_of_ended().context("the system tells no times")?;
        let mut command = Command::new(&self.0);
        command.args(arguments).arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().context("the other scanner does not start")?;
        // Findings are no failure.
        if status.code().is_none_or(|code| code > 2) {
            bail!("the other scanner ended with {status}");
        }
        Ok(machine::seconds_of_ended().context("the system tells no times")? - before)
    }
}

fn succeed(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("{name} is not here"))?;
    if status.success() { Ok(()) } else { bail!("{name} ended with {status}") }
}
