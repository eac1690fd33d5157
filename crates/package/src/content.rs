use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::ignore_rules::{IGNORE_FILES, IgnoreRules};
use crate::limits::Limits;
use crate::path::{check_path, is_left_out, skill_file_rank};
use crate::{archive, canonical, directory};

/// The files of one skill in memory: checked paths and their bytes, sorted by the bytes of the path.
///
/// What never belongs to a skill (`.git`, caches, what an ignore file names) is already left out, so the same folder
/// gives the same content whichever way it arrives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    files: BTreeMap<String, Vec<u8>>,
    left_out: Vec<LeftOut>,
}

/// A thing that was found in a source and does not belong to the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its path, with characters shown as escapes where they are not printable.
    pub path: String,
    /// Why it was left out.
    pub reason: LeftOutReason,
}

/// Why something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOutReason {
    /// A line of an ignore file names it.
    Ignored,
    /// It is a link; links are never followed.
    Link,
    /// It is a device, pipe or socket.
    Special,
    /// Its name cannot be part of a path.
    Name,
    /// The file itself belongs, but its set-user, set-group or sticky bit does not.
    SpecialBits,
}

impl Content {
    /// Takes files as (path, bytes) in any order.
    ///
    /// Paths are checked, never rewritten. Left-out names and what the ignore files among `files` name are dropped.
    pub fn from_files(files: impl IntoIterator<Item = (String, Vec<u8>)>, limits: &Limits) -> Result<Self, Error> {
        let mut builder = ContentBuilder::new(limits);
        for (path, bytes) in files {
            builder.add(path, bytes)?;
        }
        builder.finish()
    }

    /// Reads a folder. Links are not followed, they are reported in [`Content::left_out`].
    pub fn from_directory(folder: &Path, limits: &Limits) -> Result<Self, Error> {
        directory::read(folder, limits)
    }

    /// Reads one skill from an archive of any known kind (zip, tar, tar.gz, tar.zst).
    ///
    /// An archive that wraps everything in one folder is unwrapped. Anything but regular files and folders is refused.
    pub fn from_archive(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        archive::read_single(bytes, limits)
    }

    /// Reads a package that must be exactly canonical, byte for byte, as [`crate::pack`] writes it.
    pub fn from_canonical(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        canonical::read(bytes, limits)
    }

    /// The files as (path, bytes), sorted by the bytes of the path.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// The bytes of the file at `path`.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Bytes of all files together.
    pub fn size(&self) -> u64 {
        self.files.values().map(|bytes| bytes.len() as u64).fold(0, u64::saturating_add)
    }

    /// What the source held besides the content.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The name of the skill's text at the root: `SKILL.md`, `skill.md` or another case of letters, in this order.
    pub fn skill_file(&self) -> Option<&str> {
        let at_root = self.files.keys().map(String::as_str).filter(|path| crate::path::is_skill_file_name(path));
        at_root.min_by_key(|name| skill_file_rank(name))
    }

    /// The content of the folder `prefix` of this tree as a skill of its own; the empty prefix is the whole.
    pub fn folder(&self, prefix: &str, limits: &Limits) -> Result<Self, Error> {
        if prefix.is_empty() {
            return Self::from_files(self.files.clone(), limits);
        }
        let start = format!("{prefix}/");
        let inside = self.files.range(start.clone()..).take_while(|(path, _)| path.starts_with(&start));
        Self::from_files(inside.map(|(path, bytes)| (path[start.len()..].to_owned(), bytes.clone())), limits)
    }
}

/// Collects files, refusing as soon as a limit is passed.
pub(crate) struct ContentBuilder {
    limits: Limits,
    files: BTreeMap<String, Vec<u8>>,
    size: u64,
    left_out: Vec<LeftOut>,
}

/// Most things that are remembered as left out; the rest is dropped in silence.
const MAX_LEFT_OUT: usize = 100;

impl ContentBuilder {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { limits: limits.within_ceiling(), files: BTreeMap::new(), size: 0, left_out: Vec::new() }
    }

    /// Most bytes that a next file at `path` may have; the reader stops one byte behind it.
    pub(crate) fn room(&self) -> u64 {
        self.limits.file_bytes.min(self.limits.skill_bytes.saturating_sub(self.size))
    }

    /// The refusal for a file at `path` that did not fit into [`Self::room`].
    pub(crate) fn too_large(&self, path: &str) -> Error {
        if self.limits.skill_bytes.saturating_sub(self.size) < self.limits.file_bytes {
            return Error::TooLarge { limit: self.limits.skill_bytes };
        }
        Error::FileTooLarge { path: path.to_owned(), limit: self.limits.file_bytes }
    }

    pub(crate) fn add(&mut self, path: String, bytes: Vec<u8>) -> Result<(), Error> {
        if let Err(rule) = check_path(&path) {
            return Err(Error::Path { path, rule });
        }
        if is_left_out(&path) {
            return Ok(());
        }
        if bytes.len() as u64 > self.room() {
            return Err(self.too_large(&path));
        }
        if self.files.len() >= self.limits.files {
            return Err(Error::TooManyFiles { limit: self.limits.files });
        }
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.files.insert(path.clone(), bytes).is_some() {
            return Err(Error::Duplicate { path });
        }
        Ok(())
    }

    pub(crate) fn leave_out(&mut self, path: &str, reason: LeftOutReason) {
        if self.left_out.len() < MAX_LEFT_OUT {
            self.left_out.push(LeftOut { path: crate::path::printable(path), reason });
        }
    }

    pub(crate) fn finish(mut self) -> Result<Content, Error> {
        let ignore_files = IGNORE_FILES.iter().filter_map(|name| Some((*name, self.files.get(*name)?.as_slice())));
        let rules = IgnoreRules::read(ignore_files)?;
        let dropped: BTreeSet<String> = self.files.keys().filter(|path| rules.leaves_out(path)).cloned().collect();
        for path in &dropped {
            self.files.remove(path);
            self.leave_out(path, LeftOutReason::Ignored);
        }
        refuse_files_as_folders(&self.files)?;
        Ok(Content { files: self.files, left_out: self.left_out })
    }
}

pub(crate) fn refuse_files_as_folders(files: &BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
    for path in files.keys() {
        for (end, _) in path.match_indices('/') {
            if files.contains_key(&path[..end]) {
                return Err(Error::FileAndFolder { path: path[..end].to_owned() });
            }
        }
    }
    Ok(())
}

impl LeftOut {
    /// What a person is told about it; nothing for what an ignore file names, which the author meant.
    pub fn finding(&self) -> Option<Finding> {
        let (code, message, remedy) = match self.reason {
            LeftOutReason::Ignored => return None,
            LeftOutReason::Link => {
                ("link_left_out", "it is a link; links are never followed", "put a copy of the file in its place")
            }
            LeftOutReason::Special => ("special_file_left_out", "it is no regular file", "remove it"),
            LeftOutReason::Name => ("name_left_out", "its name is not UTF-8", "rename it"),
            LeftOutReason::SpecialBits => {
                ("special_bits_dropped", "the set-user, set-group or sticky bit it asked for", "remove the bit")
            }
        };
        Some(Finding::new(code, Severity::Warning, self.path.clone(), format!("left out: {message}"), remedy))
    }
}
