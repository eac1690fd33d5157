use std::collections::BTreeSet;
use std::io::{self, Read};

use super::bounded::LimitPassed;
use crate::error::Error;
use crate::limits::ArchiveLimits;
use crate::path::{PathRule, check_path, printable};

/// One entry of an archive, its path checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The path, without `./` before and `/` behind it; empty for the archive's root folder.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Whether it asked for the set-user, set-group or sticky bit.
    pub special_bits: bool,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// Anything else, by its name.
    Other(&'static str),
}

impl Entry {
    /// Checks the raw path of an entry.
    pub(super) fn new(raw: &[u8], kind: EntryKind, special_bits: bool) -> Result<Self, Error> {
        let Ok(text) = std::str::from_utf8(raw) else {
            return Err(Error::Path { path: String::from_utf8_lossy(raw).into_owned(), rule: PathRule::NotUtf8 });
        };
        let mut path = text;
        while let Some(rest) = path.strip_prefix("./") {
            path = rest;
        }
        if kind != EntryKind::File {
            path = path.strip_suffix('/').unwrap_or(path);
        }
        if kind == EntryKind::Folder && matches!(path, "" | ".") && !text.starts_with('/') {
            return Ok(Self { path: String::new(), kind, special_bits });
        }
        match check_path(path) {
            Ok(()) => Ok(Self { path: path.to_owned(), kind, special_bits }),
            Err(rule) => Err(Error::Path { path: text.to_owned(), rule }),
        }
    }
}

/// What was met on the way through an archive.
pub(super) struct Journey {
    limits: ArchiveLimits,
    entries: usize,
    bytes: u64,
    links: BTreeSet<String>,
}

impl Journey {
    pub(super) fn new(limits: &ArchiveLimits) -> Self {
        Self { limits: *limits, entries: 0, bytes: 0, links: BTreeSet::new() }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Counts an entry, and refuses one that lies behind a link of the same archive.
    pub(super) fn enter(&mut self, entry: &Entry) -> Result<(), Error> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(Error::TooManyFiles { limit: self.limits.entries });
        }
        let folders = entry.path.match_indices('/').map(|(end, _)| &entry.path[..end]);
        for ancestor in folders.chain([entry.path.as_str()]) {
            if self.links.contains(ancestor) {
                return Err(Error::BehindLink { path: entry.path.clone(), link: ancestor.to_owned() });
            }
        }
        if let EntryKind::Other(_) = entry.kind {
            self.links.insert(entry.path.clone());
        }
        Ok(())
    }

    /// Copies a file in pieces, counting the bytes as they come.
    pub(super) fn copy(
        &mut self,
        path: &str,
        from: &mut dyn Read,
        mut take: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let left = self.limits.total_bytes.saturating_sub(self.bytes);
        let room = self.limits.file_bytes.min(left);
        let mut copied = 0_u64;
        let mut buffer = vec![0; 32 << 10];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(read_error(error)),
            };
            copied = copied.saturating_add(read as u64);
            if copied > room && left < self.limits.file_bytes {
                return Err(Error::TooLarge { limit: self.limits.total_bytes });
            }
            if copied > room {
                return Err(Error::FileTooLarge { path: path.to_owned(), limit: self.limits.file_bytes });
            }
            take(&buffer[..read])?;
        }
        self.bytes = self.bytes.saturating_add(copied);
        Ok(())
    }
}

/// What a failed read of an archive means.
pub(super) fn read_error(source: io::Error) -> Error {
    if source.get_ref().and_then(|inner| inner.downcast_ref::<LimitPassed>()).is_some() {
        return Error::Archive { reason: "it unpacks to more than allowed".to_owned() };
    }
    if source.kind() == io::ErrorKind::UnexpectedEof {
        return Error::Archive { reason: "it ends too early".to_owned() };
    }
    Error::Read { source }
}

/// A refusal that names an entry.
pub(super) fn refused(name: &[u8], reason: &str) -> Error {
    Error::Archive { reason: format!("`{}`: {reason}", printable(&String::from_utf8_lossy(name))) }
}
