//! Files that a command left in its work folder, taken out so that nothing outside the folder is read.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};

use crate::{CollectLimits, Collected, CollectedFile};

/// How many things that were left out are named.
const NAMED: usize = 1000;

/// Reads the regular files below a folder. No link is followed, at no level, whoever changes the folder meanwhile: each folder and
/// file is opened by its name in the folder before, and only looked at once it is open.
pub fn collect(folder: &Path, limits: &CollectLimits) -> io::Result<Collected> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let root = openat2(CWD, folder, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS)?;
    let mut walk = Walk { limits, collected: Collected::default(), bytes: 0 };
    walk.folder(&root, Path::new(""), 0)?;
    walk.collected.files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(walk.collected)
}

struct Walk<'a> {
    limits: &'a CollectLimits,
    collected: Collected,
    bytes: u64,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &OwnedFd, path: &Path, depth: usize) -> io::Result<()> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        for entry in Dir::read_from(folder)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(name);
            }
            if names.len() > self.limits.files.saturating_mul(2) {
                self.leave_out(path, "the folder has too many files");
                break;
            }
        }
        names.sort();
        for name in names {
            let name = OsStr::from_bytes(&name);
            let below = path.join(name);
            match open(folder, name) {
                Ok(opened) => self.opened(opened, &below, depth)?,
                Err(_) => self.leave_out(&below, "it is no file and no folder, or cannot be read"),
            }
        }
        Ok(())
    }

    fn opened(&mut self, opened: OwnedFd, path: &Path, depth: usize) -> io::Result<()> {
        let stat = fstat(&opened)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory if depth < self.limits.depth => self.folder(&opened, path, depth + 1),
            FileType::Directory => {
                self.leave_out(path, "it lies too deep");
                Ok(())
            }
            FileType::RegularFile if stat.st_nlink > 1 => {
                self.leave_out(path, "it has more than one name");
                Ok(())
            }
            FileType::RegularFile => self.file(opened, path, stat.st_mode & 0o111 != 0),
            _ => {
                self.leave_out(path, "it is no file and no folder");
                Ok(())
            }
        }
    }

    fn file(&mut self, opened: OwnedFd, path: &Path, executable: bool) -> io::Result<()> {
        if self.collected.files.len() >= self.limits.files {
            self.leave_out(path, "there are too many files");
            return Ok(());
        }
        let most = self.limits.file_bytes.min(self.limits.bytes.saturating_sub(self.bytes));
        let mut bytes = Vec::new();
        // What counts is what is read: a file may say any size, and grow.
        std::fs::File::from(opened).take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > most {
            self.leave_out(path, "it is too large");
            return Ok(());
        }
        self.bytes = self.bytes.saturating_add(length);
        self.collected.files.push(CollectedFile { path: path.to_owned(), bytes, executable });
        Ok(())
    }

    fn leave_out(&mut self, path: &Path, why: &'static str) {
        if self.collected.left_out.len() < NAMED {
            self.collected.left_out.push((path.to_owned(), why));
        }
    }
}

/// Opens one name in a folder; never waits, as it would for a pipe without a writer.
fn open(folder: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let within =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    Ok(openat2(folder.as_fd(), name, flags, Mode::empty(), within)?)
}
