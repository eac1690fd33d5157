//! The central directory of a ZIP archive, and the proof that it tells the whole truth about the file.

use std::io::{Read, Seek, SeekFrom};

use super::entry::{EntryKind, read_error, refused};
use crate::error::Error;
use crate::limits::ArchiveLimits;
use crate::path::MAX_PATH_BYTES;

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const END_BYTES: usize = 22;
const LOCATOR_BYTES: u64 = 20;
const CENTRAL_BYTES: usize = 46;
const LOCAL_BYTES: u64 = 30;
/// The directory is held in memory.
const MAX_DIRECTORY: u64 = 128 << 20;
const ENCRYPTED: u16 = 1;
const SIZES_BEHIND: u16 = 1 << 3;

/// What the central directory says about one entry, checked against its local header.
pub(super) struct Record {
    pub name: Vec<u8>,
    pub flags: u16,
    pub method: u16,
    pub checksum: u32,
    pub packed: u64,
    pub size: u64,
    pub start: u64,
    pub data: u64,
    attributes: u32,
    made_on_unix: bool,
}

impl Record {
    fn mode(&self) -> u32 {
        if self.made_on_unix { self.attributes >> 16 } else { 0 }
    }

    pub(super) fn special_bits(&self) -> bool {
        self.mode() & 0o7000 != 0
    }

    pub(super) fn kind(&self) -> EntryKind {
        match self.mode() & 0o170_000 {
            0o120_000 => EntryKind::Other("symbolic link"),
            0o060_000 | 0o020_000 => EntryKind::Other("device"),
            0o010_000 => EntryKind::Other("pipe"),
            0o140_000 => EntryKind::Other("socket"),
            _ if self.name.ends_with(b"/") => EntryKind::Folder,
            _ => EntryKind::File,
        }
    }
}

/// A little-endian reader over a slice; everything out of bounds is "damaged".
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (head, rest) = self.0.split_at_checked(length).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(head)
    }

    fn short(&mut self) -> Result<u16, Error> {
        Ok(u16::from_le_bytes(self.take(2)?.try_into().map_err(|_| damaged())?))
    }

    fn word(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().map_err(|_| damaged())?))
    }

    fn long(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into().map_err(|_| damaged())?))
    }
}

fn damaged() -> Error {
    Error::archive("its directory is damaged")
}

/// Reads and proves the directory: every byte of the file belongs to exactly one listed entry, to the directory or to
/// its end record, and every local header says what the directory says.
pub(super) fn read<R: Read + Seek>(file: &mut R, limits: &ArchiveLimits) -> Result<Vec<Record>, Error> {
    let end = find_end(file)?;
    if end.entries > limits.entries as u64 {
        return Err(Error::TooManyFiles { limit: limits.entries });
    }
    if end.size > MAX_DIRECTORY {
        return Err(Error::archive("its directory is larger than 128 MiB"));
    }
    if end.start.checked_add(end.size) != Some(end.at) {
        return Err(Error::archive("its directory does not lie directly before its end record"));
    }
    let mut records = read_records(file, &end)?;
    check_locals(file, &mut records, &end)?;
    Ok(records)
}

struct End {
    entries: u64,
    /// Bytes of the central directory.
    size: u64,
    /// Where the central directory starts.
    start: u64,
    /// Where the (first) end record starts.
    at: u64,
}

fn find_end<R: Read + Seek>(file: &mut R) -> Result<End, Error> {
    let length = file.seek(SeekFrom::End(0)).map_err(read_error)?;
    let window = length.min((END_BYTES + usize::from(u16::MAX)) as u64);
    let tail = read_at(file, length - window, window)?;
    let places: Vec<usize> = tail.windows(4).enumerate().filter(|(_, four)| **four == END).map(|(at, _)| at).collect();
    let reaches_end = |at: &&usize| {
        let mut fields = Fields(tail.get(**at + END_BYTES - 2..).unwrap_or_default());
        fields.short().is_ok_and(|comment| **at + END_BYTES + usize::from(comment) == tail.len())
    };
    let Some(&at) = places.iter().find(reaches_end) else {
        let reason = if places.is_empty() { "it has no end record" } else { "data follows behind its end record" };
        return Err(Error::archive(reason));
    };
    let mut fields = Fields(tail.get(at + 4..).unwrap_or_default());
    let (disk, first_disk) = (fields.short()?, fields.short()?);
    let (here, all) = (fields.short()?, fields.short()?);
    let (size, start) = (fields.word()?, fields.word()?);
    let place = length - window + at as u64;
    let large = [here, all].contains(&u16::MAX) || [size, start].contains(&u32::MAX);
    let end = match find_end_64(file, place, large)? {
        Some(end) => end,
        None if disk != 0 || first_disk != 0 || here != all => return Err(Error::archive("it spans several disks")),
        None => End { entries: u64::from(all), size: u64::from(size), start: u64::from(start), at: place },
    };
    // A second end record inside the directory or the comment would give other readers another archive.
    let directory = usize::try_from(end.start.saturating_sub(length - window)).unwrap_or(usize::MAX);
    if places.iter().any(|other| *other != at && *other >= directory) {
        return Err(Error::archive("it has several end records"));
    }
    Ok(end)
}

