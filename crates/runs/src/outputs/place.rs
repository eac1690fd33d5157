//! The folder that files of a run are put into: it is somebody's own, and the names are a stranger's.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;

/// Files that agents take orders from, whoever wrote them.
const ORDERS: &[&str] = &[
    "agent.md",
    "agents.md",
    "agents.override.md",
    "claude.md",
    "claude.local.md",
    "codex.md",
    "copilot-instructions.md",
    "crush.md",
    "gemini.md",
    "llms.txt",
    "qwen.md",
    "warp.md",
];
/// Links are followed nowhere below the folder.
const WITHIN: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// An open folder.
#[derive(Debug)]
pub struct Place(OwnedFd);

impl Place {
    /// Opens a folder, and makes it where it is not there.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS)?))
    }

    /// Puts a file below the folder, in one step and where nothing is yet.
    ///
    /// # Errors
    /// Why it was not put there, in words.
    pub fn put(&self, path: &Path, bytes: &[u8]) -> Result<(), String> {
        if let Some(reason) = refused(path) {
            return Err(reason.to_owned());
        }
        let name = path.file_name().ok_or("it has no name")?;
        let plain = |error: Errno| format!("it cannot be written: {}", io::Error::from(error));
        let mut folder: Option<OwnedFd> = None;
        for part in path.parent().into_iter().flat_map(Path::components) {
            let above = folder.as_ref().unwrap_or(&self.0);
            let below = enter(above, part.as_os_str()).map_err(|error| match error {
                Errno::NOTDIR | Errno::LOOP | Errno::EXIST => "a folder in its path is a file or a link".to_owned(),
                error => plain(error),
            })?;
            folder = Some(below);
        }
        let folder = folder.as_ref().unwrap_or(&self.0);
        let draft = format!(".kontor-{:016x}", rand::random::<u64>());
        let put = write(folder, &draft, bytes).and_then(|()| name_it(folder, &draft, name));
        if put.is_err() {
            // A draft that cannot be removed is only a file too many.
            let _ = rustix::fs::unlinkat(folder, draft.as_str(), AtFlags::empty());
        }
        match put {
            Err(Errno::EXIST) if holds(folder, name, bytes) => Ok(()),
            Err(Errno::EXIST) => Err("something else of that name is there, and nothing is written over".to_owned()),
            put => put.map_err(plain),
        }
    }
}

/// Why nothing is written under such a name, wherever it is.
fn refused(path: &Path) -> Option<&'static str> {
    let is_hidden = |part: std::path::Component<'_>| part.as_os_str().to_string_lossy().starts_with('.');
    if path.components().any(is_hidden) {
        return Some("a part of its name begins with a dot, as settings of programs do");
    }
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    ORDERS.contains(&name.as_str()).then_some("agents take orders from files of that name")
}

/// Opens a folder in a folder, and makes it where it is not there.
fn enter(above: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    match rustix::fs::mkdirat(above, name, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error),
    }
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat2(above, name, flags, Mode::empty(), WITHIN)
}

fn write(folder: &OwnedFd, draft: &str, bytes: &[u8]) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat2(folder, draft, flags, Mode::from_raw_mode(0o644), WITHIN)?;
    let written = File::from(opened).write_all(bytes);
    written.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

fn name_it(folder: &OwnedFd, draft: &str, name: &OsStr) -> Result<(), Errno> {
    match rustix::fs::renameat_with(folder, draft, folder, name, RenameFlags::NOREPLACE) {
        // Not every file system can.
        Err(Errno::INVAL | Errno::NOSYS) => {
            rustix::fs::linkat(folder, draft, folder, name, AtFlags::empty())?;
            rustix::fs::unlinkat(folder, draft, AtFlags::empty())
        }
        named => named,
    }
}

/// Whether a file of this name holds just these bytes.
fn holds(folder: &OwnedFd, name: &OsStr, bytes: &[u8]) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let Ok(opened) = rustix::fs::openat2(folder, name, flags, Mode::empty(), WITHIN) else { return false };
    let file = File::from(opened);
    let size = bytes.len() as u64;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == size) {
        return false;
    }
    let mut there = Vec::new();
    file.take(size.saturating_add(1)).read_to_end(&mut there).is_ok() && there == bytes
}
