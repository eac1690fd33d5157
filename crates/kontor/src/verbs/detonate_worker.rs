//! `kontor detonate-worker`: the process in which a hub has run what it takes in. Nobody calls it but `kontor up`.

use std::path::PathBuf;
use std::time::Duration;

use kontor_detonate::{Budget, Detonator};
use nix::sys::resource::{Resource, setrlimit};

use super::{sandbox, scan_worker};
use crate::exit::Exit;

/// The verb's name.
pub const NAME: &str = "detonate-worker";

/// How long all runs of one skill may take: others wait meanwhile.
const WHOLE: Duration = Duration::from_secs(90);

/// How to start such a process of the program that runs now.
pub fn command() -> Option<(PathBuf, Vec<String>)> {
    scan_worker::command().map(|(program, _)| (program, vec![NAME.to_owned()]))
}

/// Runs what the hub sends until it says nothing more.
pub fn run() -> anyhow::Result<Exit> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    let detonator = Detonator::new(sandbox::sandbox())?.within(Budget { whole: WHOLE, ..Budget::default() });
    kontor_registry::detonation_worker(std::io::stdin().lock(), std::io::stdout().lock(), move |content| {
        // One for each skill: it ends with everything that was begun for it.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(detonator.detonate(content)).map_err(|error| error.to_string())
    })?;
    Ok(Exit::Done)
}
