//! `kontor scan-worker`: the process in which a hub scans what it takes in. Nobody calls it but `kontor up`.

use std::path::{Path, PathBuf};

use nix::sys::resource::{Resource, setrlimit};

use crate::exit::Exit;

/// The verb's name.
pub const NAME: &str = "scan-worker";

/// Most address space: some ten times what the largest skill needs.
const MOST_MEMORY: u64 = 4 << 30;

/// How to start such a process of the program that runs now, even when its file was replaced since it started.
pub fn command() -> Option<(PathBuf, Vec<String>)> {
    let running = Path::new("/proc/self/exe");
    let program = if running.exists() { running.to_owned() } else { std::env::current_exe().ok()? };
    Some((program, vec![NAME.to_owned()]))
}

/// Scans until the hub says nothing more.
pub fn run() -> anyhow::Result<Exit> {
    confine()?;
    kontor_registry::scan_worker(std::io::stdin().lock(), std::io::stdout().lock())?;
    Ok(Exit::Done)
}

/// Takes from the process what scanning does not need: it writes no file, leaves no image of its memory behind, and is the
/// first to go when the machine has no memory left.
fn confine() -> anyhow::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_FSIZE, 0, 0)?;
    setrlimit(Resource::RLIMIT_AS, MOST_MEMORY, MOST_MEMORY)?;
    // Only Linux has it, and it only helps.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}
