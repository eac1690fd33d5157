//! Finds some thousand small texts at once, wherever they begin.
//!
//! An automaton of so many texts is larger than the processor's near memory, and each byte waits for the one before. Here the
//! three bytes at each place are looked up in a set of beginnings; few places pass, and only there texts are compared.

/// How many bytes of a text are its beginning.
const BEGINNING: usize = 3;
/// How many bytes of a longer text are looked up besides.
const LONGER: usize = 6;
/// How many bytes are compared at once.
const HEAD: usize = 8;
/// As many bits of a beginning's hash are used.
const BITS: u32 = 16;

/// The texts.
pub struct Needles {
    beginnings: Beginnings,
    /// The same of the first [`LONGER`] bytes of texts that have so many.
    longer: Beginnings,
    /// For each hash of a beginning where its texts begin in `texts`, and where those of [`LONGER`] bytes or more.
    buckets: Vec<(u32, u32)>,
    texts: Vec<Text>,
    /// Texts that are shorter than a beginning, by their first byte.
    short: Vec<Vec<Text>>,
}

/// One text.
struct Text {
    /// Its first bytes, and which of them there are.
    head: u64,
    mask: u64,
    number: usize,
    bytes: Vec<u8>,
}

/// For each hash of a beginning two bits: whether texts with it begin anywhere, and whether some begin where words do.
struct Beginnings(Box<[u64; 1 << (BITS - 5)]>);

impl Beginnings {
    const ANYWHERE: u64 = 1;
    const AT_WORDS: u64 = 2;

    fn new() -> Self {
        Self(Box::new([0; 1 << (BITS - 5)]))
    }

    fn add(&mut self, hash: u16, bit: u64) {
        self.0[usize::from(hash >> 5)] |= bit << (2 * (hash & 31));
    }

    fn of(&self, hash: u16) -> u64 {
        self.0[usize::from(hash >> 5)] >> (2 * (hash & 31)) & 3
    }
}

impl Needles {
    /// Prepares texts that are not empty; each comes with whether it can begin inside a word.
    pub fn new<'t>(texts: impl IntoIterator<Item = (&'t str, bool)>) -> Self {
        let (mut beginnings, mut longer) = (Beginnings::new(), Beginnings::new());
        let mut short: Vec<Vec<Text>> = std::iter::repeat_with(Vec::new).take(256).collect();
        let mut long = Vec::new();
        for (number, (text, inside)) in texts.into_iter().enumerate() {
            let text = Text::new(text.as_bytes().to_vec(), number);
            let Some(first) = text.bytes.first().copied() else { continue };
            if text.bytes.len() < BEGINNING {
                short[usize::from(first)].push(text);
                continue;
            }
            let anywhere = inside || !first.is_ascii_alphanumeric();
            let (bit, hash) =
                (if anywhere { Beginnings::ANYWHERE } else { Beginnings::AT_WORDS }, hash(text.head, BEGINNING));
            beginnings.add(hash, bit);
            if text.bytes.len() >= LONGER {
                longer.add(self::hash(text.head, LONGER), bit);
            }
            long.push((hash, text));
        }
        for same in &mut short {
            same.sort_by_key(|text| text.bytes.len());
        }
        long.sort_by_key(|(hash, text)| (*hash, text.bytes.len()));
        let from = |hash: usize, length: usize| {
            let place = long.partition_point(|(other, text)| (usize::from(*other), text.bytes.len()) < (hash, length));
            u32::try_from(place).unwrap_or(u32::MAX)
        };
        let buckets = (0..=1 << BITS).map(|hash| (from(hash, 0), from(hash, LONGER))).collect();
        Self { beginnings, longer, buckets, texts: long.into_iter().map(|(_, text)| text).collect(), short }
    }

    /// Tells every place of every text with its number, by where it begins and then by where it ends. Texts that begin with a
    /// letter or digit, and not inside a word, may be left out there.
    pub fn find(&self, text: &[u8], mut tell: impl FnMut(usize, usize, usize)) {
        let byte = |at: usize| u64::from(text.get(at).copied().unwrap_or(0));
        let mut beginning = byte(0) << 8 | byte(1) << 16;
        let mut asked = Beginnings::ANYWHERE | Beginnings::AT_WORDS;
        for (at, first) in text.iter().enumerate() {
            beginning = beginning >> 8 | byte(at + BEGINNING - 1) << 16;
            let hash = hash(beginning, BEGINNING);
            let begins = self.beginnings.of(hash) & asked != 0;
            let in_word = first.is_ascii_alphanumeric();
            let now = std::mem::replace(
                &mut asked,
                if in_word { Beginnings::ANYWHERE } else { Beginnings::ANYWHERE | Beginnings::AT_WORDS },
            );
            let short = self.short[usize::from(*first)].as_slice();
            if !begins && short.is_empty() {
                continue;
            }
            let rest = &text[at..];
            let head = head(rest);
            let goes_on = begins && self.longer.of(self::hash(head, LONGER)) & now != 0;
            let bucket = if begins { self.bucket(hash, goes_on) } else { &[] };
            for needle in short.iter().chain(bucket) {
                if head & needle.mask == needle.head && rest.starts_with(&needle.bytes) {
                    tell(at, at + needle.bytes.len(), needle.number);
                }
            }
        }
    }

    fn bucket(&self, hash: u16, goes_on: bool) -> &[Text] {
        let place = usize::from(hash);
        let (start, longer) = self.buckets[place];
        let end = if goes_on { self.buckets[place + 1].0 } else { longer };
        &self.texts[start as usize..end as usize]
    }
}

impl Text {
    fn new(bytes: Vec<u8>, number: usize) -> Self {
        let known = bytes.len().min(HEAD);
        let mask = if known == HEAD { u64::MAX } else { (1 << (8 * known)) - 1 };
        Self { head: head(&bytes), mask, number, bytes }
    }
}

/// The first bytes as one number.
fn head(text: &[u8]) -> u64 {
    if let Some(head) = text.first_chunk() {
        return u64::from_le_bytes(*head);
    }
    text.iter().rev().fold(0, |head, byte| head << 8 | u64::from(*byte))
}

/// The hash of the first bytes of a head.
const fn hash(head: u64, bytes: usize) -> u16 {
    let known = head << (64 - 8 * bytes);
    let [.., low, high] = known.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
    u16::from_le_bytes([low, high])
}

#[cfg(test)]
mod tests {
    use super::Needles;

    fn found(needles: &[(&str, bool)], text: &str) -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        Needles::new(needles.iter().copied())
            .find(text.as_bytes(), |start, end, number| found.push((start, end, number)));
        found
    }

    #[test]
    fn texts_are_found_in_order_and_over_one_another() {
        let needles = [("curl", false), ("curl -s", false), ("rl -", true), ("[", true), ("![", true), ("❌", true)];
        let expected = [(0, 2, 4), (1, 2, 3), (2, 6, 0), (2, 9, 1), (4, 8, 2), (10, 13, 5)];
        assert_eq!(found(&needles, "![curl -s ❌"), expected);
    }

    #[test]
    fn a_text_of_a_word_is_not_found_inside_another() {
        assert_eq!(found(&[("key", false)], "monkey key"), [(7, 10, 0)]);
        assert_eq!(found(&[("key", true)], "monkey"), [(3, 6, 0)]);
    }

    #[test]
    fn the_end_of_a_text_is_read_too() {
        assert_eq!(found(&[("rm", true), ("arm", true)], "arm"), [(0, 3, 1), (1, 3, 0)]);
        assert_eq!(found(&[("rm -rf", true)], "rm"), []);
        assert_eq!(found(&[("a", true)], ""), []);
    }
}
