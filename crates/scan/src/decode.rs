//! Encoded text inside text: base64, hexadecimal, URL and character escapes, lists of character codes, compression.

use std::io::Read as _;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::{memchr, memchr_iter, memmem};

/// A piece of a text that was something else in disguise.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Where it began, in bytes of the text.
    pub at: usize,
    /// How it was written.
    pub how: &'static str,
    /// What it says.
    pub bytes: Vec<u8>,
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// The shortest run of base64 that is looked at.
const SHORTEST: usize = 24;
/// The most bytes that one compressed piece may unfold to.
const UNFOLDED: u64 = 8 << 20;
/// The shortest list of character codes.
const FEWEST_CODES: usize = 12;
/// The most pieces taken from one text.
const MOST: usize = 2_000;

/// Every piece of `text` that decodes to text, or to something that has a known form. `cut` tells whether there were more.
pub fn decode(text: &str, cut: &mut bool) -> Vec<Decoded> {
    let mut found = Vec::new();
    runs(text, &mut found);
    escapes(text, &mut found);
    if found.len() > MOST {
        *cut = true;
        found.truncate(MOST);
    }
    found
}

/// Words of the base64 and hexadecimal alphabets. A line break inside quotes or a here-document splits a run; lines of
/// equal length that follow one another are joined.
fn runs(text: &str, found: &mut Vec<Decoded>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + SHORTEST <= bytes.len() {
        // Looked at from the end: a byte of no alphabet says that no run can begin before it.
        if let Some(outside) = bytes[at..at + SHORTEST].iter().rposition(|byte| !in_alphabet(*byte)) {
            at += outside + 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && in_alphabet(bytes[at]) {
            at += 1;
        }
        let first = at - start;
        let mut run: Vec<u8> = bytes[start..at].to_vec();
        if first >= 56 {
            at = joined(bytes, at, first, &mut run);
        }
        if let Some((how, bytes)) = decoded_run(&run) {
            found.push(Decoded { at: start, how, bytes });
        }
    }
}

/// Takes up the lines that follow in the same alphabet, as encoders wrap them.
fn joined(bytes: &[u8], mut at: usize, width: usize, run: &mut Vec<u8>) -> usize {
    loop {
        let mut next = at;
        while next < bytes.len()
            && matches!(bytes[next], b'\n' | b'\r' | b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'+' | b',')
            && next - at < 12
        {
            if bytes[next] == b'+' && bytes.get(next + 1).copied().is_some_and(in_alphabet) {
                break;
            }
            next += 1;
        }
        let start = next;
        while next < bytes.len() && in_alphabet(bytes[next]) {
            next += 1;
        }
        if start == at || next - start < 4 || next - start > width || run.len() > (16 << 20) {
            return at;
        }
        run.extend_from_slice(&bytes[start..next]);
        at = next;
        if next - start < width {
            return at;
        }
    }
}

/// Which bytes the alphabets have.
const ALPHABET: [bool; 256] = {
    let mut alphabet = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        alphabet[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
        byte += 1;
    }
    alphabet
};

const fn in_alphabet(byte: u8) -> bool {
    ALPHABET[byte as usize]
}

fn decoded_run(run: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    if run.iter().all(u8::is_ascii_hexdigit) {
        let bytes = from_hex(run)?;
        return telling(bytes).map(|bytes| ("hex", bytes));
    }
    let has = |test: fn(&u8) -> bool| run.iter().any(test);
    if !(has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)) {
        return None;
    }
    // Paths and words with hyphens share the alphabet: those rarely decode to text.
    let trimmed = run.iter().rposition(|byte| *byte != b'=').map(|end| &run[..=end])?;
    let decoded = BASE64.decode(trimmed).or_else(|_| BASE64_URL.decode(trimmed)).ok()?;
    telling(decoded).map(|bytes| ("base64", bytes))
}

fn from_hex(run: &[u8]) -> Option<Vec<u8>> {
    if !run.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    run.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Bytes that say something: text, compressed text, or a file with a known beginning.
fn telling(bytes: Vec<u8>) -> Option<Vec<u8>> {
    if let Some(unfolded) = unfold(&bytes) {
        return Some(unfolded);
    }
    let known = bytes.starts_with(b"\x7fELF") || bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"MZ\x90");
    (known || is_text(&bytes)).then(|| narrowed(bytes))
}

/// UTF-16 without a mark, as PowerShell's encoded commands are, becomes one byte a character.
fn narrowed(bytes: Vec<u8>) -> Vec<u8> {
    if is_wide(&bytes) { bytes.chunks(2).map(|pair| pair[0]).collect() } else { bytes }
}

fn is_wide(bytes: &[u8]) -> bool {
    bytes.len() >= 16
        && bytes.len().is_multiple_of(2)
        && bytes.chunks_exact(2).filter(|pair| pair[1] == 0 && matches!(pair[0], 9..=126)).count() * 20
            >= bytes.len() / 2 * 19
}

