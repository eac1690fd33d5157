//! Pictures, sounds, films and fonts: where their data ends, and what lies behind.

/// What was made of a media file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The format says where it ends: bytes from here on belong to something else.
    At(usize),
    /// The format was understood as far as it goes, and it has no tail of its own.
    Whole,
    /// It breaks off or does not follow its format.
    Broken,
}

/// Whether the bytes begin like a media file that [`end`] knows.
pub fn is_media(bytes: &[u8]) -> bool {
    reader_of(bytes).is_some()
}

/// Where a media file ends.
pub fn end(bytes: &[u8]) -> End {
    let found = reader_of(bytes).and_then(|reader| reader(bytes));
    match found {
        Some(end) if end < bytes.len() => End::At(end),
        Some(_) => End::Whole,
        None => End::Broken,
    }
}

type Reader = fn(&[u8]) -> Option<usize>;

fn reader_of(bytes: &[u8]) -> Option<Reader> {
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..offset + magic.len()) == Some(magic);
    let reader: Reader = match () {
        () if at(0, b"\x89PNG\r\n\x1a\n") => png,
        () if at(0, b"\xff\xd8\xff") => jpeg,
        () if at(0, b"GIF87a") || at(0, b"GIF89a") => gif,
        () if at(0, b"RIFF") => riff,
        () if at(0, b"\0\0\x01\0") || at(0, b"\0\0\x02\0") => icon,
        () if at(0, b"BM") && bytes.len() > 26 && at(6, b"\0\0\0\0") => bitmap,
        () if at(4, b"ftyp") => boxes,
        () if at(0, b"wOFF") || at(0, b"wOF2") => web_font,
        () if at(0, b"\0\x01\0\0") || at(0, b"OTTO") || at(0, b"true\0") || at(0, b"ttcf") => font,
        () if at(0, b"ID3") || at(0, b"\xff\xfb") || at(0, b"\xff\xf3") || at(0, b"\xff\xf2") => mpeg_audio,
        () if at(0, b"OggS") => ogg,
        () if at(0, b"fLaC") => flac,
        () if at(0, b"\x1a\x45\xdf\xa3") => matroska,
        () if at(0, b"II*\0") || at(0, b"MM\0*") => tiff,
        () => return None,
    };
    Some(reader)
}

fn big(bytes: &[u8], at: usize) -> Option<usize> {
    let word: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(word)).ok()
}

fn little(bytes: &[u8], at: usize) -> Option<usize> {
    let word: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(word)).ok()
}

fn within(bytes: &[u8], end: usize) -> Option<usize> {
    (end <= bytes.len()).then_some(end)
}

fn png(bytes: &[u8]) -> Option<usize> {
    let mut at = 8usize;
    loop {
        let next = at.checked_add(12)?.checked_add(big(bytes, at)?)?;
        let last = bytes.get(at + 4..at + 8)? == b"IEND";
        at = within(bytes, next)?;
        if last {
            return Some(at);
        }
    }
}

fn jpeg(bytes: &[u8]) -> Option<usize> {
    let mut at = 2usize;
    loop {
        while *bytes.get(at)? != 0xff {
            at += 1;
        }
        let marker = *bytes.get(at + 1)?;
        match marker {
            0xd9 => return Some(at + 2),
            0xff => at += 1,
            0x00 | 0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let length = usize::from(u16::from_be_bytes(bytes.get(at + 2..at + 4)?.try_into().ok()?));
                at = within(bytes, at.checked_add(2 + length)?)?;
            }
        }
    }
}

fn gif(bytes: &[u8]) -> Option<usize> {
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3usize << ((flags & 7) + 1) };
    let mut at = 13 + table(*bytes.get(10)?);
    let blocks = |mut at: usize| loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    };
    loop {
        match *bytes.get(at)? {
            0x3b => return Some(at + 1),
            0x21 => at = blocks(at + 2)?,
            0x2c => at = blocks(at + 11 + table(*bytes.get(at + 9)?))?,
            _ => return None,
        }
    }
}

fn riff(bytes: &[u8]) -> Option<usize> {
    let end = 8usize.checked_add(little(bytes, 4)?)?;
    within(bytes, end + (end & 1)).or_else(|| within(bytes, end))
}

fn icon(bytes: &[u8]) -> Option<usize> {
    let count = usize::from(u16::from_le_bytes(bytes.get(4..6)?.try_into().ok()?));
    let mut end = 6 + 16 * count;
    for entry in 0..count {
        let size = little(bytes, 6 + 16 * entry + 8)?;
        end = end.max(little(bytes, 6 + 16 * entry + 12)?.checked_add(size)?);
    }
    within(bytes, end)
}

fn bitmap(bytes: &[u8]) -> Option<usize> {
    within(bytes, little(bytes, 2)?.max(26))
}

