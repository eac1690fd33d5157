//! Keys in files of their own: 32 random bytes as hexadecimal, mode 0600, made on first use, never in the database.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use kontor_types::Digest;

use crate::{Error, folder};

/// The key of this name, made when it is missing.
pub(crate) fn load(keys: &Path, name: &str) -> Result<[u8; 32], Error> {
    folder::make_private(keys)?;
    let path = keys.join(format!("{name}.key"));
    let failed = |source| Error::Key { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let mut key = [0; 32];
            let read = hex::decode_to_slice(text.trim(), &mut key);
            read.map(|()| key).map_err(|error| failed(std::io::Error::other(error)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make(keys, &path).map_err(failed)?;
            // Another process may have been faster: what lies there counts.
            load(keys, name)
        }
        Err(error) => Err(failed(error)),
    }
}

/// What tells this node from others that share its database; it stays the same over restarts.
pub(crate) fn node(keys: &Path) -> Result<String, Error> {
    Ok(Digest::of(&load(keys, "node")?).short(16))
}

/// Writes a fresh key under its name in one step, on the disk before it is used.
fn make(keys: &Path, path: &Path) -> std::io::Result<()> {
    let draft = keys.join(format!(".{}.{}", std::process::id(), hex::encode(rand::random::<[u8; 4]>())));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", hex::encode(rand::random::<[u8; 32]>()))?;
    file.sync_all()?;
    let linked = match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome,
    };
    std::fs::remove_file(&draft)?;
    linked?;
    File::open(keys)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let first = load(&keys, "webhooks").unwrap();
        assert_eq!(load(&keys, "webhooks").unwrap(), first);
        assert_ne!(load(&keys, "others").unwrap(), first);
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&keys), mode(&keys.join("webhooks.key"))), (0o700, 0o600));
        assert_eq!(std::fs::read_dir(&keys).unwrap().count(), 2, "no drafts are left");
    }

    #[test]
    fn a_broken_key_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("webhooks.key"), "not a key").unwrap();
        assert!(matches!(load(folder.path(), "webhooks"), Err(Error::Key { .. })));
        assert_eq!(std::fs::read_to_string(folder.path().join("webhooks.key")).unwrap(), "not a key");
    }
}
