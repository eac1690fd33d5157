//! A client's settings file, read and written without harm.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The largest settings that are read: some clients keep their history in them.
const MOST: u64 = 64 << 20;

/// A settings file as it was found.
#[derive(Debug)]
pub struct Settings {
    /// Where it really is, behind any link.
    pub file: PathBuf,
    /// Its text; empty when it is not there.
    pub text: String,
    /// Whether it is there.
    pub is_there: bool,
    permissions: Option<std::fs::Permissions>,
}

impl Settings {
    /// Reads a file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        // A file that is a link to another stays one.
        let file = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let opened = match std::fs::File::open(&file) {
            Ok(opened) => opened,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { file, text: String::new(), is_there: false, permissions: None });
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
        };
        let permissions = opened.metadata().ok().map(|metadata| metadata.permissions());
        let mut text = String::new();
        let read = opened.take(MOST.saturating_add(1)).read_to_string(&mut text);
        read.with_context(|| format!("cannot read {}", file.display()))?;
        anyhow::ensure!(text.len() as u64 <= MOST, "{} is larger than {MOST} bytes", file.display());
        Ok(Self { file, text, is_there: true, permissions })
    }

    /// Puts another text in its place, at no moment half of it.
    pub fn write(&self, text: &str) -> anyhow::Result<()> {
        let failed = || format!("cannot write {}", self.file.display());
        let folder = self.file.parent().with_context(failed)?;
        std::fs::create_dir_all(folder).with_context(failed)?;
        let mut draft = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
        draft.write_all(text.as_bytes()).with_context(failed)?;
        if let Some(permissions) = &self.permissions {
            draft.as_file().set_permissions(permissions.clone()).with_context(failed)?;
        }
        draft.as_file().sync_all().with_context(failed)?;
        draft.persist(&self.file).with_context(failed)?;
        Ok(())
    }

    /// Removes it.
    pub fn remove(&self) -> anyhow::Result<()> {
        std::fs::remove_file(&self.file).with_context(|| format!("cannot remove {}", self.file.display()))
    }
}
