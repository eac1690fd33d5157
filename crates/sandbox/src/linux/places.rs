//! What of this machine is shown inside, and how it is picked up.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD};
use rustix::mount::{OpenTreeFlags, open_tree};

use super::system;
use super::users::Users;
use crate::{Error, Job, SKILL, WORK, Work};

/// Folders with programs and what these need. What is a link on this machine is the same link inside.
const SYSTEM: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"];

/// Folders of `/etc` without which programs fail: none of them holds secrets.
const ETC_FOLDERS: &[&str] = &[
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/fonts",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/ssl/certs",
];

/// Files of `/etc` that are the same for everybody.
const ETC_FILES: &[&str] = &[
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
];

/// Devices that hold nothing and reach nothing.
pub const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Where nothing may be shown, because the sandbox's own things stand there.
const TAKEN: &[&str] =
    &["/", "/bin", "/etc", "/home", "/lib", "/lib32", "/lib64", "/run", "/sbin", "/tmp", "/usr", "/var"];

/// What the kernel shows: never granted, and nothing is put into it.
const KERNEL: &[&str] = &["/proc", "/sys", "/dev"];

/// How many files of granted folders are looked at for sockets.
const LOOKED_THROUGH: usize = 50_000;

/// Why something is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is a part of the system.
    System,
    /// It is a device.
    Device,
    /// It was granted.
    Granted,
}

/// Something of this machine that is shown inside.
#[derive(Debug)]
pub struct Place {
    /// Where it stands inside.
    pub at: PathBuf,
    /// Where it is on this machine.
    pub from: PathBuf,
    /// Whether it is a file.
    pub file: bool,
    /// Whether the command may change it.
    pub write: bool,
    /// Why it is shown.
    pub kind: Kind,
    /// The mount, when it is picked up already.
    pub tree: Option<OwnedFd>,
}

/// Everything that is shown inside.
#[derive(Debug, Default)]
pub struct Places {
    /// Links: name inside, and where they point to.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// What is mounted, outer folders first.
    pub mounts: Vec<Place>,
}

impl Places {
    /// What this job is shown: the system's programs, and what was granted.
    pub fn of(job: &Job) -> Result<Self, Error> {
        let mut places = Self::default();
        for path in SYSTEM.iter().chain(ETC_FOLDERS) {
            places.system(Path::new(path));
        }
        for path in ETC_FILES {
            // It may be a link to somewhere that is not shown; whether it is there is seen when it is picked up.
            places.mounts.push(Place::of(Path::new(path), Path::new(path), true));
        }
        for path in DEVICES {
            places.mounts.push(Place {
                write: true,
                kind: Kind::Device,
                ..Place::of(Path::new(path), Path::new(path), true)
            });
        }
        if let Some(skill) = &job.skill {
            places.granted(skill, Path::new(SKILL), false)?;
        }
        if let Work::Folder(folder) = &job.work {
            places.granted(folder, Path::new(WORK), true)?;
        }
        for shown in &job.permissions.read {
            places.granted(&shown.from, &shown.at, false)?;
        }
        for shown in &job.permissions.write {
            places.granted(&shown.from, &shown.at, true)?;
        }
        places.mounts.sort_by_key(|place| place.at.components().count());
        Ok(places)
    }

    /// Whether a granted folder has a socket, at which a server of this machine may listen, or has too much in it to know.
    pub fn hold_sockets(&self) -> bool {
        let mut left = LOOKED_THROUGH;
        self.mounts.iter().filter(|place| place.kind == Kind::Granted).any(|place| has_socket(&place.from, &mut left))
    }

    fn system(&mut self, path: &Path) {
        let Ok(metadata) = fs::symlink_metadata(path) else { return };
        if metadata.is_symlink() {
            if let Ok(target) = fs::read_link(path) {
                self.links.push((path.to_owned(), target));
            }
        } else if metadata.is_dir() {
            self.mounts.push(Place::of(path, path, false));
        }
    }

