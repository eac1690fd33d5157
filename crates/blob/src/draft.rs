use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use kontor_types::Digest;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::error::{Error, Result, file};

/// Bytes on their way in: a temporary file beside the blobs and the digest of what it holds so far.
///
/// Dropping it removes the file.
pub(crate) struct Draft {
    file: NamedTempFile,
    hash: Sha256,
    size: u64,
    limit: u64,
}

impl Draft {
    pub(crate) fn create(folder: &Path, limit: u64) -> Result<Self> {
        let file = tempfile::Builder::new()
            .prefix("put-")
            .tempfile_in(folder)
            .map_err(file("create a temporary file in", folder))?;
        Ok(Self { file, hash: Sha256::new(), size: 0, limit })
    }

    /// Writes more bytes and takes them into the digest.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_known(bytes)?;
        self.hash.update(bytes);
        Ok(())
    }

    /// Writes bytes whose digest is known already, so that [`Draft::digest`] is not asked for.
    pub(crate) fn write_known(&mut self, bytes: &[u8]) -> Result<()> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > self.limit {
            return Err(Error::TooLarge { limit: self.limit });
        }
        self.file.write_all(bytes).map_err(file("write", self.file.path()))
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::from_bytes(self.hash.clone().finalize().into())
    }

    /// Brings the bytes to the disk.
    pub(crate) fn sync(&self) -> Result<()> {
        fail::fail_point!("blob::written");
        self.file.as_file().sync_all().map_err(file("fsync", self.file.path()))?;
        fail::fail_point!("blob::synced");
        Ok(())
    }

    /// Gives the file its name; call [`Draft::sync`] first.
    pub(crate) fn rename(self, path: &Path) -> Result<()> {
        self.file.persist(path).map_err(|error| Error::File {
            verb: "rename a temporary file to",
            path: path.to_path_buf(),
            source: error.error,
        })?;
        fail::fail_point!("blob::renamed");
        Ok(())
    }

    /// The bytes for reading, when they will not become a file of ours.
    pub(crate) fn reopen(&self) -> Result<File> {
        self.file.reopen().map_err(file("open", self.file.path()))
    }
}

/// Brings the entries of a folder to the disk.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(file("fsync", path))
}

/// Makes a folder unless it is there; says whether it was made.
pub(crate) fn make_folder(path: &Path) -> Result<bool> {
    match fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(file("create", path)(error)),
    }
}
