//! Reads tar streams: POSIX ustar and pax, and GNU long names (tar(5)).

use std::io::Read;

use super::Visit;
use super::entry::{Entry, EntryKind, read_error, refused};
use crate::error::Error;

const BLOCK: usize = 512;
/// Most bytes of a long name or a pax header.
const MAX_EXTENSION: u64 = 64 << 10;
/// Most long names and pax headers before one entry.
const MAX_EXTENSIONS: usize = 8;

/// Whether a block is a tar header: its checksum is right.
pub(super) fn is_header(block: &[u8]) -> bool {
    block.get(..BLOCK).and_then(|block| Header::read(block).ok()).is_some()
}

/// Walks the entries of an uncompressed tar stream.
pub(super) fn walk(mut stream: impl Read, visit: &mut Visit<'_>) -> Result<(), Error> {
    let mut names = Names::default();
    let mut extensions = 0;
    loop {
        let mut block = [0; BLOCK];
        if !read_block(&mut stream, &mut block)? {
            return Ok(());
        }
        if block.iter().all(|byte| *byte == 0) {
            return refuse_rest(&mut stream);
        }
        let header = Header::read(&block)?;
        let size = names.size.unwrap_or(header.size);
        if header.kind == b'V' {
            // The name of the volume, without bytes.
            continue;
        }
        if matches!(header.kind, b'L' | b'K' | b'x' | b'g') {
            extensions += 1;
            if extensions > MAX_EXTENSIONS {
                return Err(refused(header.name(), "it has too many extended headers"));
            }
            let bytes = read_extension(&mut stream, header.size, header.name())?;
            names.extend(header.kind, &bytes)?;
        } else {
            let taken = std::mem::take(&mut names);
            extensions = 0;
            read_entry(&mut stream, &header, &taken, size, visit)?;
        }
    }
}

fn read_entry(
    stream: &mut impl Read,
    header: &Header,
    names: &Names,
    size: u64,
    visit: &mut Visit<'_>,
) -> Result<(), Error> {
    let joined = header.joined_name();
    let name = names.path.as_deref().unwrap_or(&joined);
    let kind = header.entry_kind(name)?;
    // Only regular files are followed by bytes; other kinds may carry a size that means something else.
    let size = if kind == EntryKind::File { size } else { 0 };
    let entry = Entry::new(name, kind, header.mode & 0o7000 != 0)?;
    let mut bytes = stream.take(size);
    visit(&entry, &mut bytes)?;
    std::io::copy(&mut bytes, &mut std::io::sink()).map_err(read_error)?;
    if bytes.limit() > 0 {
        return Err(Error::archive("it ends too early"));
    }
    skip_padding(stream, size)
}

/// Reads a whole block; `false` at a clean end of the stream.
fn read_block(stream: &mut impl Read, block: &mut [u8; BLOCK]) -> Result<bool, Error> {
    let mut bytes = Vec::with_capacity(BLOCK);
    stream.by_ref().take(BLOCK as u64).read_to_end(&mut bytes).map_err(read_error)?;
    match bytes.len() {
        0 => Ok(false),
        BLOCK => {
            block.copy_from_slice(&bytes);
            Ok(true)
        }
        _ => Err(Error::archive("it ends inside a header")),
    }
}

/// Behind the end of an archive only zeros may follow; anything else would be seen by some readers only.
fn refuse_rest(stream: &mut impl Read) -> Result<(), Error> {
    let mut buffer = [0; 8 << 10];
    loop {
        let read = stream.read(&mut buffer).map_err(read_error)?;
        if read == 0 {
            return Ok(());
        }
        if buffer[..read].iter().any(|byte| *byte != 0) {
            return Err(Error::archive("data follows behind its end"));
        }
    }
}

fn skip_padding(stream: &mut impl Read, size: u64) -> Result<(), Error> {
    let padding = size.next_multiple_of(BLOCK as u64) - size;
    let skipped = std::io::copy(&mut stream.take(padding), &mut std::io::sink()).map_err(read_error)?;
    if skipped < padding { Err(Error::archive("it ends too early")) } else { Ok(()) }
}

fn read_extension(stream: &mut impl Read, size: u64, name: &[u8]) -> Result<Vec<u8>, Error> {
    if size > MAX_EXTENSION {
        return Err(refused(name, "an extended header is too long"));
    }
    let mut bytes = Vec::new();
    stream.by_ref().take(size).read_to_end(&mut bytes).map_err(read_error)?;
    if (bytes.len() as u64) < size {
        return Err(Error::archive("it ends too early"));
    }
    skip_padding(stream, size)?;
    Ok(bytes)
}