fn is_text(bytes: &[u8]) -> bool {
    if is_wide(bytes) {
        return true;
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let strange =
        text.chars().filter(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t' | '\u{1b}')).count();
    let plain = text.chars().filter(char::is_ascii).count();
    text.len() >= 8 && strange == 0 && plain * 5 >= text.chars().count() * 4
}

/// What zlib, gzip or raw deflate data unfolds to, when it is text.
pub fn unfold(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut unfolded = Vec::new();
    let read = match bytes {
        [0x1f, 0x8b, ..] => flate2::read::GzDecoder::new(bytes).take(UNFOLDED).read_to_end(&mut unfolded),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => {
            flate2::read::ZlibDecoder::new(bytes).take(UNFOLDED).read_to_end(&mut unfolded)
        }
        _ => return None,
    };
    (read.is_ok() && !unfolded.is_empty()).then_some(unfolded)
}

/// Lines in which many characters are written as escapes or as lists of codes.
fn escapes(text: &str, found: &mut Vec<Decoded>) {
    let mut at = 0;
    for end in memchr_iter(b'\n', text.as_bytes()).chain([text.len()]) {
        let line = text.get(at..end).unwrap_or_default();
        let (start, bytes) = (at, line.as_bytes());
        at = end + 1;
        let count = |mark: &str| memmem::find_iter(bytes, mark).take(9).count();
        let is_long = bytes.len() >= FEWEST_CODES * 2 - 1;
        if is_long
            && memchr_iter(b'%', bytes).take(8).count() > 7
            && let Some(bytes) = percent(line)
        {
            found.push(Decoded { at: start, how: "url", bytes });
        }
        if is_long
            && memchr(b'\\', bytes).is_some()
            && (count("\\x") > 7 || count("\\u") > 7 || count("\\0") + count("\\1") > 7)
            && let Some(bytes) = backslashes(line)
        {
            found.push(Decoded { at: start, how: "escapes", bytes });
        }
        if is_long
            && memchr_iter(b',', bytes).count() >= FEWEST_CODES - 1
            && let Some(bytes) = codes(line)
        {
            found.push(Decoded { at: start, how: "character codes", bytes });
        }
    }
}

fn percent(line: &str) -> Option<Vec<u8>> {
    let bytes = line.as_bytes();
    let (mut decoded, mut at, mut letters) = (Vec::with_capacity(bytes.len()), 0, 0);
    while at < bytes.len() {
        if bytes[at] == b'%'
            && let Some(value) = bytes.get(at + 1..at + 3).and_then(from_hex)
        {
            letters += usize::from(value[0].is_ascii_alphanumeric());
            decoded.extend(value);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    // Escaped letters and digits need no escape: only disguise writes them so.
    (letters > 7 && is_text(&decoded)).then_some(decoded)
}

fn backslashes(line: &str) -> Option<Vec<u8>> {
    let mut decoded = String::with_capacity(line.len());
    let (mut rest, mut letters) = (line, 0);
    while let Some(place) = rest.find('\\') {
        decoded.push_str(&rest[..place]);
        let tail = &rest[place + 1..];
        let number = |from: usize, to: usize, radix: u32| {
            tail.get(from..to).and_then(|digits| u32::from_str_radix(digits, radix).ok())
        };
        let (value, length) = match tail.as_bytes().first() {
            Some(b'x') => (number(1, 3, 16), 3),
            Some(b'u') if tail.as_bytes().get(1) == Some(&b'{') => {
                let end = tail.find('}').unwrap_or(0);
                (number(2, end, 16), end + 1)
            }
            Some(b'u') => (number(1, 5, 16), 5),
            Some(b'0'..=b'7') => (number(0, 3, 8), 3),
            _ => (None, 0),
        };
        if let Some(char) = value.and_then(char::from_u32) {
            letters += usize::from(char.is_ascii_alphanumeric());
            decoded.push(char);
            rest = tail.get(length..).unwrap_or_default();
        } else {
            decoded.push('\\');
            rest = tail;
        }
    }
    decoded.push_str(rest);
    (letters > 5).then(|| decoded.into_bytes())
}

/// A list of [`FEWEST_CODES`] or more codes of printable characters.
fn codes(line: &str) -> Option<Vec<u8>> {
    let mut best: Vec<u8> = Vec::new();
    let mut current: Vec<u8> = Vec::new();
    for piece in line.split(',') {
        let piece = piece.trim_matches(|char: char| !char.is_ascii_alphanumeric());
        let word = piece.rsplit(|char: char| !char.is_ascii_alphanumeric()).next().unwrap_or("");
        let first = piece.split(|char: char| !char.is_ascii_alphanumeric()).next().unwrap_or("");
        let value = |word: &str| {
            let parsed =
                word.strip_prefix("0x").map_or_else(|| word.parse::<u8>(), |digits| u8::from_str_radix(digits, 16));
            parsed.ok().filter(|value| matches!(value, 9 | 10 | 13 | 32..=126))
        };
        if let Some(value) = value(word) {
            current.push(value);
        } else {
            if let Some(value) = value(first) {
                current.push(value);
            }
            if current.len() > best.len() {
                best = std::mem::take(&mut current);
            }
            current.clear();
        }
    }
    if current.len() > best.len() {
        best = current;
    }
    let letters = best.iter().filter(|byte| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'/' | b'.')).count();
    (best.len() >= FEWEST_CODES && letters * 4 >= best.len() * 3).then_some(best)
}
