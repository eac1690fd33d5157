//! What a look at the disk shows beyond the lock file: which files were changed, and skills that no lock file names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use kontor_package::{Content, Limits, pack};
use kontor_types::Digest;
use serde::Serialize;

use super::agents::{AGENTS, Agent};
use super::lock::Lock;
use super::site::Site;
use crate::error::Error;

/// Most folders of skills that are looked into below one folder of an agent.
const MOST_FOLDERS: usize = 2_000;
/// The note that ClawHub clients leave in a skill's folder; its files are not the author's.
const CLAWHUB_NOTE: &str = "_meta.json";
/// Where ClawHub clients keep what they know of a copy.
const CLAWHUB_FOLDER: &str = ".clawhub";

/// How a folder differs from the version that should be in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileChanges {
    /// Files with other bytes.
    pub changed: Vec<String>,
    /// Files that the version does not have.
    pub added: Vec<String>,
    /// Files of the version that are not there.
    pub missing: Vec<String>,
}

/// A skill in an agent's folder that no lock file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Its folder.
    pub folder: PathBuf,
    /// The digest of its canonical content, as its author published it.
    pub digest: Digest,
}

impl FileChanges {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.added.is_empty() && self.missing.is_empty()
    }
}

/// How `folder` differs from a version whose files have these digests.
pub fn differences(folder: &Path, expected: &BTreeMap<String, Digest>) -> Result<FileChanges, Error> {
    let what = || folder.display().to_string();
    let content =
        Content::from_directory(folder, &Limits::CEILING).map_err(|source| Error::Package { what: what(), source })?;
    let found: BTreeMap<&str, Digest> = content.files().map(|(path, bytes)| (path, Digest::of(bytes))).collect();
    let mut changes = FileChanges::default();
    for (path, digest) in &found {
        match expected.get(*path) {
            None => changes.added.push((*path).to_owned()),
            Some(wanted) if wanted != digest => changes.changed.push((*path).to_owned()),
            Some(_) => {}
        }
    }
    changes.missing = expected.keys().filter(|path| !found.contains_key(path.as_str())).cloned().collect();
    Ok(changes)
}

/// The skills in agents' folders of a site that its lock file does not name; what cannot be read is passed over.
pub fn strays(site: &Site, lock: &Lock) -> Result<Vec<Stray>, Error> {
    let mut known = BTreeSet::new();
    for skill in &lock.skills {
        let agents: Vec<&'static Agent> = skill.known_agents().collect();
        known.extend(site.places(&agents, skill.name()?.1)?.into_keys().filter_map(real));
    }
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for agent in AGENTS {
        let Some(folder) = site.folder(agent).ok().and_then(real) else { continue };
        if !seen.insert(folder.clone()) {
            continue;
        }
        for folder in skills_in(&folder) {
            let Some(real) = real(folder.clone()) else { continue };
            if known.contains(&real) || !seen.insert(real) {
                continue;
            }
            if let Some(digest) = published_digest(&folder) {
                found.push(Stray { folder, digest });
            }
        }
    }
    found.sort_by(|left, right| left.folder.cmp(&right.folder));
    Ok(found)
}

fn real(folder: PathBuf) -> Option<PathBuf> {
    std::fs::canonicalize(folder).ok()
}

/// The folders with a skill in them, also below a folder of an owner: `@owner/skill`.
fn skills_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in entries(folder) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        if is_skill(&path) {
            found.push(path);
        } else if name.starts_with('@') {
            found.extend(entries(&path).into_iter().filter(|path| is_skill(path)));
        }
    }
    found.truncate(MOST_FOLDERS);
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.take(MOST_FOLDERS).flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn is_skill(folder: &Path) -> bool {
    ["SKILL.md", "skill.md"].iter().any(|name| folder.join(name).is_file())
}

/// The digest of what the author published: without the note that a ClawHub client put beside it.
fn published_digest(folder: &Path) -> Option<Digest> {
    let content = Content::from_directory(folder, &Limits::CEILING).ok()?;
    if !folder.join(CLAWHUB_FOLDER).is_dir() || content.get(CLAWHUB_NOTE).is_none() {
        return Some(pack(&content).digest);
    }
    let files = content.files().filter(|(path, _)| *path != CLAWHUB_NOTE);
    let files = files.map(|(path, bytes)| (path.to_owned(), bytes.to_vec()));
    Some(pack(&Content::from_files(files, &Limits::CEILING).ok()?).digest)
}
