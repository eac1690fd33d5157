//! Files that go into a run and come out of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use kontor_package::Content;
use kontor_sandbox::CollectLimits;
use kontor_types::Digest;

use crate::Error;
use crate::error::file;
use crate::redact::{Alarm, Redactor};

/// The largest file that a caller gives.
const LARGEST: u64 = 256 << 20;

/// One file that a run was given or has left.
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
pub struct Gathered {
    /// The files, by path.
    pub files: Vec<Output>,
    /// What was left behind, and why.
    pub left: Vec<(String, String)>,
    /// Secrets that were found in files; those are left behind.
    pub alarms: Vec<Alarm>,
}

/// Writes a skill's files into a folder, for its programs to read, those that are shown. Files that begin with `#!` can be
/// started.
pub fn lay_out(content: &Content, folder: &Path, shown: impl Fn(&str) -> bool) -> Result<(), Error> {
    for (path, bytes) in content.files().filter(|(path, _)| shown(path)) {
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
    let metadata = fs::metadata(source).map_err(file("look at", source))?;
    if !metadata.is_file() {
        return Err(refused("it is no regular file"));
    }
    if metadata.len() > LARGEST {
        return Err(refused("it is larger than 256 MiB"));
    }
    let bytes = fs::read(source).map_err(file("read", source))?;
    let mut target = File::create_new(work.join(name)).map_err(|_| refused("another file of that name was given"))?;
    target.write_all(&bytes).map_err(file("copy", source))?;
    Ok(Output { path: name.to_owned(), size: bytes.len() as u64, digest: Digest::of(&bytes) })
}

/// Collects what is new or was changed in a work folder, into `out` when there is one. Files with secrets are left behind.
pub fn gather(
    work: &Path,
    given: &BTreeMap<String, Digest>,
    out: Option<&Path>,
    redactor: &Redactor,
) -> Result<Gathered, Error> {
    let found = kontor_sandbox::collect(work, &CollectLimits::default()).map_err(file("collect", work))?;
    let left = found.left_out.into_iter().map(|(path, why)| (path.display().to_string(), why.to_owned())).collect();
    let mut gathered = Gathered { left, ..Gathered::default() };
    for one in found.files {
        let path = one.path.display().to_string();
        let digest = Digest::of(&one.bytes);
        if given.get(&path) == Some(&digest) {
            continue;
        }
        let alarms = redactor.find(&path, &one.bytes);
        if !alarms.is_empty() {
            gathered.alarms.extend(alarms);
            gathered.left.push((path, "it holds a secret".to_owned()));
            continue;
        }
        if let Some(out) = out {
            put(&out.join(&one.path), &one.bytes)?;
        }
        gathered.files.push(Output { path, size: one.bytes.len() as u64, digest });
    }
    Ok(gathered)
}

/// Writes a file under its name in one step. A name that is taken is never written through: it may be a link.
fn put(target: &Path, bytes: &[u8]) -> Result<(), Error> {
    let parent = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(file("make", parent))?;
    let mut draft = tempfile::NamedTempFile::new_in(parent).map_err(file("write", target))?;
    draft.write_all(bytes).map_err(file("write", target))?;
    draft.as_file().set_permissions(fs::Permissions::from_mode(0o644)).map_err(file("set the mode of", target))?;
    draft.persist(target).map_err(|error| file("write", target)(error.error))?;
    Ok(())
}
