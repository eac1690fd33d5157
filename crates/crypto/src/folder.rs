use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::Error;
use crate::error::file;

/// Ends the name of a file that remembers what was signed last; no backup has such files.
pub const MEMORY_SUFFIX: &str = ".signed";

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const DRAFT: &str = ".draft-";
const LOCK: &str = ".lock";
/// More than any file of such a folder holds.
const LARGEST: u64 = 4 * 1024 * 1024;

/// A folder that only its owner may look into, with files that are replaced as a whole or not at all.
#[derive(Debug, Clone)]
pub struct PrivateFolder {
    path: PathBuf,
}

/// While it lives, no other process changes the folder.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "held until it is dropped")] File);

impl PrivateFolder {
    /// Opens the folder, or makes it with mode 0700.
    ///
    /// # Errors
    /// [`Error::Exposed`] when others than its owner may use it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if !path.is_dir() {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(file("make", parent))?;
            }
            match DirBuilder::new().mode(FOLDER_MODE).create(path) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(file("make", path)(error)),
                _ => {}
            }
        }
        check_mode(path, FOLDER_MODE)?;
        Ok(Self { path: path.to_path_buf() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until no other process changes the folder, and keeps it so.
    pub fn lock(&self) -> Result<FolderLock, Error> {
        let path = self.path.join(LOCK);
        let lock = File::options().create(true).append(true).open(&path).map_err(file("open", &path))?;
        lock.set_permissions(Permissions::from_mode(FILE_MODE)).map_err(file("set the mode of", &path))?;
        lock.lock().map_err(file("lock", &path))?;
        for name in self.names()? {
            // Whoever wrote a draft held this lock, so one that is here now was left by a crash.
            if name.starts_with(DRAFT) {
                self.remove(&name)?;
            }
        }
        Ok(FolderLock(lock))
    }

    /// The names of the files, in order.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        let entries = fs::read_dir(&self.path).map_err(file("list", &self.path))?;
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry.map_err(file("list", &self.path))?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    /// What a file holds; nothing when there is none. The bytes are wiped when they are dropped.
    pub fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        match read_private(&self.path.join(name)) {
            Err(Error::File { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Replaces a file as a whole: its bytes are on the disk before its name, its name before this returns.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path.join(name);
        // Such files have mode 0600 from the start.
        let mut draft = tempfile::Builder::new().prefix(DRAFT).tempfile_in(&self.path).map_err(file("write", &path))?;
        draft.write_all(bytes).map_err(file("write", &path))?;
        draft.as_file().sync_all().map_err(file("fsync", &path))?;
        draft.persist(&path).map_err(|error| file("rename a draft to", &path)(error.error))?;
        self.sync()
    }

    /// Removes a file; one that is not there counts as removed.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(file("remove", &path)(error)),
            _ => self.sync(),
        }
    }

    fn sync(&self) -> Result<(), Error> {
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(file("fsync", &self.path))
    }
}

/// What a file holds that only its owner may use. The bytes are wiped when they are dropped.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let opened = File::open(path).map_err(file("open", path))?;
    check_mode(path, FILE_MODE)?;
    let size = opened.metadata().map_err(file("look at", path))?.len();
    if size > LARGEST {
        return Err(Error::Damaged { path: path.to_path_buf(), reason: format!("it has {size} bytes") });
    }
    // Room from the start, so that no piece of a secret is left behind by a growing buffer.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1));
    opened.take(LARGEST).read_to_end(&mut bytes).map_err(file("read", path))?;
    Ok(bytes)
}

fn check_mode(path: &Path, wanted: u32) -> Result<(), Error> {
    let mode = fs::metadata(path).map_err(file("look at", path))?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(Error::Exposed { path: path.to_path_buf(), mode, wanted });
    }
    Ok(())
}
