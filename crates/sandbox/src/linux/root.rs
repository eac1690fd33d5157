//! The root that the command sees: an empty folder in memory, filled with what it is shown, then read-only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree, unmount,
};
use rustix::process::{chdir, fchdir, pivot_root};

use super::places::{Kind, Place, Places};
use super::system;
use super::users::INSIDE;
use crate::{Job, Limits, WORK, Work};

/// Room for the root's own files, beside what the command may use.
const OWN_BYTES: u64 = 2 << 20;
const OWN_FILES: u64 = 512;

/// The mode of a folder that everybody reads.
const COMMON: u32 = 0o755;

/// What is made before the root of this machine is left behind.
#[derive(Debug)]
pub struct Root {
    tree: OwnedFd,
    processes: OwnedFd,
}

impl Root {
    /// An empty root, and the view of processes that will stand in it: of this process namespace only, and nothing but
    /// processes, so that neither keys nor symbols nor the machine's settings are in it.
    pub fn new(limits: &Limits) -> io::Result<Self> {
        let memory = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(memory.as_fd(), "size", limits.disk.saturating_add(OWN_BYTES).to_string())?;
        fsconfig_set_string(memory.as_fd(), "nr_inodes", limits.files.saturating_add(OWN_FILES).to_string())?;
        fsconfig_set_string(memory.as_fd(), "mode", "0755")?;
        fsconfig_create(memory.as_fd())?;
        let plain = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        let tree = fsmount(memory.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, plain)?;
        let processes = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(processes.as_fd(), "subset", "pid")?;
        fsconfig_create(processes.as_fd())?;
        let closed = plain | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        let processes = fsmount(processes.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, closed)?;
        Ok(Self { tree, processes })
    }

    /// Makes it the root, and lets go of the old one.
    pub fn enter(&self) -> io::Result<()> {
        let whole = open_tree(CWD, "/", OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
        system::set_attributes(&whole, 0, libc::MS_PRIVATE, None, true)?;
        put(&self.tree, Path::new("/"))?;
        fchdir(&self.tree)?;
        pivot_root(".", ".")?;
        unmount(".", UnmountFlags::DETACH)?;
        chdir("/")?;
        Ok(())
    }

    /// Fills it.
    pub fn fill(&self, job: &Job, places: &mut Places) -> io::Result<()> {
        for folder in ["/dev", "/etc", "/proc", "/run", "/var", "/home"] {
            folder_at(folder, COMMON)?;
        }
        writable("/tmp", 0o1777)?;
        writable("/dev/shm", 0o1777)?;
        symlink("/tmp", "/var/tmp")?;
        if job.work == Work::Fresh {
            writable(WORK, COMMON)?;
        }
        for (name, target) in &places.links {
            symlink(target, name)?;
        }
        put(&self.processes, Path::new("/proc"))?;
        for (name, target) in [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ] {
            symlink(target, Path::new("/dev").join(name))?;
        }
        for place in &mut places.mounts {
            show(place).map_err(|error| io::Error::other(format!("{}: {error}", place.at.display())))?;
        }
        for (name, text) in own_files() {
            put_file(Path::new(&name), text.as_bytes())?;
        }
        Ok(())
    }

    /// Makes it read-only; what was mounted on it keeps its own mode.
    pub fn seal() -> io::Result<()> {
        let whole = open_tree(CWD, "/", OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
        system::set_attributes(&whole, libc::MOUNT_ATTR_RDONLY, 0, None, false)
    }
}

/// Files of `/etc` that say who and where the command is, and nothing of this machine.
fn own_files() -> Vec<(String, String)> {
    [
        (
            "passwd",
            format!("root:x:0:0:root:/nonexistent:/bin/false\nskill:x:{INSIDE}:{INSIDE}:skill:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"),
        ),
        ("group", format!("root:x:0:\nskill:x:{INSIDE}:\nnogroup:x:65534:\n")),
        ("hosts", "127.0.0.1 localhost kontor\n::1 localhost\n".to_owned()),
        ("hostname", "kontor\n".to_owned()),
        ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n".to_owned()),
        ("resolv.conf", String::new()),
    ]
    .into_iter()
    .map(|(name, text)| (format!("/etc/{name}"), text))
    .collect()
}

/// Makes a file, unless something of this name was granted.
fn put_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match create(path) {
        Ok(mut file) => file.write_all(bytes),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)
}

fn folder_at(path: &str, mode: u32) -> io::Result<()> {
    fs::create_dir(path)?;
    // The mask of new files takes nothing of a common mode away.
    if mode == COMMON { Ok(()) } else { fs::set_permissions(path, fs::Permissions::from_mode(mode)) }
}

/// A folder that stays writable when the root does not: a mount of its own, of the same limited memory.
fn writable(path: &str, mode: u32) -> io::Result<()> {
    folder_at(path, mode)?;
    let tree = open_tree(CWD, path, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
    put(&tree, Path::new(path))
}

/// Shows a part of this machine.
fn show(place: &mut Place) -> io::Result<()> {
    let Some(tree) = place.tree.take() else { return Ok(()) };
    if place.kind != Kind::Device {
        let reading = if place.write { 0 } else { libc::MOUNT_ATTR_RDONLY };
        let plain = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
        system::set_attributes(&tree, reading | plain, libc::MS_PRIVATE, None, true)?;
    }
    let attempt = || if place.file { create(&place.at).map(drop) } else { fs::create_dir(&place.at) };
    let made = match (attempt(), place.at.parent()) {
        (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(parent)?;
            attempt()
        }
        (other, _) => other,
    };
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    put(&tree, &place.at)
}

fn put(tree: &OwnedFd, at: &Path) -> io::Result<()> {
    Ok(move_mount(tree, "", CWD, at, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}