    fn granted(&mut self, from: &Path, at: &Path, write: bool) -> Result<(), Error> {
        let refuse = |reason: String| Error::refused(format!("{}: {reason}", from.display()));
        let clean = |part| matches!(part, Component::RootDir | Component::Normal(_));
        if !at.is_absolute() || !at.components().all(clean) {
            return Err(refuse(format!("`{}` is no absolute path without `..`", at.display())));
        }
        let kernel = |path: &Path| KERNEL.iter().any(|kernel| path.starts_with(kernel));
        if kernel(at) || TAKEN.iter().any(|taken| at == Path::new(taken)) {
            return Err(refuse(format!("nothing can be put at `{}` inside; choose another place", at.display())));
        }
        let from_real = fs::canonicalize(from).map_err(|error| refuse(plain(&error)))?;
        let metadata = fs::metadata(&from_real).map_err(|error| refuse(plain(&error)))?;
        if !metadata.is_dir() && !metadata.is_file() {
            return Err(refuse("only files and folders can be granted".into()));
        }
        if from_real == Path::new("/") {
            return Err(refuse("the whole machine cannot be granted; name what the command needs".into()));
        }
        if kernel(&from_real) && !from_real.starts_with("/dev/shm") {
            return Err(refuse("what the kernel shows cannot be granted".into()));
        }
        self.mounts.push(Place { write, kind: Kind::Granted, ..Place::of(&from_real, at, metadata.is_file()) });
        Ok(())
    }
}

impl Place {
    fn of(from: &Path, at: &Path, file: bool) -> Self {
        Self { at: at.to_owned(), from: from.to_owned(), file, write: false, kind: Kind::System, tree: None }
    }

    /// Picks the mount up, if nobody did. A file of the system that this machine does not have is left out.
    pub fn pick_up(&mut self) -> io::Result<()> {
        if self.tree.is_some() {
            return Ok(());
        }
        let optional = self.file && self.kind == Kind::System;
        self.tree = match tree(&self.from) {
            Err(_) if optional => None,
            Err(error) => return Err(about(&self.from, &error)),
            Ok(tree) if optional && !is_file(&tree) => None,
            Ok(tree) => Some(tree),
        };
        Ok(())
    }

    /// Picks up what was granted as root of this machine, and lends what root or others own to the user of inside: there the
    /// owner of the folder is the command's user, and what the command makes belongs to the owner of the folder.
    pub fn lend(&mut self, users: &mut Users) -> io::Result<()> {
        if self.kind != Kind::Granted {
            return Ok(());
        }
        let tree = tree(&self.from).map_err(|error| about(&self.from, &error))?;
        let metadata = fs::metadata(&self.from)?;
        if let Some(lent) = users.lend(metadata.uid(), metadata.gid())?
            && let Err(error) = system::set_attributes(&tree, 0, 0, Some(lent), true)
            && self.write
        {
            let owner = users.outside();
            let reason = format!(
                "its file system cannot lend it to another user ({}); use a folder that user {owner} owns",
                plain(&error)
            );
            return Err(io::Error::other(format!("{}: {reason}", self.from.display())));
        }
        self.tree = Some(tree);
        Ok(())
    }
}

/// Looks through a folder without following links; `left` says how many entries may still be looked at.
fn has_socket(path: &Path, left: &mut usize) -> bool {
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            // What cannot be listed may still be entered by who knows a name in it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return true,
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            let Some(fewer) = left.checked_sub(1) else { return true };
            *left = fewer;
            match entry.file_type() {
                Ok(kind) if kind.is_socket() => return true,
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => {}
            }
        }
    }
    false
}

fn tree(path: &Path) -> io::Result<OwnedFd> {
    let recursive = OpenTreeFlags::from_bits_retain(AtFlags::from_bits_retain(0x8000).bits());
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | recursive;
    Ok(open_tree(CWD, path, flags)?)
}

fn is_file(tree: &OwnedFd) -> bool {
    rustix::fs::fstat(tree).is_ok_and(|what| rustix::fs::FileType::from_raw_mode(what.st_mode).is_file())
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::other(format!("{}: {}", path.display(), plain(error)))
}

/// What the system said, without its number for it.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or_default().to_lowercase()
}
