//! Moves what a hub has blocked to where no agent looks. Nothing is deleted.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kontor_client::Presence;
use kontor_wire::{CopyItem, Standing};

use super::Looked;
use crate::session::Session;

/// Folders of one name are numbered up to here.
const MOST_NAMESAKES: u32 = 1_000;

/// Folders in folders that are carried to another file system.
const DEEPEST: usize = 100;

/// Whether a hub says that nobody should use a copy.
pub fn is_blocked(told: Option<&CopyItem>) -> bool {
    told.is_some_and(|told| {
        matches!(told.standing, Standing::Held | Standing::Quarantined | Standing::Rejected)
            || told.signer.as_ref().is_some_and(|signer| !signer.valid)
    })
}

/// Moves blocked copies of a place aside; what cannot be moved stays, and is said.
pub fn move_blocked(place: &mut Looked, session: &Session) {
    let folder = quarantine(place);
    let copies = place.copies.iter_mut().filter(|copy| is_blocked(copy.told.as_ref()));
    let locked = copies.flat_map(|copy| copy.folders.iter_mut());
    let present = locked.filter(|found| found.presence != Presence::Missing);
    let copies = present.map(|found| (&found.path, &mut found.moved_to));
    let strays = place.strays.iter_mut().filter(|stray| is_blocked(stray.told.as_ref()));
    let strays = strays.map(|stray| (&stray.stray.folder, &mut stray.moved_to));
    for (from, moved_to) in copies.chain(strays) {
        match set_aside(from, &folder) {
            Ok(to) => *moved_to = Some(to),
            Err(error) => session.terminal.warn(&format!("{} could not be moved aside: {error}", from.display())),
        }
    }
}

/// Where blocked copies of a place go: beside its lock file.
fn quarantine(place: &Looked) -> PathBuf {
    let base = place.site.lock.parent().unwrap_or_else(|| Path::new("."));
    if place.name == "project" { base.join(".kontor").join("quarantine") } else { base.join("quarantine") }
}

fn set_aside(from: &Path, folder: &Path) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let name = from.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    for number in 1..MOST_NAMESAKES {
        let to = folder.join(if number == 1 { name.clone() } else { format!("{name}-{number}") });
        if std::fs::symlink_metadata(&to).is_ok() {
            continue;
        }
        match std::fs::rename(from, &to) {
            Err(error) if error.kind() == ErrorKind::CrossesDevices => carry(from, &to)?,
            moved => moved?,
        }
        return Ok(to);
    }
    Err(std::io::Error::other(format!("there are too many of its name in {}", folder.display())))
}

/// Moves a folder to another file system: what is there is taken away only when all of it has arrived.
fn carry(from: &Path, to: &Path) -> std::io::Result<()> {
    if let Err(error) = copy(from, to, 0) {
        // Half a copy is of no use to anybody, and the whole one is still where it was.
        let _ = std::fs::remove_dir_all(to);
        return Err(error);
    }
    if from.is_dir() && !from.is_symlink() { std::fs::remove_dir_all(from) } else { std::fs::remove_file(from) }
}

fn copy(from: &Path, to: &Path, depth: usize) -> std::io::Result<()> {
    let kind = std::fs::symlink_metadata(from)?.file_type();
    if depth > DEEPEST {
        return Err(std::io::Error::other(format!("{} is nested too deeply", from.display())));
    }
    if kind.is_dir() {
        std::fs::create_dir(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()), depth + 1)?;
        }
        std::fs::set_permissions(to, std::fs::symlink_metadata(from)?.permissions())
    } else if kind.is_symlink() {
        // Where it leads is not part of the copy.
        std::os::unix::fs::symlink(std::fs::read_link(from)?, to)
    } else if kind.is_file() {
        std::fs::copy(from, to).map(drop)
    } else {
        Err(std::io::Error::other(format!("{} is neither file nor folder", from.display())))
    }
}
