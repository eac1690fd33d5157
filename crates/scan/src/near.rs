//! Near-duplicates: a signature of fixed size for any text, by which copies with small changes are found.
//!
//! The text is brought to words in lower case; every run of five words is hashed and falls into one of [`SIZE`] places, each
//! of which keeps its smallest hash. The share of equal places estimates the share of runs that two texts have in common.

use std::collections::HashMap;

/// How many places a signature has: the estimate is right to about one twelfth.
pub const SIZE: usize = 128;
/// How many words a run has.
const RUN: usize = 5;
/// Texts with fewer runs say too little about likeness.
const FEWEST: u32 = 8;
/// How many places one bucket of the grouping compares.
const BAND: usize = 4;
/// How many buckets a signature is kept in, and how many places each compares: of texts with three quarters in common 95 in a
/// hundred meet in one, of texts with nine tenths all.
const KEPT_BANDS: usize = 8;
const KEPT_BAND: usize = 4;
/// Runs of a text that count.
const MOST_RUNS: usize = 200_000;
/// The upper bits of a hash say into which place it falls.
const PLACE_BITS: u32 = u64::BITS - SIZE.ilog2();

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
        let mut runs = Vec::new();
        let mut words: [u64; RUN] = [0; RUN];
        let mut count = 0usize;
        for part in parts {
            read_words(part, |word| {
                words.rotate_left(1);
                words[RUN - 1] = word;
                count += 1;
                if count >= RUN && runs.len() < MOST_RUNS {
                    runs.push(words.iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| mix(hash ^ word)));
                }
            });
        }
        Self { places: places_of(&runs), runs: u32::try_from(runs.len()).unwrap_or(u32::MAX) }
    }

    /// The places, to be kept by whoever compares later.
    pub const fn places(&self) -> &[u64; SIZE] {
        &self.places
    }

    /// How many runs of words the text has.
    pub const fn runs(&self) -> u32 {
        self.runs
    }

    /// The buckets in which texts that are alike meet; none when the text is too short to tell.
    pub fn bands(&self) -> Vec<u64> {
        if self.runs < FEWEST {
            return Vec::new();
        }
        let band = |(number, places): (u64, &[u64])| places.iter().fold(mix(number), |hash, place| mix(hash ^ place));
        (1u64..).zip(self.places.chunks_exact(KEPT_BAND).take(KEPT_BANDS)).map(band).collect()
    }

    /// The signature as it is kept, two bytes a place; nothing when the text is too short to tell.
    pub fn kept(&self) -> Vec<u8> {
        if self.runs < FEWEST {
            return Vec::new();
        }
        self.places.iter().flat_map(|place| place.to_le_bytes().into_iter().take(2)).collect()
    }

    /// The estimated share of runs in common, from 0 to 1; 0 when one of the texts is too short to tell.
    #[expect(clippy::cast_precision_loss, reason = "at most 128")]
    pub fn similarity(&self, other: &Self) -> f64 {
        if self.runs < FEWEST || other.runs < FEWEST {
            return 0.0;
        }
        let equal = self.places.iter().zip(&other.places).filter(|(one, two)| one == two).count();
        equal as f64 / SIZE as f64
    }
}

/// The estimated share of runs in common of two signatures that were kept, in percent; 0 when one says nothing.
pub fn kept_likeness(one: &[u8], other: &[u8]) -> u32 {
    if one.len() != SIZE * 2 || other.len() != SIZE * 2 {
        return 0;
    }
    let equal = one.as_chunks::<2>().0.iter().zip(other.as_chunks::<2>().0).filter(|(one, other)| one == other).count();
    u32::try_from(equal * 100 / SIZE).unwrap_or(0)
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

/// Of each place the least hash of the runs that fell into it. Each round throws every run into some place anew, and fills
/// only those that no round before has filled: long texts need one round, short ones some. The last rounds throw all runs
/// into one place each, so that none stays empty.
fn places_of(runs: &[u64]) -> [u64; SIZE] {
    let mut places = [None::<u64>; SIZE];
    let rounds = if runs.is_empty() { 0 } else { 2 * SIZE };
    for (number, round) in (1u64..).zip(0..rounds) {
        let before = places;
        for run in runs {
            let hash = mix(run ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let place = round.checked_sub(SIZE).unwrap_or((hash >> PLACE_BITS) as usize);
            if before[place].is_none() {
                places[place] = Some(places[place].map_or(hash, |least| least.min(hash)));
            }
        }
        if places.iter().all(Option::is_some) {
            break;
        }
    }
    places.map(|place| place.unwrap_or(u64::MAX))
}

/// Hands out hashes of the words: runs of letters and digits in lower case; a sign of a script without spaces is a word.
fn read_words(text: &[u8], mut word: impl FnMut(u64)) {
    let text = String::from_utf8_lossy(text);
    let mut hash = 0u64;
    let mut inside = false;
    for char in text.chars() {
        if char.is_ascii_alphanumeric() {
            hash = mix(hash ^ u64::from(char.to_ascii_lowercase() as u32));
            inside = true;
            continue;
        }
        // What shows nothing makes no other word.
        if !char.is_ascii() && kontor_package::is_invisible(char) {
            continue;
        }
        if char.is_alphanumeric() && !is_ideograph(char) {
            for lower in char.to_lowercase() {
                hash = mix(hash ^ u64::from(u32::from(lower)));
            }
            inside = true;
            continue;
        }
        if inside {
            word(hash);
        }
        (hash, inside) = (0, false);
        if is_ideograph(char) {
            word(mix(u64::from(u32::from(char))));
        }
    }
    if inside {
        word(hash);
    }
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