/// The end record of large archives, which stands before a locator directly before the usual one.
fn find_end_64<R: Read + Seek>(file: &mut R, end: u64, large: bool) -> Result<Option<End>, Error> {
    let Some(locator_at) = end.checked_sub(LOCATOR_BYTES) else { return Ok(None) };
    let locator = read_at(file, locator_at, LOCATOR_BYTES)?;
    let mut fields = Fields(&locator);
    if fields.take(4)? != LOCATOR_64 {
        return if large { Err(damaged()) } else { Ok(None) };
    }
    fields.word()?;
    let at = fields.long()?;
    let record = read_at(file, at, 56)?;
    let mut fields = Fields(&record);
    let signature = fields.take(4)?;
    let length = fields.long()?;
    if signature != END_64 || at.checked_add(12).and_then(|at| at.checked_add(length)) != Some(locator_at) {
        return Err(damaged());
    }
    fields.take(4)?;
    let (disk, first_disk) = (fields.word()?, fields.word()?);
    let (here, all) = (fields.long()?, fields.long()?);
    if disk != 0 || first_disk != 0 || here != all {
        return Err(Error::archive("it spans several disks"));
    }
    Ok(Some(End { entries: all, size: fields.long()?, start: fields.long()?, at }))
}

fn read_at<R: Read + Seek>(file: &mut R, at: u64, length: u64) -> Result<Vec<u8>, Error> {
    file.seek(SeekFrom::Start(at)).map_err(read_error)?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(read_error)?;
    if (bytes.len() as u64) < length { Err(Error::archive("it ends too early")) } else { Ok(bytes) }
}

fn read_records<R: Read + Seek>(file: &mut R, end: &End) -> Result<Vec<Record>, Error> {
    file.seek(SeekFrom::Start(end.start)).map_err(read_error)?;
    let mut directory = file.take(end.size);
    let mut records = Vec::new();
    for _ in 0..end.entries {
        records.push(read_record(&mut directory)?);
    }
    if directory.limit() > 0 {
        return Err(Error::archive("its directory has more bytes than its entries"));
    }
    Ok(records)
}

fn read_record(directory: &mut impl Read) -> Result<Record, Error> {
    let mut fixed = [0; CENTRAL_BYTES];
    directory.read_exact(&mut fixed).map_err(read_error)?;
    let mut fields = Fields(&fixed);
    if fields.take(4)? != CENTRAL {
        return Err(damaged());
    }
    let made_on_unix = fields.short()? >> 8 == 3;
    fields.short()?;
    let (flags, method) = (fields.short()?, fields.short()?);
    fields.word()?;
    let checksum = fields.word()?;
    let (packed, size) = (fields.word()?, fields.word()?);
    let (name, extra, comment) = (fields.short()?, fields.short()?, fields.short()?);
    let disk = fields.short()?;
    fields.short()?;
    let (attributes, start) = (fields.word()?, fields.word()?);
    if usize::from(name) > 2 * MAX_PATH_BYTES || !matches!(disk, 0 | u16::MAX) {
        return Err(Error::archive("an entry's name is too long, or the archive spans several disks"));
    }
    let name = read_exactly(directory, name)?;
    let extra = read_exactly(directory, extra)?;
    read_exactly(directory, comment)?;
    let mut record = Record {
        name,
        flags,
        method,
        checksum,
        packed: u64::from(packed),
        size: u64::from(size),
        start: u64::from(start),
        data: 0,
        attributes,
        made_on_unix,
    };
    record.extend(&extra, [size, packed, start].map(|number| number == u32::MAX))?;
    if flags & ENCRYPTED != 0 {
        return Err(refused(&record.name, "it is encrypted"));
    }
    Ok(record)
}

