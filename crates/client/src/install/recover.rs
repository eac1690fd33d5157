//! What an install that was killed has left behind: undone unless the lock file says that it was done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use kontor_types::{Digest, Slug};
use serde::{Deserialize, Serialize};

use super::agents::{AGENTS, Agent};
use super::lock::{DRAFT, Lock};
use super::site::{Presence, Site, presence};
use crate::error::Error;

/// How the names of workshops begin.
const WORKSHOP: &str = ".kontor-";
/// Says in a workshop what it is for.
const INTENT: &str = "intent";
/// What comes, until it is in its place.
pub(super) const NEW: &str = "new";
/// What was there, until the change counts.
pub(super) const OLD: &str = "old";
/// What was there, once the change counts.
pub(super) const DONE: &str = "done";
/// What was put in place by a change that does not count.
const UNDONE: &str = "undone";
/// The most bytes of an intent.
const MOST_BYTES: u64 = 4 << 10;

/// What is to happen to one folder.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Intent {
    /// Whose lock file says whether it happened: a folder may belong to a project and to a user at once.
    site: String,
    /// The folder's name.
    folder: String,
    /// What it shall hold; nothing when it goes.
    comes: Option<Digest>,
}

impl Intent {
    pub fn new(site: &Site, folder: &Path, comes: Option<Digest>) -> Self {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        Self { site: site.kind().to_owned(), folder: name.into_owned(), comes }
    }

    /// Writes it into a workshop; the file is locked for as long as it stays open.
    pub fn write(&self, workshop: &Path) -> Result<File, Error> {
        let path = workshop.join(INTENT);
        let write = || -> io::Result<File> {
            let mut file = File::create_new(&path)?;
            file.lock()?;
            file.write_all(serde_json::to_string(self)?.as_bytes())?;
            Ok(file)
        };
        write().map_err(|error| Error::io("write", &path, error))
    }
}

/// A workshop that nobody works in.
struct Leftover {
    path: PathBuf,
    /// Nothing when it was killed before it said what it wanted, and so before it moved anything.
    intent: Option<Intent>,
}

/// Finishes what was done but for cleaning up, undoes everything else, and removes what is left over.
pub fn recover(site: &Site, lock: &Lock) -> Result<(), Error> {
    let mut folders = BTreeSet::new();
    let mut installed = None;
    for agent in AGENTS {
        let Some(folder) = site.folder(agent).ok().and_then(|folder| std::fs::canonicalize(folder).ok()) else {
            continue;
        };
        if !folders.insert(folder.clone()) {
            continue;
        }
        for path in named(&folder, WORKSHOP).map_err(|error| Error::io("look into", &folder, error))? {
            let failed = |error| Error::io("clean up", &path, error);
            let Some(leftover) = Leftover::open(&path, site).map_err(failed)? else { continue };
            if installed.is_none() {
                installed = Some(what_is_installed(site, lock)?);
            }
            leftover.settle(&folder, installed.as_ref()).map_err(failed)?;
        }
    }
    drafts(&site.lock).map_err(|error| Error::io("clean up beside", &site.lock, error))
}

impl Leftover {
    /// Looks at a folder that is named like a workshop; `None` when it is none of this site, or somebody works in it.
    fn open(path: &Path, site: &Site) -> io::Result<Option<Self>> {
        if !is(path, std::fs::Metadata::is_dir) {
            return Ok(None);
        }
        let place = path.join(INTENT);
        if !is(&place, std::fs::Metadata::is_file) {
            return Ok(Some(Self { path: path.to_owned(), intent: None }));
        }
        let file = File::open(&place)?;
        if is_locked(&file)? {
            return Ok(None);
        }
        let mut text = String::new();
        file.take(MOST_BYTES).read_to_string(&mut text)?;
        let intent: Option<Intent> = serde_json::from_str(&text).ok();
        let ours = |intent: &Intent| intent.site == site.kind() && Slug::parse(&intent.folder).is_ok();
        let foreign = intent.as_ref().is_some_and(|intent| !ours(intent));
        Ok((!foreign).then(|| Self { path: path.to_owned(), intent }))
    }

    fn settle(&self, parent: &Path, installed: Option<&BTreeMap<PathBuf, Digest>>) -> io::Result<()> {
        let (old, new, done) = (self.path.join(OLD), self.path.join(NEW), self.path.join(DONE));
        let Some(intent) = &self.intent else {
            // Nothing was moved yet; what stands there all the same is not ours to remove.
            return if exists(&old) { Ok(()) } else { std::fs::remove_dir_all(&self.path) };
        };
        let folder = parent.join(&intent.folder);
        let counts = installed.and_then(|installed| installed.get(&folder)) == intent.comes.as_ref();
        if exists(&done) || (counts && !exists(&new)) {
            if exists(&old) {
                std::fs::rename(&old, &done)?;
            }
            return std::fs::remove_dir_all(&self.path);
        }
        let put_in_place = intent.comes.filter(|_| !exists(&new));
        if put_in_place.is_some_and(|digest| presence(&folder) == Presence::Exact(digest)) {
            std::fs::rename(&folder, self.path.join(UNDONE))?;
        }
        if exists(&old) {
            if exists(&folder) {
                let kept = old.display();
                tracing::warn!(folder = %folder.display(), %kept, "what was there before an interrupted change is kept");
                return Ok(());
            }
            std::fs::rename(&old, &folder)?;
        }
        std::fs::remove_dir_all(&self.path)
    }
}

/// What the lock file says each folder holds.
fn what_is_installed(site: &Site, lock: &Lock) -> Result<BTreeMap<PathBuf, Digest>, Error> {
    let mut installed = BTreeMap::new();
    for skill in &lock.skills {
        let agents: Vec<&'static Agent> = skill.known_agents().collect();
        let slug = skill.name()?.1;
        for folder in site.places(&agents, slug)?.into_keys() {
            let parent = folder.parent().and_then(|parent| std::fs::canonicalize(parent).ok());
            installed.extend(parent.map(|parent| (parent.join(slug.as_str()), skill.digest)));
        }
    }
    Ok(installed)
}

/// Removes drafts of the lock file that nobody writes.
fn drafts(lock: &Path) -> io::Result<()> {
    let Some(folder) = lock.parent() else { return Ok(()) };
    for path in named(folder, DRAFT)? {
        if is(&path, std::fs::Metadata::is_file) && !is_locked(&File::open(&path)?)? {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// What in a folder has a name that begins so; nothing when there is no such folder.
fn named(folder: &Path, start: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(start) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_locked(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// What the path itself is, not what it may lead to.
fn is(path: &Path, kind: impl FnOnce(&std::fs::Metadata) -> bool) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| kind(&metadata))
}

fn exists(path: &Path) -> bool {
    is(path, |_| true)
}
