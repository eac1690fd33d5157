//! Files that go into a run and come out of it.

#[cfg_attr(not(target_os = "linux"), path = "outputs/nowhere.rs")]
mod place;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use kontor_package::Content;
use kontor_sandbox::CollectLimits;
use kontor_types::Digest;

use crate::Error;
use crate::error::file;
use crate::redact::{Alarm, Redactor};
use place::Place;

/// The largest file that a caller gives.
const LARGEST: u64 = 256 << 20;
/// How an alarm says that a secret was in a name.
const NAME: &str = "the name of a file";

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
    let mut bytes = Vec::new();
    let opened = File::open(source).map_err(file("open", source))?;
    opened.take(LARGEST + 1).read_to_end(&mut bytes).map_err(file("read", source))?;
    if bytes.len() as u64 > LARGEST {
        return Err(refused("it is larger than 256 MiB"));
    }
    let mut target = File::create_new(work.join(name)).map_err(|_| refused("another file of that name was given"))?;
    target.write_all(&bytes).map_err(file("copy", source))?;
    Ok(Output { path: name.to_owned(), size: bytes.len() as u64, digest: Digest::of(&bytes) })
}

/// Collects what is new or was changed in a work folder, into `out` when there is one. Files that hold secrets, also in their
/// names, are left behind, and so is what would change what is in `out`, or what programs and agents take orders from.
///
/// # Errors
/// [`Error::File`] when the work folder cannot be read.
pub fn gather(
    work: &Path,
    given: &BTreeMap<String, Digest>,
    out: Option<&Path>,
    redactor: &Redactor,
) -> Result<Gathered, Error> {
    let found = kontor_sandbox::collect(work, &CollectLimits::default()).map_err(file("collect", work))?;
    let mut gathered = Gathered::default();
    for (path, why) in found.left_out {
        gathered.leave(redactor, &path, why);
    }
    let mut place = None;
    for one in found.files {
        let Some(path) = one.path.to_str() else {
            gathered.leave(redactor, &one.path, "its name is no UTF-8 text");
            continue;
        };
        let digest = Digest::of(&one.bytes);
        if given.get(path) == Some(&digest) {
            continue;
        }
        if !redactor.find(NAME, path.as_bytes()).is_empty() {
            gathered.leave(redactor, &one.path, "its name holds a secret");
            continue;
        }
        let alarms = redactor.find(path, &one.bytes);
        if !alarms.is_empty() {
            gathered.alarms.extend(alarms);
            gathered.leave(redactor, &one.path, "it holds a secret");
            continue;
        }
        if let Some(out) = out {
            let opened =
                place.get_or_insert_with(|| Place::open(out).map_err(|error| format!("no file can be put: {error}")));
            let put = opened.as_ref().map_err(Clone::clone).and_then(|place| place.put(&one.path, &one.bytes));
            if let Err(why) = put {
                gathered.leave(redactor, &one.path, &why);
                continue;
            }
        }
        gathered.files.push(Output { path: path.to_owned(), size: one.bytes.len() as u64, digest });
    }
    Ok(gathered)
}

impl Gathered {
    /// Names what was left behind; the name is the program's own choice.
    fn leave(&mut self, redactor: &Redactor, path: &Path, why: &str) {
        let (name, alarms) = redactor.text(NAME, &path.to_string_lossy());
        self.alarms.extend(alarms);
        self.left.push((name, why.to_owned()));
    }
}
