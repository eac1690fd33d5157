//! Archives made of parts of canonical ones: the files stay where they lie, only names and directories are made anew.

use crate::canonical::{CENTRAL_HEADER, END_OF_CENTRAL_DIRECTORY, Header, checksum, write_end_at};

/// Bytes of the record that ends an archive, which has no comment.
const END_BYTES: usize = 22;
const CENTRAL_HEADER_BYTES: usize = 46;
const LOCAL_HEADER_BYTES: u64 = 30;

/// How many bytes from the end of a canonical archive [`directory_start`] needs.
pub const ARCHIVE_END: u64 = END_BYTES as u64;

/// Where the directory of a canonical archive begins, read from its last [`ARCHIVE_END`] bytes.
pub fn directory_start(end: &[u8]) -> Option<u64> {
    let record = end.get(end.len().checked_sub(END_BYTES)?..)?;
    let start = record.get(16..20).filter(|_| record.starts_with(&END_OF_CENTRAL_DIRECTORY.to_le_bytes()))?;
    Some(u64::from(u32::from_le_bytes(start.try_into().ok()?)))
}

/// A file as the directory of a canonical archive has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<'a> {
    /// The path.
    pub path: &'a str,
    /// The CRC-32 of its bytes.
    pub checksum: u32,
    /// How many bytes it has.
    pub size: u32,
    /// Where its raw bytes begin in the archive.
    pub position: u64,
}

/// The files that the end of a canonical archive lists; `None` when it is no such end.
pub fn listed(end: &[u8]) -> Option<Vec<Listed<'_>>> {
    let (mut rest, record) = end.split_at_checked(end.len().checked_sub(END_BYTES)?)?;
    if !record.starts_with(&END_OF_CENTRAL_DIRECTORY.to_le_bytes()) {
        return None;
    }
    let mut files = Vec::new();
    while !rest.is_empty() {
        let word = |at: usize| Some(u32::from_le_bytes(rest.get(at..at + 4)?.try_into().ok()?));
        if word(0)? != CENTRAL_HEADER {
            return None;
        }
        let name = u16::from_le_bytes(rest.get(28..30)?.try_into().ok()?);
        let name_end = CENTRAL_HEADER_BYTES.checked_add(usize::from(name))?;
        let path = std::str::from_utf8(rest.get(CENTRAL_HEADER_BYTES..name_end)?).ok()?;
        let position = u64::from(word(42)?) + LOCAL_HEADER_BYTES + u64::from(name);
        files.push(Listed { path, checksum: word(16)?, size: word(24)?, position });
        rest = rest.get(name_end..)?;
    }
    Some(files)
}

/// What to send behind the files of a canonical archive instead of its own end, so that one more file follows them.
///
/// `end` is everything behind the last file, `start` where that begins. Nothing of the files is read or moved, so an
/// archive of any size gains a note for one client at the cost of its directory. `None` when `end` is no such end, the
/// archive has a file of that path, or a number would not fit.
pub fn with_file_behind(end: &[u8], start: u64, path: &str, file: &[u8]) -> Option<Vec<u8>> {
    let files = listed(end)?;
    if files.iter().any(|listed| listed.path == path) {
        return None;
    }
    let directory = end.get(..end.len().checked_sub(END_BYTES)?)?;
    let mut composer = Composer { at: u32::try_from(start).ok()?, directory: directory.to_vec(), files: files.len() };
    let mut out = composer.file(path, checksum(file), u32::try_from(file.len()).ok()?)?;
    out.extend_from_slice(file);
    out.extend(composer.finish());
    Some(out)
}

/// Writes what lies between and behind the files of a new archive, in the form of [`crate::pack`] but in any order.
#[derive(Debug, Clone, Default)]
pub struct Composer {
    at: u32,
    directory: Vec<u8>,
    files: usize,
}

impl Composer {
    /// What goes before the bytes of a file; `None`, and nothing is changed, when the archive would grow too large.
    pub fn file(&mut self, path: &str, checksum: u32, size: u32) -> Option<Vec<u8>> {
        let files = self.files.checked_add(1).filter(|files| u16::try_from(*files).is_ok())?;
        u16::try_from(path.len()).ok()?;
        let header = Header { path, checksum, size, start: self.at };
        let mut out = Vec::new();
        header.write_local(&mut out);
        let at = self.at.checked_add(u32::try_from(out.len()).ok()?)?.checked_add(size)?;
        let directory = self.directory.len() + CENTRAL_HEADER_BYTES + path.len() + END_BYTES;
        at.checked_add(u32::try_from(directory).ok()?)?;
        header.write_central(&mut self.directory);
        (self.at, self.files) = (at, files);
        Some(out)
    }

    /// As [`Composer::file`] for a file in hand, with its bytes.
    pub fn whole(&mut self, path: &str, file: &[u8]) -> Option<Vec<u8>> {
        let mut out = self.file(path, checksum(file), u32::try_from(file.len()).ok()?)?;
        out.extend_from_slice(file);
        Some(out)
    }

    /// How many bytes the archive has so far, without its end.
    pub fn size(&self) -> u64 {
        u64::from(self.at)
    }

    /// How many files the archive has so far.
    pub fn files(&self) -> usize {
        self.files
    }

    /// What goes behind the last file.
    pub fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.directory.len() + END_BYTES);
        write_end_at(&mut out, self.at, &self.directory, self.files);
        out
    }
}
