//! The one byte form of a skill: a ZIP archive (PKWARE APPNOTE 6.3.10) with everything variable fixed.
//!
//! Files are stored uncompressed, sorted by the bytes of their path, mode 0644, dated 1980-01-01 00:00, named in UTF-8,
//! without extra fields, data descriptors or comments. So equal files give equal bytes, and one digest.

use flate2::Crc;
use kontor_types::Digest;
use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::error::Error;
use crate::limits::Limits;

const LOCAL_HEADER: u32 = 0x0403_4b50;
pub(crate) const CENTRAL_HEADER: u32 = 0x0201_4b50;
pub(crate) const END_OF_CENTRAL_DIRECTORY: u32 = 0x0605_4b50;
const LOCAL_HEADER_BYTES: usize = 30;
const VERSION_NEEDED: u16 = 20;
/// Made on Unix (3), by a writer of version 2.0.
const VERSION_MADE_BY: u16 = 0x0314;
/// Bit 11: the name is UTF-8.
const FLAGS: u16 = 1 << 11;
const STORED: u16 = 0;
const TIME: u16 = 0;
/// 1980-01-01, the first day the format can write.
const DATE: u16 = (1 << 5) | 1;
/// A regular file of mode 0644, in the upper half as Unix writers have it.
const EXTERNAL_ATTRIBUTES: u32 = 0o100_644 << 16;

/// A skill in canonical form: its bytes, their digest, and where each file lies in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The canonical archive.
    pub bytes: Vec<u8>,
    /// The identity of the content: SHA-256 of `bytes`.
    pub digest: Digest,
    /// One entry a file, sorted by the bytes of the path.
    pub files: Vec<FileEntry>,
}

/// Where one file lies inside a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// The path inside the skill.
    pub path: String,
    /// Where the file's raw bytes start inside the package.
    pub offset: u64,
    /// How many bytes it has.
    pub size: u64,
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
}

/// Writes the canonical form of `content`.
pub fn pack(content: &Content) -> Package {
    let names: usize = content.files().map(|(path, _)| path.len()).sum();
    let size = usize::try_from(content.size()).unwrap_or(0);
    let mut bytes = Vec::with_capacity(size + 2 * names + 76 * content.len() + 22);
    let mut directory = Vec::with_capacity(names + 46 * content.len());
    let mut files = Vec::with_capacity(content.len());
    for (path, file) in content.files() {
        let header = Header::of(path, file, narrow(bytes.len()));
        header.write_local(&mut bytes);
        let offset = bytes.len() as u64;
        bytes.extend_from_slice(file);
        header.write_central(&mut directory);
        files.push(FileEntry { path: path.to_owned(), offset, size: file.len() as u64, digest: Digest::of(file) });
    }
    write_end(&mut bytes, &directory, files.len());
    Package { digest: Digest::of(&bytes), bytes, files }
}

/// `Limits::CEILING` keeps every number of a canonical archive below the width of its field.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn narrow_short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// The CRC-32 that an archive keeps of a file.
pub(crate) fn checksum(file: &[u8]) -> u32 {
    let mut checksum = Crc::new();
    checksum.update(file);
    checksum.sum()
}

/// What the local header and the central directory both say about a file.
pub(crate) struct Header<'a> {
    pub path: &'a str,
    pub checksum: u32,
    pub size: u32,
    pub start: u32,
}

impl<'a> Header<'a> {
    fn of(path: &'a str, file: &[u8], start: u32) -> Self {
        Self { path, checksum: checksum(file), size: narrow(file.len()), start }
    }

    pub fn write_local(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&LOCAL_HEADER.to_le_bytes());
        self.write_shared(out);
        out.extend_from_slice(self.path.as_bytes());
    }

    pub fn write_central(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&CENTRAL_HEADER.to_le_bytes());
        out.extend_from_slice(&VERSION_MADE_BY.to_le_bytes());
        self.write_shared(out);
        let (comment, disk, internal) = (0_u16, 0_u16, 0_u16);
        for short in [comment, disk, internal] {
            out.extend_from_slice(&short.to_le_bytes());
        }
        out.extend_from_slice(&EXTERNAL_ATTRIBUTES.to_le_bytes());
        out.extend_from_slice(&self.start.to_le_bytes());
        out.extend_from_slice(self.path.as_bytes());
    }

    fn write_shared(&self, out: &mut Vec<u8>) {
        for short in [VERSION_NEEDED, FLAGS, STORED, TIME, DATE] {
            out.extend_from_slice(&short.to_le_bytes());
        }
        for word in [self.checksum, self.size, self.size] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        let extra = 0_u16;
        out.extend_from_slice(&narrow_short(self.path.len()).to_le_bytes());
        out.extend_from_slice(&extra.to_le_bytes());
    }
}

fn write_end(out: &mut Vec<u8>, directory: &[u8], files: usize) {
    write_end_at(out, 0, directory, files);
}

/// `before` is how many bytes of the archive lie before `out`.
pub(crate) fn write_end_at(out: &mut Vec<u8>, before: u32, directory: &[u8], files: usize) {
    let start = before.saturating_add(narrow(out.len()));
    out.extend_from_slice(directory);
    out.extend_from_slice(&END_OF_CENTRAL_DIRECTORY.to_le_bytes());
    let (disk, comment, files) = (0_u16, 0_u16, narrow_short(files));
    for short in [disk, disk, files, files] {
        out.extend_from_slice(&short.to_le_bytes());
    }
    for word in [narrow(directory.len()), start] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&comment.to_le_bytes());
}

/// Reads the local headers one behind the other and accepts only what [`pack`] would write, byte for byte.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Content, Error> {
    let mut files = Vec::new();
    let mut rest = bytes;
    while rest.starts_with(&LOCAL_HEADER.to_le_bytes()) {
        let (path, file, behind) = read_file(rest).ok_or_else(|| differs(bytes.len() - rest.len()))?;
        if files.len() >= limits.files {
            return Err(Error::TooManyFiles { limit: limits.files });
        }
        files.push((path.to_owned(), file.to_vec()));
        rest = behind;
    }
    let content = Content::from_files(files, limits)?;
    let written = pack(&content).bytes;
    if written == bytes {
        return Ok(content);
    }
    let same = written.iter().zip(bytes).take_while(|(left, right)| left == right).count();
    Err(differs(same))
}

fn read_file(rest: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let short = |at: usize| Some(u16::from_le_bytes(rest.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_le_bytes(rest.get(at..at + 4)?.try_into().ok()?));
    let size = usize::try_from(word(18)?).ok()?;
    let name_end = LOCAL_HEADER_BYTES + usize::from(short(26)?);
    let start = name_end + usize::from(short(28)?);
    let end = start.checked_add(size)?;
    let path = std::str::from_utf8(rest.get(LOCAL_HEADER_BYTES..name_end)?).ok()?;
    Some((path, rest.get(start..end)?, rest.get(end..)?))
}

fn differs(at: usize) -> Error {
    Error::NotCanonical { reason: format!("byte {at} is not what the canonical form has there") }
}
