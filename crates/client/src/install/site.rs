use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kontor_package::{Content, Limits, pack};
use kontor_types::{Digest, Slug};

use super::agents::{Agent, UserFolders};
use crate::error::Error;

/// A place where skills are installed: a project, or a user's own folders.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where its lock file is.
    pub lock: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Project(PathBuf),
    User(UserFolders),
}

/// What is in a folder where a skill should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Missing,
    /// Exactly these bytes.
    Exact(Digest),
    /// Something that cannot be read as a skill's content.
    Unreadable,
}

impl Site {
    /// The project whose folder is `root`.
    pub fn project(root: &Path) -> Result<Self, Error> {
        let root = std::fs::canonicalize(root).map_err(|error| Error::io("find", root, error))?;
        Ok(Self { lock: root.join("kontor.lock"), kind: Kind::Project(root) })
    }

    /// The user's own folders; `lock` is where their lock file is.
    pub const fn user(folders: UserFolders, lock: PathBuf) -> Self {
        Self { lock, kind: Kind::User(folders) }
    }

    /// What kind of place it is.
    pub(super) const fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Project(_) => "project",
            Kind::User(_) => "user",
        }
    }

    /// The folder of an agent that holds skills.
    ///
    /// In a project it never lies outside, even behind a link, since a project may be somebody else's.
    pub fn folder(&self, agent: &Agent) -> Result<PathBuf, Error> {
        match &self.kind {
            Kind::User(folders) => Ok(agent.user_folder(folders)),
            Kind::Project(root) => {
                let folder = root.join(agent.project);
                let inside = folder.ancestors().find_map(|known| std::fs::canonicalize(known).ok());
                if inside.is_some_and(|inside| inside.starts_with(root)) {
                    return Ok(folder);
                }
                Err(Error::refused(
                    format!("{} leads out of the project", folder.display()),
                    "remove the link, or install with --global",
                ))
            }
        }
    }

    /// The folders of a skill for several agents, each once, with the agents that read it.
    pub fn places(
        &self,
        agents: &[&'static Agent],
        slug: &Slug,
    ) -> Result<BTreeMap<PathBuf, Vec<&'static Agent>>, Error> {
        let mut places: BTreeMap<PathBuf, Vec<&'static Agent>> = BTreeMap::new();
        let mut real: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        for agent in agents {
            let folder = self.folder(agent)?;
            let known = std::fs::canonicalize(&folder).unwrap_or_else(|_| folder.clone());
            let folder = real.entry(known).or_insert(folder).clone();
            places.entry(folder.join(slug.as_str())).or_default().push(agent);
        }
        Ok(places)
    }

    /// A path as people read it: relative to the project.
    pub fn show(&self, path: &Path) -> String {
        match &self.kind {
            Kind::Project(root) => path.strip_prefix(root).unwrap_or(path).display().to_string(),
            Kind::User(_) => path.display().to_string(),
        }
    }
}

/// Looks what is in `folder`. Caches and what an ignore file names do not count.
pub fn presence(folder: &Path) -> Presence {
    match std::fs::symlink_metadata(folder) {
        Err(_) => Presence::Missing,
        Ok(metadata) if !metadata.is_dir() => Presence::Unreadable,
        Ok(_) => match Content::from_directory(folder, &Limits::CEILING) {
            Ok(content) if content.is_empty() => Presence::Missing,
            Ok(content) => Presence::Exact(pack(&content).digest),
            Err(_) => Presence::Unreadable,
        },
    }
}
