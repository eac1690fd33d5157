//! Secrets that were made up for one run: whoever says or sends one has read it here.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Random letters of each value.
const LENGTH: usize = 48;
/// A part of a value of this length is enough, so that sending it in pieces hides nothing.
const PIECE: usize = 12;
/// Pieces begin at every so many letters.
const STEP: usize = 4;
/// How much of compressed bytes is looked at.
const INFLATED: u64 = 4 << 20;

/// What a made-up secret stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// Where it stands: a path below the home, or `$NAME`.
    pub place: String,
    /// The secret.
    pub value: String,
    /// Programs that read the file for their own work.
    pub readers: &'static [&'static str],
    /// Hosts that it is for.
    pub hosts: &'static [&'static str],
    /// Whether reading the file is harm by itself, and not only what becomes of it.
    pub grave: bool,
}

impl Canary {
    /// Whether it stands in a variable.
    pub fn is_variable(&self) -> bool {
        self.place.starts_with('$')
    }

    /// What people call it.
    pub fn shown(&self) -> String {
        if self.is_variable() { self.place.clone() } else { format!("~/{}", self.place) }
    }
}

/// A value that nobody guesses.
pub fn fresh() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..LENGTH).map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())])).collect()
}

/// Where a made-up secret was found again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Which one.
    pub canary: usize,
    /// How it was written.
    pub form: &'static str,
}

/// Looks for all of them.
#[derive(Debug)]
pub struct Canaries {
    /// All of them.
    pub all: Vec<Canary>,
    automaton: Option<AhoCorasick>,
    meanings: Vec<Found>,
}

impl Canaries {
    /// Looks for these.
    pub fn new(all: Vec<Canary>) -> Self {
        let (mut patterns, mut meanings) = (Vec::new(), Vec::new());
        for (canary, one) in all.iter().enumerate() {
            for (form, text) in forms(&one.value) {
                for at in (0..=text.len().saturating_sub(PIECE)).step_by(STEP) {
                    patterns.push(text.get(at..at + PIECE).unwrap_or_default().to_vec());
                    meanings.push(Found { canary, form });
                }
            }
        }
        Self { all, automaton: AhoCorasick::new(&patterns).ok(), meanings }
    }

    /// Which of them are in some bytes: as they are, compressed, or compressed and in base64.
    pub fn find(&self, bytes: &[u8]) -> BTreeSet<Found> {
        let mut found = self.plainly(bytes);
        let mut inner = inflated(bytes);
        let joined: Vec<u8> = bytes.iter().copied().filter(|byte| !b"\r\n=\"' ".contains(byte)).collect();
        found.extend(self.plainly(&joined));
        for run in joined.split(|byte| !(byte.is_ascii_alphanumeric() || b"+/-_".contains(byte))) {
            if run.len() < 24 {
                continue;
            }
            let usual: Vec<u8> = run
                .iter()
                .map(|byte| match byte {
                    b'-' => b'+',
                    b'_' => b'/',
                    other => *other,
                })
                .collect();
            let whole = usual.get(..usual.len() / 4 * 4).unwrap_or_default();
            let decoded = STANDARD_NO_PAD.decode(&usual).or_else(|_| STANDARD.decode(whole)).unwrap_or_default();
            inner.extend(inflated(&decoded));
            let hexed = hex::decode(run).unwrap_or_default();
            inner.extend(inflated(&hexed));
        }
        for part in inner {
            found.extend(self.plainly(&part).into_iter().map(|one| Found { form: "compressed", ..one }));
        }
        found
    }

    fn plainly(&self, bytes: &[u8]) -> BTreeSet<Found> {
        let Some(automaton) = &self.automaton else { return BTreeSet::new() };
        let matches = automaton.find_overlapping_iter(bytes);
        matches.filter_map(|found| self.meanings.get(found.pattern().as_usize()).cloned()).collect()
    }
}

/// What lies in bytes that are compressed: from their beginning, or from the first sign of gzip or zlib.
fn inflated(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for at in 0..bytes.len().saturating_sub(2).min(64 << 10) {
        let rest = bytes.get(at..).unwrap_or_default();
        let mut plain = Vec::new();
        match rest {
            [0x1f, 0x8b, 8, ..] => {
                let _ = flate2::read::GzDecoder::new(rest).take(INFLATED).read_to_end(&mut plain);
            }
            [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => {
                let _ = flate2::read::ZlibDecoder::new(rest).take(INFLATED).read_to_end(&mut plain);
            }
            _ => continue,
        }
        if plain.len() >= PIECE {
            all.push(plain);
        }
        if all.len() >= 8 {
            break;
        }
    }
    all
}

/// How a value can be written.
fn forms(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = value.as_bytes();
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    let lower = hex::encode(bytes);
    let turned = bytes.iter().map(|byte| match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        other => *other,
    });
    let mut escaped = String::new();
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(escaped, "%{byte:02x}");
    }
    let mut forms = vec![
        ("plain", bytes.to_vec()),
        ("reversed", reversed.clone()),
        ("hex", lower.to_ascii_uppercase().into_bytes()),
        ("hex", lower.into_bytes()),
        ("rot13", turned.collect()),
        ("url", escaped.to_ascii_uppercase().into_bytes()),
        ("url", escaped.into_bytes()),
    ];
    for (form, text) in [("base64", bytes), ("reversed, base64", reversed.as_slice())] {
        for offset in 0..3 {
            // Inside a longer text the value begins at one of three places of a group; letters that it shares with its
            // neighbours are left out.
            let mut padded = vec![0; offset];
            padded.extend_from_slice(text);
            let first = [0, 2, 3].get(offset).copied().unwrap_or(0);
            let whole = padded.len() * 8 / 6;
            for written in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
                forms.push((form, written.get(first..whole).unwrap_or_default().as_bytes().to_vec()));
            }
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::{Canaries, Canary, fresh};

    fn one() -> Canaries {
        let place = "$A".to_owned();
        Canaries::new(vec![Canary { place, value: fresh(), readers: &[], hosts: &[], grave: true }])
    }

    #[test]
    fn a_value_is_found_however_it_is_written() {
        let canaries = one();
        let value = canaries.all.first().map(|one| one.value.clone()).unwrap_or_default();
        let forms = |bytes: &[u8]| canaries.find(bytes).into_iter().map(|found| found.form).collect::<Vec<_>>();
        assert_eq!(forms(format!("key={value}&").as_bytes()), ["plain"]);
        assert_eq!(forms(STANDARD.encode(format!("x{value}")).as_bytes()), ["base64"]);
        assert_eq!(forms(hex::encode(&value).as_bytes()), ["hex"]);
        assert_eq!(forms(value.chars().rev().collect::<String>().as_bytes()), ["reversed"]);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        assert!(packed.write_all(format!("all of {value}").as_bytes()).is_ok());
        let packed = packed.finish().unwrap_or_default();
        assert_eq!(forms(&packed), ["compressed"]);
        assert_eq!(forms(STANDARD.encode(&packed).as_bytes()), ["compressed"]);
        assert_eq!(forms(value.get(10..27).unwrap_or_default().as_bytes()), ["plain"], "a piece is enough");
        assert!(forms(fresh().as_bytes()).is_empty());
        assert!(forms(b"nothing of it").is_empty());
    }
}
