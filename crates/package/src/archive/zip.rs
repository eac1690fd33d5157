//! Reads ZIP archives (PKWARE APPNOTE 6.3.10): stored and deflated entries, 64-bit sizes.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::Visit;
use super::entry::{Entry, EntryKind, read_error, refused};
use super::zip_directory::{self, Record};
use crate::error::Error;
use crate::limits::ArchiveLimits;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// Walks the entries of a ZIP archive in the order of its directory.
pub(super) fn walk<R: Read + Seek>(mut file: R, limits: &ArchiveLimits, visit: &mut Visit<'_>) -> Result<(), Error> {
    for record in zip_directory::read(&mut file, limits)? {
        let entry = Entry::new(&record.name, record.kind(), record.special_bits())?;
        file.seek(SeekFrom::Start(record.data)).map_err(read_error)?;
        let packed = BufReader::new(file.by_ref().take(record.packed));
        read_entry(packed, &record, &entry, visit)?;
    }
    Ok(())
}

fn read_entry(packed: impl BufRead, record: &Record, entry: &Entry, visit: &mut Visit<'_>) -> Result<(), Error> {
    if entry.kind == EntryKind::Folder && record.size > 0 {
        return Err(refused(&record.name, "a folder has no bytes"));
    }
    match record.method {
        STORED if record.packed == record.size => visit_checked(packed, record, entry, visit).map(|_| ()),
        DEFLATED => {
            let decoder = visit_checked(DeflateDecoder::new(packed), record, entry, visit)?;
            let exact = decoder.is_none_or(|decoder| decoder.total_in() == record.packed);
            if exact { Ok(()) } else { Err(refused(&record.name, "data follows behind its compressed bytes")) }
        }
        STORED => Err(refused(&record.name, "its two sizes differ")),
        _ => Err(refused(&record.name, "it is compressed by a method other than deflate")),
    }
}

/// Lets the visitor read, then checks size and checksum; gives the reader back when it was read to its end.
fn visit_checked<R: Read>(bytes: R, record: &Record, entry: &Entry, visit: &mut Visit<'_>) -> Result<Option<R>, Error> {
    // One byte more than stated shows that there is more; so a false size costs nothing.
    let mut checked =
        Checked { inner: bytes.take(record.size.saturating_add(1)), sum: Crc::new(), size: 0, ended: false };
    visit(entry, &mut checked)?;
    if checked.size == 0 && !checked.ended && record.size > 0 {
        return Ok(None);
    }
    io::copy(&mut checked, &mut io::sink()).map_err(read_error)?;
    if checked.size != record.size {
        return Err(refused(&record.name, "it unpacks to another size than stated"));
    }
    if checked.sum.sum() != record.checksum {
        return Err(refused(&record.name, "its checksum is wrong"));
    }
    Ok(Some(checked.inner.into_inner()))
}

/// Counts and sums the bytes of an entry while they are read.
struct Checked<R> {
    inner: R,
    sum: Crc,
    size: u64,
    ended: bool,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.sum.update(&buffer[..read]);
        self.size = self.size.saturating_add(read as u64);
        self.ended |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}
