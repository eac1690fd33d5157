//! Files that go into a run and come out of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use kontor_package::Content;
use kontor_types::Digest;
use nix::fcntl::OFlag;

use crate::Error;
use crate::error::file;
use crate::redact::{Alarm, Redactor};

/// How much is collected from a run.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// Files.
    pub files: usize,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all.
    pub bytes: u64,
    /// Folders inside folders.
    pub depth: usize,
}

impl Default for Most {
    fn default() -> Self {
        Self { files: 1_000, file_bytes: 256 << 20, bytes: 1 << 30, depth: 16 }
    }
}

/// One file that a run has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its path in the work folder.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// Their digest.
    pub digest: Digest,
}

/// What was collected.
#[derive(Debug, Default)]
pub struct Collected {
    /// The files, by path.
    pub files: Vec<Output>,
    /// What was left behind, and why.
    pub left: Vec<(String, String)>,
    /// Secrets that were found in files; those are left behind.
    pub alarms: Vec<Alarm>,
}

/// Writes a skill's files into a folder, for its programs to read. Files that begin with `#!` can be started.
pub fn lay_out(content: &Content, folder: &Path) -> Result<(), Error> {
    for (path, bytes) in content.files() {
        let target = folder.join(path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(file("make", parent))?;
        }
        fs::write(&target, bytes).map_err(file("write", &target))?;
        let mode = if bytes.starts_with(b"#!") { 0o755 } else { 0o644 };
        fs::set_permissions(&target, fs::Permissions::from_mode(mode)).map_err(file("set the mode of", &target))?;
    }
    Ok(())
}

/// Copies a file of the caller into the work folder, under its last name.
pub fn bring(source: &Path, work: &Path) -> Result<Output, Error> {
    let name = source.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.'));
    let shown = source.display().to_string();
    let refused = |reason| Error::InputFile { name: shown.clone(), reason };
    let name = name.ok_or_else(|| refused("it has no plain name"))?;
    let target = work.join(name);
    let mut from = File::open(source).map_err(file("open", source))?;
    if !from.metadata().map_err(file("look at", source))?.is_file() {
        return Err(refused("it is no regular file"));
    }
    let mut to = File::create_new(&target).map_err(|_| refused("another file of that name was given"))?;
    std::io::copy(&mut from, &mut to).map_err(file("copy", source))?;
    let bytes = File::open(&target).map_err(file("open", &target))?;
    let (digest, size) = digest_of(bytes, u64::MAX).map_err(file("read", &target))?;
    Ok(Output { path: name.to_owned(), size, digest })
}

/// Collects regular files that are new or were changed, without following a link, into `out` when there is one.
///
/// The run has ended and nothing of it is left, but what it has left is not believed: every folder and file is opened by its
/// descriptor, so a link in the place of a folder leads nowhere.
pub fn collect(
    work: &Path,
    given: &BTreeMap<String, Digest>,
    out: Option<&Path>,
    most: Most,
    redactor: &Redactor,
) -> Result<Collected, Error> {
    let mut collected = Collected::default();
    let root = open(work).map_err(file("open", work))?;
    let mut gatherer = Gatherer { given, out, most, redactor, bytes: 0, collected: &mut collected };
    gatherer.folder(&root, "", most.depth)?;
    collected.files.sort_by(|one, two| one.path.cmp(&two.path));
    Ok(collected)
}

struct Gatherer<'a> {
    given: &'a BTreeMap<String, Digest>,
    out: Option<&'a Path>,
    most: Most,
    redactor: &'a Redactor,
    bytes: u64,
    collected: &'a mut Collected,
}

impl Gatherer<'_> {
    fn folder(&mut self, folder: &File, prefix: &str, depth: usize) -> Result<(), Error> {
        let place = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        let mut names: Vec<_> = fs::read_dir(&place)
            .map_err(file("list", &place))?
            .take(self.most.files.saturating_mul(4))
            .filter_map(|entry| Some(entry.ok()?.file_name()))
            .collect();
        names.sort();
        for name in names {
            let shown = if prefix.is_empty() {
                name.to_string_lossy().into_owned()
            } else {
                format!("{prefix}/{}", name.to_string_lossy())
            };
            let Some(name) = name.to_str() else {
                self.leave(&shown, "its name is no UTF-8");
                continue;
            };
            let Ok(opened) = open(&place.join(name)) else {
                self.leave(&shown, "it is a link or cannot be read");
                continue;
            };
            let Ok(metadata) = opened.metadata() else { continue };
            if metadata.is_dir() {
                if depth == 0 {
                    self.leave(&shown, "it lies too deep");
                } else {
                    self.folder(&opened, &shown, depth - 1)?;
                }
            } else if !metadata.is_file() {
                self.leave(&shown, "it is no regular file");
            } else if metadata.nlink() > 1 {
                self.leave(&shown, "it has more than one name");
            } else {
                self.file(opened, &shown, metadata.len())?;
            }
        }
        Ok(())
    }

    fn leave(&mut self, path: &str, reason: &str) {
        if self.collected.left.len() < 100 {
            self.collected.left.push((path.to_owned(), reason.to_owned()));
        }
    }

    fn file(&mut self, mut opened: File, path: &str, size: u64) -> Result<(), Error> {
        if self.collected.files.len() >= self.most.files {
            self.leave(path, "there are too many files");
            return Ok(());
        }
        if size > self.most.file_bytes || self.bytes.saturating_add(size) > self.most.bytes {
            self.leave(path, "it is too large");
            return Ok(());
        }
        let mut bytes = Vec::new();
        let shown = Path::new(path);
        (&mut opened).take(self.most.file_bytes).read_to_end(&mut bytes).map_err(file("read", shown))?;
        let digest = Digest::of(&bytes);
        if self.given.get(path) == Some(&digest) {
            return Ok(());
        }
        let alarms = self.redactor.find(path, &bytes);
        if !alarms.is_empty() {
            self.collected.alarms.extend(alarms);
            self.leave(path, "it holds a secret");
            return Ok(());
        }
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if let Some(out) = self.out {
            let target = out.join(path);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).map_err(file("make", parent))?;
            }
            // A name that is taken is never written through: it may be a link that the caller has there.
            let mut draft =
                tempfile::NamedTempFile::new_in(target.parent().unwrap_or(out)).map_err(file("write", &target))?;
            draft.write_all(&bytes).map_err(file("write", &target))?;
            draft
                .as_file()
                .set_permissions(fs::Permissions::from_mode(0o644))
                .map_err(file("set the mode of", &target))?;
            draft.persist(&target).map_err(|error| file("write", &target)(error.error))?;
        }
        self.collected.files.push(Output { path: path.to_owned(), size: bytes.len() as u64, digest });
        Ok(())
    }
}

/// Opens what lies there: a link is not followed, a pipe is not waited for.
fn open(path: &Path) -> std::io::Result<File> {
    let carefully = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    File::options().read(true).custom_flags(carefully.bits()).open(path)
}

/// The digest of what can be read, and how much that is.
pub fn digest_of(mut reader: impl std::io::Read, limit: u64) -> std::io::Result<(Digest, u64)> {
    let mut bytes = Vec::new();
    (&mut reader).take(limit).read_to_end(&mut bytes)?;
    Ok((Digest::of(&bytes), bytes.len() as u64))
}
