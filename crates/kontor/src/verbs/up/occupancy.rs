use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::anyhow;

use crate::exit::Hint;

/// Keeps a second hub out of the data folder as long as the file is open: two would write one search index.
pub fn take(data: &Path) -> anyhow::Result<File> {
    let unusable = |error: std::io::Error| {
        anyhow::Error::from(error)
            .context(format!("the data folder {} cannot be used", data.display()))
            .context(Hint("name another with --data".to_owned()))
    };
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(unusable)?;
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).mode(0o600).open(data.join("hub.lock"));
    let file = file.map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let there = anyhow!("a hub runs in {} already", data.display());
            Err(there.context(Hint("stop it, or name another folder with --data".to_owned())))
        }
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}
