use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::entry::{Entry, EntryKind, Journey};
use super::walk;
use crate::directory::io_error;
use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::limits::ArchiveLimits;
use crate::path::{is_left_out, printable};

/// What was written when an archive was unpacked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files written.
    pub files: u64,
    /// Bytes written.
    pub bytes: u64,
    /// What was left out or changed: links and devices, special permission bits. At most 1,000.
    pub findings: Vec<Finding>,
}

/// Unpacks an archive of any known kind into the folder `target`, which must be new or empty.
///
/// Nothing is ever written outside `target`: a path with `..`, an absolute path or one behind a link refuses the whole
/// archive. Links, devices and pipes are left out and reported, so that a repository with a few links still comes in.
/// Files are written with mode 0644 and folders with 0755, whatever the archive asks for.
/// A zip whose directory does not tell the whole truth about it is refused here as for single skills.
/// On a refusal the folder keeps what was written until then; its owner removes it.
pub fn unpack_tree<R: Read + Seek>(archive: R, target: &Path, limits: &ArchiveLimits) -> Result<Unpacked, Error> {
    fs::create_dir_all(target).map_err(|source| io_error(target, source))?;
    if fs::read_dir(target).map_err(|source| io_error(target, source))?.next().is_some() {
        return Err(Error::TargetNotEmpty { path: target.to_owned() });
    }
    let mut journey = Journey::new(limits);
    let mut unpacked = Unpacked::default();
    walk(archive, limits, &mut |entry: &Entry, reader| {
        journey.enter(entry)?;
        write(target, entry, reader, &mut journey, &mut unpacked)
    })?;
    unpacked.bytes = journey.bytes();
    Ok(unpacked)
}

fn write(
    target: &Path,
    entry: &Entry,
    reader: &mut dyn Read,
    journey: &mut Journey,
    unpacked: &mut Unpacked,
) -> Result<(), Error> {
    if !unpacked.takes(entry) {
        return Ok(());
    }
    let mut file = create(target, &entry.path)?;
    journey.copy(&entry.path, reader, |piece| {
        file.write_all(piece).map_err(|source| io_error(&target.join(&entry.path), source))
    })?;
    unpacked.written(entry);
    Ok(())
}

/// Creates the file at `path`, which must be new, and the folders above it. Since nothing else writes into the target
/// and no link is ever made there, a checked path stays inside.
fn create(target: &Path, path: &str) -> Result<File, Error> {
    let place: PathBuf = target.join(path);
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).map_err(|source| clash(path, parent, source))?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o644);
    }
    options.open(&place).map_err(|source| clash(path, &place, source))
}

fn clash(path: &str, place: &Path, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::AlreadyExists if place.is_dir() => Error::FileAndFolder { path: path.to_owned() },
        io::ErrorKind::AlreadyExists if place.ends_with(path) => Error::Duplicate { path: path.to_owned() },
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => Error::FileAndFolder { path: path.to_owned() },
        _ => io_error(place, source),
    }
}

impl Unpacked {
    /// Whether an entry is a file that is kept; what is left out for another reason than its name is noted.
    pub(super) fn takes(&mut self, entry: &Entry) -> bool {
        if is_left_out(&entry.path) {
            return false;
        }
        if let EntryKind::Other(kind) = entry.kind {
            let message = format!("left out: it is a {kind}");
            self.note("link_left_out", &entry.path, &message, "put a copy of the file in its place");
        }
        entry.kind == EntryKind::File
    }

    /// Counts a file that was kept.
    pub(super) fn written(&mut self, entry: &Entry) {
        self.files += 1;
        if entry.special_bits {
            let message = "it asked for the set-user, set-group or sticky bit, which was dropped";
            self.note("special_bits_dropped", &entry.path, message, "remove the bit");
        }
    }

    fn note(&mut self, code: &'static str, path: &str, message: &str, remedy: &str) {
        if self.findings.len() < 1_000 {
            self.findings.push(Finding::new(code, Severity::Warning, printable(path), message, remedy));
        }
    }
}
