//! Reading a unit from the disk: a folder, an archive or one file, within bounds and without following links.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use crate::error::Error;
use crate::examine::Examination;
use crate::limits::Limits;

/// Names that never belong to a skill: the records of version control.
const RECORDS: &[&str] = &[".git", ".hg", ".svn", ".jj", ".DS_Store"];

/// Reads every file of the unit into the examination, in the order of their paths.
pub fn read(path: &Path, limits: &Limits, examination: &mut Examination<'_>) -> Result<(), Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        let entries = fs::read_dir(path).map_err(failed)?;
        folder(entries, "", 0, limits, examination);
        return Ok(());
    }
    let name = path.file_name().map_or_else(|| "file".to_owned(), |name| name.to_string_lossy().into_owned());
    match bytes_of(path, limits) {
        Ok(Some(bytes)) => examination.file(&name, bytes),
        Ok(None) => examination.skip(&name, "it is larger than a scan reads"),
        Err(source) => return Err(failed(source)),
    }
    Ok(())
}

fn folder(entries: fs::ReadDir, prefix: &str, depth: usize, limits: &Limits, examination: &mut Examination<'_>) {
    let mut found = Vec::new();
    for entry in entries {
        let Ok(entry) = entry else {
            examination.skip(prefix, "the folder cannot be read to its end");
            break;
        };
        if found.len() > limits.files {
            examination.skip(prefix, "the folder has more entries than a scan looks at");
            break;
        }
        found.push(entry);
    }
    found.sort_by_key(fs::DirEntry::file_name);
    for entry in found {
        let name = entry.file_name();
        let shown = name.to_string_lossy();
        if depth == 0 && RECORDS.contains(&&*shown) {
            continue;
        }
        let path = if prefix.is_empty() { shown.into_owned() } else { format!("{prefix}/{shown}") };
        let Ok(kind) = entry.file_type() else {
            examination.skip(&path, "it cannot be looked at");
            continue;
        };
        if kind.is_symlink() {
            examination.link(&path, &fs::read_link(entry.path()).unwrap_or_default());
        } else if kind.is_dir() {
            if depth + 1 > limits.depth {
                examination.skip(&path, "the folder lies too deep");
            } else if let Ok(inner) = fs::read_dir(entry.path()) {
                folder(inner, &path, depth + 1, limits, examination);
            } else {
                examination.skip(&path, "the folder cannot be read");
            }
        } else if !kind.is_file() {
            examination.skip(&path, "it is a device, a pipe or a socket");
        } else if examination.is_full() {
            examination.skip(&path, "the unit is larger than a scan reads");
        } else {
            match bytes_of(&entry.path(), limits) {
                Ok(Some(bytes)) => examination.file(&path, bytes),
                Ok(None) => examination.skip(&path, "it is larger than a scan reads"),
                Err(_) => examination.skip(&path, "it cannot be read"),
            }
        }
    }
}

fn bytes_of(path: &Path, limits: &Limits) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limits.file_bytes + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limits.file_bytes).then_some(bytes))
}
