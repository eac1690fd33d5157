//! Takes the values of granted secrets out of what a run writes, also where they are encoded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::Error;

/// A shorter value would be found in every other line.
const SHORTEST: usize = 6;
/// No key or token is longer.
const LONGEST: usize = 64 << 10;

/// That a secret was found where it should not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// The secret's name.
    pub secret: String,
    /// How it was written: `plain`, `base64`, `url` or `hex`.
    pub form: String,
    /// Where: `stdout`, `stderr` or the path of an output.
    pub place: String,
}

/// Knows how the values of some secrets look in an output.
#[derive(Debug)]
pub struct Redactor {
    automaton: Option<AhoCorasick>,
    /// Name and form of each pattern.
    meanings: Vec<(String, &'static str)>,
    longest: usize,
}

impl Redactor {
    /// Looks for these secrets, by name.
    ///
    /// # Errors
    /// [`Error::Secret`] for values that are too short to be told from other text, or too long.
    pub fn new<'s>(secrets: impl IntoIterator<Item = (&'s str, &'s str)>) -> Result<Self, Error> {
        let mut patterns: BTreeMap<Vec<u8>, (String, &'static str)> = BTreeMap::new();
        for (name, value) in secrets {
            let refused = |reason| Err(Error::Secret { name: name.to_owned(), reason });
            if value.len() < SHORTEST {
                return refused("its value is shorter than 6 bytes, so it could not be kept out of outputs");
            }
            if value.len() > LONGEST {
                return refused("its value is longer than 64 KiB");
            }
            if value.contains('\0') {
                return refused("its value has a zero byte, which no environment can hold");
            }
            for (form, text) in forms(value) {
                patterns.entry(text).or_insert_with(|| (name.to_owned(), form));
            }
        }
        let longest = patterns.keys().map(Vec::len).max().unwrap_or(0);
        let (texts, meanings): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
        let automaton =
            (!texts.is_empty()).then(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts));
        let automaton = automaton.transpose().map_err(|_| Error::Secret {
            name: meanings.first().map(|(name, _)| name.clone()).unwrap_or_default(),
            reason: "there are too many secrets to look for",
        })?;
        Ok(Self { automaton, meanings, longest })
    }

    /// A stream from which secrets are taken.
    pub fn stream(&self, place: &str) -> Redacted<'_> {
        Redacted { redactor: self, place: place.to_owned(), held: Vec::new(), alarms: BTreeSet::new() }
    }

    /// The secrets that are in some bytes.
    pub fn find(&self, place: &str, bytes: &[u8]) -> BTreeSet<Alarm> {
        let mut stream = self.stream(place);
        stream.push(bytes);
        stream.finish();
        stream.alarms
    }
}

/// One stream on its way through a [`Redactor`]. As many bytes as a secret can have are held back until more come.
#[derive(Debug)]
pub struct Redacted<'r> {
    redactor: &'r Redactor,
    place: String,
    held: Vec<u8>,
    /// What was found so far.
    pub alarms: BTreeSet<Alarm>,
}

impl Redacted<'_> {
    /// Takes more of the stream; what can be shown comes back.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(automaton) = &self.redactor.automaton else { return bytes.to_vec() };
        self.held.extend_from_slice(bytes);
        let mut shown = Vec::with_capacity(self.held.len());
        let mut done = 0;
        // A match that reaches the end could grow, and a secret could begin in the last bytes.
        let safe = self.held.len().saturating_sub(self.redactor.longest);
        for found in automaton.find_iter(&self.held) {
            if found.start() >= safe {
                break;
            }
            shown.extend_from_slice(self.held.get(done..found.start()).unwrap_or_default());
            done = found.end();
            note(self.redactor, found.pattern().as_usize(), &self.place, &mut shown, &mut self.alarms);
        }
        let until = safe.max(done);
        shown.extend_from_slice(self.held.get(done..until).unwrap_or_default());
        self.held.drain(..until);
        shown
    }

    /// The stream has ended: the rest of it.
    pub fn finish(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        let Some(automaton) = &self.redactor.automaton else { return held };
        let mut shown = Vec::with_capacity(held.len());
        let mut done = 0;
        for found in automaton.find_iter(&held) {
            shown.extend_from_slice(held.get(done..found.start()).unwrap_or_default());
            done = found.end();
            note(self.redactor, found.pattern().as_usize(), &self.place, &mut shown, &mut self.alarms);
        }
        shown.extend_from_slice(held.get(done..).unwrap_or_default());
        shown
    }
}

fn note(redactor: &Redactor, pattern: usize, place: &str, shown: &mut Vec<u8>, alarms: &mut BTreeSet<Alarm>) {
    let Some((name, form)) = redactor.meanings.get(pattern) else { return };
    shown.extend_from_slice(format!("[secret {name}]").as_bytes());
    alarms.insert(Alarm { secret: name.clone(), form: (*form).to_owned(), place: place.to_owned() });
}

/// How a value can be written.
fn forms(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = value.as_bytes();
    let mut forms = vec![("plain", bytes.to_vec())];
    let lower = hex::encode(bytes);
    forms.push(("hex", lower.to_ascii_uppercase().into_bytes()));
    forms.push(("hex", lower.into_bytes()));
    for offset in 0..3 {
        // Inside a longer text the value begins at one of three places of a group; letters that it shares with its
        // neighbours are left out.
        let mut padded = vec![0; offset];
        padded.extend_from_slice(bytes);
        let first = [0, 2, 3].get(offset).copied().unwrap_or(0);
        let whole = padded.len() * 8 / 6;
        for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            if let Some(text) = text.get(first..whole).filter(|text| text.len() >= SHORTEST) {
                forms.push(("base64", text.as_bytes().to_vec()));
            }
        }
    }
    for (upper, all, plus) in
        [(true, false, false), (false, false, false), (true, true, false), (false, true, false), (true, false, true)]
    {
        let text = percent(bytes, upper, all, plus);
        if text != value {
            forms.push(("url", text.into_bytes()));
        }
    }
    forms
}

fn percent(bytes: &[u8], upper: bool, all: bool, plus: bool) -> String {
    let mut text = String::new();
    for byte in bytes {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
        let _ = match byte {
            b' ' if plus => write!(text, "+"),
            byte if plain && !all => write!(text, "{}", char::from(*byte)),
            byte if upper => write!(text, "%{byte:02X}"),
            byte => write!(text, "%{byte:02x}"),
        };
    }
    text
}
