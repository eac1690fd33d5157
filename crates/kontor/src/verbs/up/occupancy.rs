use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context as _, anyhow};

/// Keeps a second hub out of the data folder as long as the file is open: two would write one search index.
pub fn take(data: &Path) -> anyhow::Result<File> {
    let unusable = || format!("the data folder {} cannot be used; name another with --data", data.display());
    DirBuilder::new().recursive(true).mode(0o700).create(data).with_context(unusable)?;
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).mode(0o600).open(data.join("hub.lock"));
    let file = file.with_context(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(anyhow!("a hub runs in {} already; stop it, or name another folder with --data", data.display()))
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(unusable),
    }
}
