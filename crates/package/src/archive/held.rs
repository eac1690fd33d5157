use std::collections::BTreeMap;
use std::io::{Read, Seek};

use super::entry::{Entry, Journey};
use super::tree::Unpacked;
use super::walk;
use crate::content::{Content, ContentBuilder, refuse_files_as_folders};
use crate::discover::{Discovery, DiscoveryLimits, discover_paths};
use crate::error::Error;
use crate::ignore_rules::{IGNORE_FILES, IgnoreRules};
use crate::limits::{ArchiveLimits, Limits};
use crate::path::is_left_out;

/// The files of a whole archive in memory, sorted by the bytes of their path.
///
/// The same as a folder that [`crate::unpack_tree`] wrote, for archives so small that no folder is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeldTree {
    files: BTreeMap<String, Vec<u8>>,
    /// The folder, with its `/`, that counts as the root.
    root: String,
}

/// What a file takes besides its bytes and its path, roughly.
const A_FILE: usize = 128;

/// The memory that a tree may take.
struct Room {
    left: u64,
    most: u64,
    is_passed: bool,
}

impl Room {
    fn take(&mut self, bytes: usize) -> Result<(), Error> {
        let left = self.left.checked_sub(bytes as u64);
        self.is_passed = left.is_none();
        self.left = left.ok_or(Error::TooLarge { limit: self.most })?;
        Ok(())
    }
}

/// Unpacks an archive of any known kind into memory, as long as that takes at most `most` bytes; `None` when it takes
/// more, or files lie deeper than folders are looked into.
///
/// What is refused and what is left out is the same as for [`crate::unpack_tree`].
pub fn unpack_held<R: Read + Seek>(
    archive: R,
    limits: &ArchiveLimits,
    most: u64,
) -> Result<Option<(HeldTree, Unpacked)>, Error> {
    let mut journey = Journey::new(limits);
    let mut unpacked = Unpacked::default();
    let mut files = BTreeMap::new();
    let mut room = Room { left: most, most, is_passed: false };
    let walked = walk(archive, limits, &mut |entry: &Entry, reader| {
        journey.enter(entry)?;
        if !unpacked.takes(entry) {
            return Ok(());
        }
        room.take(entry.path.len() + A_FILE)?;
        let mut file = Vec::new();
        journey.copy(&entry.path, reader, |piece| {
            room.take(piece.len())?;
            file.extend_from_slice(piece);
            Ok(())
        })?;
        if files.insert(entry.path.clone(), file).is_some() {
            return Err(Error::Duplicate { path: entry.path.clone() });
        }
        unpacked.written(entry);
        Ok(())
    });
    let depth = DiscoveryLimits::default().depth;
    if room.is_passed || files.keys().any(|path| path.matches('/').count() > depth) {
        return Ok(None);
    }
    walked?;
    refuse_files_as_folders(&files)?;
    unpacked.bytes = journey.bytes();
    Ok(Some((HeldTree { files, root: String::new() }, unpacked)))
}

impl HeldTree {
    /// The same without the one folder that wraps everything, if there is one.
    #[must_use]
    pub fn unwrapped(mut self) -> Self {
        let folder = |path: &String| path.get(self.root.len()..)?.split_once('/').map(|(folder, _)| folder.to_owned());
        let Some(first) = self.files.keys().next().and_then(folder) else { return self };
        if self.files.keys().all(|path| folder(path).as_ref() == Some(&first)) {
            self.root = format!("{}{first}/", self.root);
        }
        self
    }

    /// Every skill in it.
    pub fn discover(&self) -> Discovery {
        discover_paths(self.files.keys().filter_map(|path| path.get(self.root.len()..)))
    }

    /// Bytes of all files in a folder, whether or not they belong to its skill.
    pub fn size(&self, folder: &str) -> u64 {
        self.inside(folder).map(|(_, bytes)| bytes.len() as u64).fold(0, u64::saturating_add)
    }

    /// The content of a folder as a skill of its own, as [`Content::from_directory`] reads it.
    pub fn content(&self, folder: &str, limits: &Limits) -> Result<Content, Error> {
        let ignoring = self.inside(folder).filter(|(path, _)| IGNORE_FILES.contains(path));
        let rules = IgnoreRules::read(ignoring)?;
        let mut builder = ContentBuilder::new(limits);
        for (path, bytes) in self.inside(folder).filter(|(path, _)| !rules.leaves_out(path)) {
            if is_left_out(path) {
                continue;
            }
            if bytes.len() as u64 > builder.room() {
                return Err(builder.too_large(path));
            }
            builder.add(path.to_owned(), bytes.to_vec())?;
        }
        builder.finish()
    }

    /// The files in a folder, by their paths in it.
    fn inside(&self, folder: &str) -> impl Iterator<Item = (&str, &[u8])> {
        let start = if folder.is_empty() { self.root.clone() } else { format!("{}{folder}/", self.root) };
        let length = start.len();
        let files = self.files.range(start.clone()..).take_while(move |(path, _)| path.starts_with(&start));
        files.filter_map(move |(path, bytes)| Some((path.get(length..)?, bytes.as_slice())))
    }
}