/// ISO base media (mp4, heic, avif): boxes one after another up to the end.
fn boxes(bytes: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    while at < bytes.len() {
        let name = bytes.get(at + 4..at + 8)?;
        if !name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | 0xa9)) {
            return Some(at);
        }
        let length = match big(bytes, at)? {
            0 => return Some(bytes.len()),
            1 => big(bytes, at + 12)?.checked_add(big(bytes, at + 8)?.checked_mul(1 << 32)?)?,
            length => length,
        };
        at = within(bytes, at.checked_add(length.max(8))?)?;
    }
    Some(at)
}

fn web_font(bytes: &[u8]) -> Option<usize> {
    within(bytes, big(bytes, 8)?)
}

fn font(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(b"ttcf") {
        return Some(bytes.len());
    }
    let count = usize::from(u16::from_be_bytes(bytes.get(4..6)?.try_into().ok()?));
    let mut end = 12 + 16 * count;
    for entry in 0..count {
        let record = 12 + 16 * entry;
        end = end.max(big(bytes, record + 8)?.checked_add(big(bytes, record + 12)?)?);
    }
    let padded = end.checked_add(3)? & !3;
    within(bytes, padded).or_else(|| within(bytes, end))
}

/// MPEG audio: the frames behind an optional tag; whatever follows the last frame is a tail.
fn mpeg_audio(bytes: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    if bytes.starts_with(b"ID3") {
        let size = bytes.get(6..10)?.iter().fold(0usize, |size, byte| (size << 7) | usize::from(byte & 0x7f));
        at = within(bytes, 10 + size)?;
    }
    let mut frames = 0usize;
    while let Some(length) = mpeg_frame(bytes, at) {
        let Some(next) = within(bytes, at + length) else { return Some(bytes.len()) };
        at = next;
        frames += 1;
    }
    if bytes.get(at..at + 3) == Some(b"TAG") {
        at = within(bytes, at + 128)?;
    }
    (frames > 0).then_some(at)
}

fn mpeg_frame(bytes: &[u8], at: usize) -> Option<usize> {
    const RATES: [usize; 16] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0];
    const RATES_2: [usize; 16] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0];
    let header: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    let (version, layer) = ((header[1] >> 3) & 3, (header[1] >> 1) & 3);
    if header[0] != 0xff || header[1] & 0xe0 != 0xe0 || version == 1 || layer != 1 {
        return None;
    }
    let index = usize::from(header[2] >> 4);
    let first = version == 3;
    let rate = if first { RATES[index] } else { RATES_2[index] };
    let sampling = [44_100, 48_000, 32_000, 0][usize::from((header[2] >> 2) & 3)]
        / if first {
            1
        } else if version == 2 {
            2
        } else {
            4
        };
    if rate == 0 || sampling == 0 {
        return None;
    }
    Some((if first { 144_000 } else { 72_000 }) * rate / sampling + usize::from((header[2] >> 1) & 1))
}

fn ogg(bytes: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    while bytes.get(at..at + 4) == Some(b"OggS") {
        let count = usize::from(*bytes.get(at + 26)?);
        let body: usize = bytes.get(at + 27..at + 27 + count)?.iter().map(|byte| usize::from(*byte)).sum();
        at = within(bytes, at + 27 + count + body)?;
    }
    Some(at)
}

/// The metadata is followed to its end; the frames have no lengths, so the last bytes cannot be told from sound.
fn flac(bytes: &[u8]) -> Option<usize> {
    bytes.get(4 + 34..).map(|_| bytes.len())
}

fn matroska(bytes: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    while at < bytes.len() {
        let id = bytes.get(at).map(|byte| byte.leading_zeros() as usize + 1)?;
        let size_at = at + id;
        let first = *bytes.get(size_at)?;
        let width = first.leading_zeros() as usize + 1;
        if id > 4 || width > 8 {
            return (at > 0).then_some(at);
        }
        let mask = if width >= 8 { 0 } else { 0xffu8 >> width };
        let all_ones =
            first & mask == mask && bytes.get(size_at + 1..size_at + width)?.iter().all(|byte| *byte == 0xff);
        if all_ones {
            return Some(bytes.len());
        }
        let start = usize::from(first & mask);
        let size = bytes
            .get(size_at + 1..size_at + width)?
            .iter()
            .try_fold(start, |size, byte| size.checked_mul(256)?.checked_add(usize::from(*byte)))?;
        at = within(bytes, (size_at + width).checked_add(size)?)?;
    }
    Some(at)
}

/// TIFF points to its parts from anywhere, so it has no end of its own.
fn tiff(bytes: &[u8]) -> Option<usize> {
    bytes.get(8..).map(|_| bytes.len())
}

/// The texts of at least eight printable characters in bytes that are no text, one a line, at most `most` bytes.
pub fn strings_in(bytes: &[u8], most: usize) -> String {
    let mut found = String::new();
    for run in bytes.split(|byte| !(matches!(byte, b' '..=b'~') || *byte == b'\t')) {
        if run.len() >= 8 {
            if found.len() + run.len() > most {
                break;
            }
            found.push_str(&String::from_utf8_lossy(run));
            found.push('\n');
        }
    }
    found
}
