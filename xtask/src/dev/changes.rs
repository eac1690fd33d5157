use std::fs;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::shell;

/// Waits until a source file is younger than that.
pub fn wait(since: SystemTime) -> Result<()> {
    while newest()? <= since {
        sleep(Duration::from_secs(1));
    }
    Ok(())
}

/// When the youngest source file was changed.
pub fn newest() -> Result<SystemTime> {
    let files = shell::files()?.into_iter().filter(|path| path.starts_with("crates/") || path.starts_with("skills/"));
    let changed = files.filter_map(|path| fs::metadata(shell::root().join(path)).and_then(|file| file.modified()).ok());
    Ok(changed.max().unwrap_or(SystemTime::UNIX_EPOCH))
}