/// What extended headers say about the next entry.
#[derive(Default)]
struct Names {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Names {
    fn extend(&mut self, kind: u8, bytes: &[u8]) -> Result<(), Error> {
        match kind {
            b'L' => self.path = Some(until_nul(bytes).to_vec()),
            b'K' => {}
            _ => self.extend_pax(kind == b'g', bytes)?,
        }
        Ok(())
    }

    fn extend_pax(&mut self, global: bool, mut bytes: &[u8]) -> Result<(), Error> {
        let broken = || Error::archive("an extended header is damaged");
        while !bytes.is_empty() {
            let blank = bytes.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
            let digits = std::str::from_utf8(&bytes[..blank]).map_err(|_| broken())?;
            let length: usize = digits.parse().map_err(|_| broken())?;
            let record = bytes.get(blank + 1..length).ok_or_else(broken)?;
            let record = record.strip_suffix(b"\n").ok_or_else(broken)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(broken)?;
            self.take_pax(global, &record[..equals], &record[equals + 1..])?;
            bytes = &bytes[length..];
        }
        Ok(())
    }

    fn take_pax(&mut self, global: bool, key: &[u8], value: &[u8]) -> Result<(), Error> {
        match key {
            b"path" | b"size" if global => Err(Error::archive("a global header renames or resizes all entries")),
            b"path" => {
                self.path = Some(value.to_vec());
                Ok(())
            }
            b"size" => {
                let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                self.size = Some(size.ok_or_else(|| Error::archive("an extended header is damaged"))?);
                Ok(())
            }
            _ if key.starts_with(b"GNU.sparse") => Err(Error::archive("sparse files are not supported")),
            _ => Ok(()),
        }
    }
}

struct Header {
    name: [u8; 100],
    prefix: [u8; 155],
    has_prefix: bool,
    mode: u64,
    size: u64,
    kind: u8,
}

impl Header {
    fn read(block: &[u8]) -> Result<Self, Error> {
        let damaged = || Error::archive("a header is damaged");
        let field = |start: usize, length: usize| block.get(start..start + length).ok_or_else(damaged);
        let stated = octal(field(148, 8)?).ok_or_else(damaged)?;
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
            .sum();
        if sum != stated {
            return Err(damaged());
        }
        let mut name = [0; 100];
        name.copy_from_slice(field(0, 100)?);
        let mut prefix = [0; 155];
        prefix.copy_from_slice(field(345, 155)?);
        // GNU tar keeps times where ustar has the prefix of long names.
        let has_prefix = field(257, 6)? == b"ustar\0";
        let size = number(field(124, 12)?).ok_or_else(damaged)?;
        let mode = number(field(100, 8)?).unwrap_or(0);
        let kind = block.get(156).copied().ok_or_else(damaged)?;
        Ok(Self { name, prefix, has_prefix, mode, size, kind })
    }

    fn name(&self) -> &[u8] {
        until_nul(&self.name)
    }

    fn joined_name(&self) -> Vec<u8> {
        let prefix = until_nul(&self.prefix);
        if self.has_prefix && !prefix.is_empty() { [prefix, b"/", self.name()].concat() } else { self.name().to_vec() }
    }

    fn entry_kind(&self, name: &[u8]) -> Result<EntryKind, Error> {
        Ok(match self.kind {
            b'0' | 0 | b'5' if self.kind == b'5' || name.ends_with(b"/") => EntryKind::Folder,
            b'0' | 0 | b'7' => EntryKind::File,
            b'1' => EntryKind::Other("hard link"),
            b'2' => EntryKind::Other("symbolic link"),
            b'3' | b'4' => EntryKind::Other("device"),
            b'6' => EntryKind::Other("pipe"),
            b'S' => return Err(refused(name, "sparse files are not supported")),
            _ => return Err(refused(name, "an entry of this kind is not supported")),
        })
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    &bytes[..end]
}

/// A number in octal digits, padded with blanks or NUL.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = until_nul(field).trim_ascii();
    let text = std::str::from_utf8(digits).ok()?;
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

/// A number in octal digits, or in binary behind a set first bit.
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 == 0 {
        return octal(field);
    }
    // The second bit is the sign.
    if first & 0x7f != 0 {
        return None;
    }
    rest.iter().try_fold(0_u64, |number, byte| number.checked_mul(256)?.checked_add(u64::from(*byte)))
}
