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
    /// How it was written: `plain`, `json`, `base64`, `url` or `hex`.
    pub form: String,
    /// Where: `stdout`, `stderr`, the path of an output, a name or a connection.
    pub place: String,
}

/// Knows how the values of some secrets look in an output.
#[derive(Debug)]
pub struct Redactor {
    /// Finds them as they stand.
    exact: Finder,
    /// Finds them in a text without its white space: encoders break their lines where they like.
    packed: Finder,
}

/// Finds patterns, and knows what they mean.
#[derive(Debug, Default)]
struct Finder {
    automaton: Option<AhoCorasick>,
    /// Name and form of each pattern.
    meanings: Vec<(String, &'static str)>,
    longest: usize,
}

type Patterns = BTreeMap<Vec<u8>, (String, &'static str)>;

impl Finder {
    fn of(patterns: Patterns) -> Result<Self, Error> {
        let longest = patterns.keys().map(Vec::len).max().unwrap_or(0);
        let (texts, meanings): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
        let automaton =
            (!texts.is_empty()).then(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts));
        let automaton = automaton.transpose().map_err(|_| Error::Secret {
            name: meanings.first().map(|(name, _): &(String, _)| name.clone()).unwrap_or_default(),
            reason: "there are too many secrets to look for",
        })?;
        Ok(Self { automaton, meanings, longest })
    }

    fn find<'f>(&'f self, text: &[u8]) -> Vec<Found<'f>> {
        let Some(automaton) = &self.automaton else { return Vec::new() };
        let found = automaton.find_iter(text).filter_map(|found| {
            let (name, form) = self.meanings.get(found.pattern().as_usize())?;
            Some(Found { start: found.start(), end: found.end(), name, form })
        });
        found.collect()
    }
}

/// Where a secret stands.
#[derive(Debug, Clone, Copy)]
struct Found<'f> {
    start: usize,
    end: usize,
    name: &'f str,
    form: &'static str,
}

impl Redactor {
    /// Looks for these secrets, by name.
    ///
    /// # Errors
    /// [`Error::Secret`] for values that are too short to be told from other text, or too long.
    pub fn new<'s>(secrets: impl IntoIterator<Item = (&'s str, &'s str)>) -> Result<Self, Error> {
        let (mut exact, mut packed) = (Patterns::new(), Patterns::new());
        for (name, value) in secrets {
            let refused = |reason| Err(Error::Secret { name: name.to_owned(), reason });
            if value.trim().len() < SHORTEST {
                return refused("its value is shorter than 6 bytes, so it could not be kept out of outputs");
            }
            if value.len() > LONGEST {
                return refused("its value is longer than 64 KiB");
            }
            if value.contains('\0') {
                return refused("its value has a zero byte, which no environment can hold");
            }
            // Programs cut white space off its ends, and print a key of several lines line by line.
            let whole = BTreeSet::from([value, value.trim()]);
            let lines =
                value.lines().map(str::trim).filter(|line| line.len() >= SHORTEST && !line.starts_with("-----"));
            let add = |patterns: &mut Patterns, form, text: Vec<u8>| {
                patterns.entry(text).or_insert_with(|| (name.to_owned(), form));
            };
            for text in whole.iter().copied().chain(lines) {
                for (form, text) in as_they_stand(text) {
                    add(&mut exact, form, text);
                }
            }
            for text in whole {
                for (form, text) in encoded(text.as_bytes()) {
                    add(&mut packed, form, text);
                }
            }
        }
        Ok(Self { exact: Finder::of(exact)?, packed: Finder::of(packed)? })
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

    /// A text without secrets, and those that were in it.
    pub fn text(&self, place: &str, text: &str) -> (String, BTreeSet<Alarm>) {
        let mut stream = self.stream(place);
        let mut shown = stream.push(text.as_bytes());
        shown.extend(stream.finish());
        (String::from_utf8_lossy(&shown).into_owned(), stream.alarms)
    }

    const fn is_idle(&self) -> bool {
        self.exact.automaton.is_none()
    }

