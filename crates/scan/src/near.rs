//! Near-duplicates: a signature of fixed size for any text, by which copies with small changes are found.
//!
//! The text is brought to words in lower case; every run of five words is hashed; of each of [`SIZE`] permutations the
//! smallest hash is kept. The share of equal places estimates the share of runs that two texts have in common.

use std::collections::HashMap;

/// How many places a signature has: the estimate is right to about one eighth.
pub const SIZE: usize = 64;
/// How many words a run has.
const RUN: usize = 5;
/// Texts with fewer runs say too little about likeness.
const FEWEST: u32 = 8;
/// How many places one bucket of the grouping compares.
const BAND: usize = 4;

/// What stays of a text when only its likeness matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    places: [u64; SIZE],
    runs: u32,
}

impl Signature {
    /// The signature of one text; bytes that are no UTF-8 count as signs between words.
    pub fn of(text: &[u8]) -> Self {
        Self::of_parts([text])
    }

    /// The signature of a skill: all its texts but licences, which many skills share.
    pub fn of_skill<'t>(files: impl IntoIterator<Item = (&'t str, &'t [u8])>) -> Self {
        let is_licence = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path).to_ascii_uppercase();
            ["LICENSE", "LICENCE", "COPYING", "NOTICE"].iter().any(|start| name.starts_with(start))
        };
        let texts = files.into_iter().filter(|(path, bytes)| !is_licence(path) && std::str::from_utf8(bytes).is_ok());
        Self::of_parts(texts.map(|(_, bytes)| bytes))
    }

    /// The signature of several texts as one, in their order.
    pub fn of_parts<'t>(parts: impl IntoIterator<Item = &'t [u8]>) -> Self {
        let mut places = [u64::MAX; SIZE];
        let mut runs = 0u32;
        let mut words: [u64; RUN] = [0; RUN];
        let mut count = 0usize;
        for part in parts {
            for word in words_of(part) {
                words.rotate_left(1);
                words[RUN - 1] = word;
                count += 1;
                if count < RUN {
                    continue;
                }
                runs = runs.saturating_add(1);
                let run = words.iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| mix(hash ^ word));
                for (place, least) in (1u64..).zip(places.iter_mut()) {
                    *least = (*least).min(mix(run ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
                }
            }
        }
        Self { places, runs }
    }

    /// The places, to be kept by whoever compares later.
    pub const fn places(&self) -> &[u64; SIZE] {
        &self.places
    }

    /// How many runs of words the text has.
    pub const fn runs(&self) -> u32 {
        self.runs
    }

    /// A signature that was kept.
    pub const fn from_places(places: [u64; SIZE], runs: u32) -> Self {
        Self { places, runs }
    }

    /// The estimated share of runs in common, from 0 to 1; 0 when one of the texts is too short to tell.
    #[expect(clippy::cast_precision_loss, reason = "at most 64")]
    pub fn similarity(&self, other: &Self) -> f64 {
        if self.runs < FEWEST || other.runs < FEWEST {
            return 0.0;
        }
        let equal = self.places.iter().zip(&other.places).filter(|(one, two)| one == two).count();
        equal as f64 / SIZE as f64
    }
}

/// Members of groups in which each is at least `least` like the first, as places in the given list; groups of one are left
/// out. Buckets of equal places keep the work near to linear.
pub fn groups(signatures: &[Signature], least: f64) -> Vec<Vec<usize>> {
    let mut buckets: HashMap<(usize, [u64; BAND]), Vec<usize>> = HashMap::new();
    let mut first: Vec<usize> = (0..signatures.len()).collect();
    for (number, signature) in signatures.iter().enumerate() {
        if signature.runs < FEWEST {
            continue;
        }
        for (band, places) in signature.places.chunks_exact(BAND).enumerate() {
            let mut key = [0; BAND];
            key.copy_from_slice(places);
            let bucket = buckets.entry((band, key)).or_default();
            if first[number] == number {
                let like = bucket.iter().find(|other| signatures[**other].similarity(signature) >= least);
                if let Some(other) = like {
                    first[number] = first[*other];
                }
            }
            if bucket.len() < 64 {
                bucket.push(number);
            }
        }
    }
    let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
    for (number, group) in first.into_iter().enumerate() {
        groups.entry(group).or_default().push(number);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().filter(|group| group.len() > 1).collect();
    groups.sort();
    groups
}

/// Hashes of the words: runs of letters and digits in lower case; a sign of a script without spaces is a word.
fn words_of(text: &[u8]) -> impl Iterator<Item = u64> {
    let text = String::from_utf8_lossy(text);
    let mut words = Vec::new();
    let mut hash = 0u64;
    let mut inside = false;
    for char in text.chars() {
        let joined = char.is_alphanumeric() && !is_ideograph(char);
        if joined {
            for lower in char.to_lowercase() {
                hash = mix(hash ^ u64::from(u32::from(lower)));
            }
            inside = true;
            continue;
        }
        if inside {
            words.push(hash);
        }
        (hash, inside) = (0, false);
        if is_ideograph(char) {
            words.push(mix(u64::from(u32::from(char))));
        }
    }
    if inside {
        words.push(hash);
    }
    words.into_iter()
}

const fn is_ideograph(char: char) -> bool {
    matches!(char, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// A bijection of 64 bits that leaves no pattern.
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (value ^ (value >> 31)).wrapping_add(0x2545_f491_4f6c_dd1d)
}