fn read_exactly(from: &mut impl Read, length: u16) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; usize::from(length)];
    from.read_exact(&mut bytes).map_err(read_error)?;
    Ok(bytes)
}

impl Record {
    /// Takes the 64-bit numbers of the extra field, and refuses a second name in it.
    fn extend(&mut self, extra: &[u8], large: [bool; 3]) -> Result<(), Error> {
        let mut fields = Fields(extra);
        while fields.0.len() >= 4 {
            let (id, length) = (fields.short()?, fields.short()?);
            let mut content = Fields(fields.take(usize::from(length))?);
            match id {
                0x0001 => {
                    let [size, packed, start] = large;
                    for (wanted, number) in
                        [(size, &mut self.size), (packed, &mut self.packed), (start, &mut self.start)]
                    {
                        if wanted {
                            *number = content.long()?;
                        }
                    }
                }
                0x7075 if content.0.get(5..) != Some(self.name.as_slice()) => {
                    return Err(refused(&self.name, "it has a second name"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Compares each local header with the directory, and proves that entries neither overlap nor leave gaps.
fn check_locals<R: Read + Seek>(file: &mut R, records: &mut [Record], end: &End) -> Result<(), Error> {
    let mut order: Vec<usize> = (0..records.len()).collect();
    order.sort_by_key(|index| records[*index].start);
    let mut behind = 0;
    let mut descriptor_allowed = false;
    for index in order {
        let record = &mut records[index];
        check_gap(behind, record.start, descriptor_allowed)?;
        check_local(file, record)?;
        behind = record.data.checked_add(record.packed).ok_or_else(damaged)?;
        descriptor_allowed = record.flags & SIZES_BEHIND != 0;
    }
    check_gap(behind, end.start, descriptor_allowed)
}

/// Between two entries only a data descriptor may stand: 12 to 24 bytes, where the flags announce one.
fn check_gap(behind: u64, next: u64, descriptor_allowed: bool) -> Result<(), Error> {
    match next.checked_sub(behind) {
        Some(0) => Ok(()),
        Some(12 | 16 | 20 | 24) if descriptor_allowed => Ok(()),
        Some(_) => Err(Error::archive("it has bytes that belong to no listed entry")),
        None => Err(Error::archive("its entries overlap")),
    }
}

fn check_local<R: Read + Seek>(file: &mut R, record: &mut Record) -> Result<(), Error> {
    let differs = |name: &[u8]| refused(name, "its own header differs from the directory");
    let fixed = read_at(file, record.start, LOCAL_BYTES)?;
    let mut fields = Fields(&fixed);
    if fields.take(4)? != LOCAL {
        return Err(differs(&record.name));
    }
    fields.short()?;
    let (flags, method) = (fields.short()?, fields.short()?);
    fields.word()?;
    let checksum = fields.word()?;
    let (packed, size) = (fields.word()?, fields.word()?);
    let (name, extra) = (fields.short()?, fields.short()?);
    let name = read_at(file, record.start + LOCAL_BYTES, u64::from(name))?;
    let extra_bytes = read_at(file, record.start + LOCAL_BYTES + name.len() as u64, u64::from(extra))?;
    let mut local = Record {
        packed: u64::from(packed),
        size: u64::from(size),
        start: 0,
        data: 0,
        attributes: 0,
        made_on_unix: false,
        name,
        flags,
        method,
        checksum,
    };
    local.extend(&extra_bytes, [size == u32::MAX, packed == u32::MAX, false])?;
    let same_sizes = (local.checksum, local.packed, local.size) == (record.checksum, record.packed, record.size);
    let sizes_follow = flags & SIZES_BEHIND != 0 && (checksum, packed, size) == (0, 0, 0);
    // A writer that streams with 64-bit sizes announces them with all bits set.
    let large_sizes_follow = flags & SIZES_BEHIND != 0 && packed == u32::MAX && size == u32::MAX && checksum == 0;
    let same = local.name == record.name && method == record.method && flags == record.flags;
    if !same || !(same_sizes || sizes_follow || large_sizes_follow) {
        return Err(differs(&record.name));
    }
    record.data = record.start + LOCAL_BYTES + local.name.len() as u64 + u64::from(extra);
    Ok(())
}
