//! Archives of foreign origin: zip, tar, tar.gz and tar.zst, bounded by the bytes that really come out.
//!
//! One reader a format walks the entries; what becomes of them is the caller's matter: [`unpack_tree`] writes a folder,
//! [`unpack_held`] keeps a small tree in memory, [`crate::Content::from_archive`] one skill. Archives inside archives are plain files.

mod bounded;
mod entry;
mod held;
mod single;
mod tar;
mod tree;
mod zip;
mod zip_directory;

use std::io::{BufReader, Read, Seek, SeekFrom};

use crate::error::Error;
use crate::limits::ArchiveLimits;

use bounded::Bounded;
use entry::{Entry, read_error};

pub use held::{HeldTree, unpack_held};
pub(crate) use single::read as read_single;
pub use tree::{Unpacked, unpack_tree};

/// The kinds of archives that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// ZIP with stored or deflated entries.
    Zip,
    /// Plain tar: ustar, pax and GNU long names.
    Tar,
    /// The same behind gzip.
    TarGz,
    /// The same behind zstd.
    TarZst,
}

impl ArchiveKind {
    /// Tells the kind by the first bytes; 512 are enough.
    pub fn detect(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            Some(Self::Zip)
        } else if head.starts_with(&[0x1f, 0x8b]) {
            Some(Self::TarGz)
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Some(Self::TarZst)
        } else if tar::is_header(head) {
            Some(Self::Tar)
        } else {
            None
        }
    }
}

/// What is done with each entry; the reader yields a file's bytes.
type Visit<'a> = dyn FnMut(&Entry, &mut dyn Read) -> Result<(), Error> + 'a;

/// Walks all entries of an archive in their order.
fn walk<R: Read + Seek>(mut archive: R, limits: &ArchiveLimits, visit: &mut Visit<'_>) -> Result<(), Error> {
    let mut head = Vec::with_capacity(512);
    archive.by_ref().take(512).read_to_end(&mut head).map_err(read_error)?;
    archive.seek(SeekFrom::Start(0)).map_err(read_error)?;
    let kind = ArchiveKind::detect(&head).ok_or(Error::UnknownArchive)?;
    let buffered = BufReader::with_capacity(64 << 10, archive);
    match kind {
        ArchiveKind::Zip => zip::walk(buffered, limits, visit),
        ArchiveKind::Tar => tar::walk(Bounded::tar(buffered, limits), visit),
        ArchiveKind::TarGz => tar::walk(Bounded::tar(flate2::bufread::MultiGzDecoder::new(buffered), limits), visit),
        ArchiveKind::TarZst => {
            let mut decoder = ::zstd::stream::read::Decoder::with_buffer(buffered).map_err(read_error)?;
            decoder.window_log_max(MAX_WINDOW).map_err(read_error)?;
            tar::walk(Bounded::tar(decoder, limits), visit)
        }
    }
}

/// Most memory that a zstd stream may ask for, as a power of two: 128 MiB, what `zstd` itself unpacks without being told.
const MAX_WINDOW: u32 = 27;
