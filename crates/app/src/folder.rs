//! Folders that only their owner may read.

use std::fs::{Permissions, create_dir_all, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::Error;

/// Makes a folder that only its owner may read; one that exists keeps its rights.
pub(crate) fn make_private(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Folder { path: path.to_owned(), source };
    if path.is_dir() {
        return Ok(());
    }
    create_dir_all(path).and_then(|()| set_permissions(path, Permissions::from_mode(0o700))).map_err(failed)
}