    /// Where secrets stand, in order and apart from each other, and how much of the text can hold no other that has begun.
    fn look(&self, text: &[u8]) -> (Vec<Found<'_>>, usize) {
        let mut found = self.exact.find(text);
        let (packed, places) = pack(text);
        let place = |at: usize| places.get(at).copied().unwrap_or(text.len());
        found.extend(self.packed.find(&packed).into_iter().map(|found| Found {
            start: place(found.start),
            end: found.end.checked_sub(1).map_or(0, |last| place(last).saturating_add(1)),
            ..found
        }));
        found.sort_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
        let mut apart: Vec<Found<'_>> = Vec::new();
        for one in found {
            match apart.last_mut().filter(|last| one.start < last.end) {
                Some(last) => last.end = last.end.max(one.end),
                None => apart.push(one),
            }
        }
        let safe = match packed.len().checked_sub(self.packed.longest) {
            Some(at) => text.len().saturating_sub(self.exact.longest).min(place(at)),
            None => 0,
        };
        (apart, safe)
    }
}

/// A text without white space, also such as is written with a backslash, and where each of its bytes stood. Much white space
/// stands for itself, so that a stream of nothing else need not be held back.
fn pack(text: &[u8]) -> (Vec<u8>, Vec<usize>) {
    const MOST: usize = 64;
    let (mut packed, mut places) = (Vec::with_capacity(text.len()), Vec::with_capacity(text.len()));
    let (mut at, mut skipped) = (0, 0);
    while let Some(byte) = text.get(at) {
        let length = match (byte, text.get(at + 1)) {
            (b'\\', Some(b'n' | b'r' | b't')) => 2,
            (byte, _) if byte.is_ascii_whitespace() => 1,
            _ => 0,
        };
        if length > 0 && skipped < MOST {
            skipped += length;
            at += length;
            continue;
        }
        if length == 0 {
            skipped = 0;
        }
        packed.push(*byte);
        places.push(at);
        at += 1;
    }
    (packed, places)
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
        if self.redactor.is_idle() {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        self.show(false)
    }

    /// The stream has ended: the rest of it.
    pub fn finish(&mut self) -> Vec<u8> {
        if self.redactor.is_idle() {
            return std::mem::take(&mut self.held);
        }
        self.show(true)
    }

    fn show(&mut self, ended: bool) -> Vec<u8> {
        let (found, safe) = self.redactor.look(&self.held);
        // A match that reaches the end could grow, and a secret could begin in the last bytes.
        let safe = if ended { self.held.len() } else { safe };
        let mut shown = Vec::with_capacity(self.held.len());
        let mut done = 0;
        for one in found.iter().take_while(|one| one.start < safe) {
            shown.extend_from_slice(self.held.get(done..one.start).unwrap_or_default());
            shown.extend_from_slice(format!("[secret {}]", one.name).as_bytes());
            done = one.end;
            let alarm = Alarm { secret: one.name.to_owned(), form: one.form.to_owned(), place: self.place.clone() };
            self.alarms.insert(alarm);
        }
        let until = safe.max(done).min(self.held.len());
        shown.extend_from_slice(self.held.get(done..until).unwrap_or_default());
        self.held.drain(..until);
        shown
    }
}

/// How a text can be written so that its own white space counts.
fn as_they_stand(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![("plain", value.as_bytes().to_vec())];
    // Hosts have no case.
    for text in [value.to_ascii_lowercase(), value.to_ascii_uppercase()] {
        if text != value {
            forms.push(("plain", text.into_bytes()));
        }
    }
    let json = serde_json::to_string(value).unwrap_or_default();
    let json = json.trim_start_matches('"').strip_suffix('"').unwrap_or_default();
    let slashed = json.replace('/', "\\/");
    for text in [json.to_owned(), ascii(json), slashed] {
        if text != value && text.len() >= SHORTEST {
            forms.push(("json", text.into_bytes()));
        }
    }
    for (upper, all, plus) in
        [(true, false, false), (false, false, false), (true, true, false), (false, true, false), (true, false, true)]
    {
        let text = percent(value.as_bytes(), upper, all, plus);
        if text != value {
            forms.push(("url", text.into_bytes()));
        }
    }
    forms
}

/// JSON as programs write it that keep to ASCII.
fn ascii(json: &str) -> String {
    let mut text = String::new();
    for letter in json.chars() {
        if letter.is_ascii() {
            text.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

/// How bytes can be written in letters among which white space means nothing.
fn encoded(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let lower = hex::encode(bytes);
    let mut forms = vec![("hex", lower.to_ascii_uppercase().into_bytes()), ("hex", lower.into_bytes())];
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
