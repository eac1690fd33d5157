//! A document in a few hundred bytes: its words in their order, each as a 14-bit hash.
//!
//! Read only for the best documents of a query, it tells which words are neighbours and how often frequent ones occur,
//! without the positions of every word in the index.

/// How many different hashes there are.
pub const HASHES: usize = 1 << 14;
/// The most words of one section.
const SECTION_LIMIT: usize = 1_200;
/// Stands between two sections; no word has this hash.
const BREAK: u16 = 0;

/// A word's hash: FNV-1a folded to 14 bits, the same on every machine and in every release.
pub fn word_hash(term: &str) -> u16 {
    let hash = term.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = (hash ^ (hash >> 14)).to_le_bytes();
    let folded = u16::from_le_bytes([a, b]) ^ u16::from_le_bytes([d, c]);
    (folded & 0x3fff).max(1)
}

/// The sketch of the sections' terms: two ASCII characters a word.
pub fn sketch(sections: &[&[String]]) -> String {
    let mut sketch = String::new();
    for terms in sections {
        for term in terms.iter().take(SECTION_LIMIT) {
            push(word_hash(term), &mut sketch);
        }
        push(BREAK, &mut sketch);
    }
    sketch
}

/// The sections of a sketch, each word's hash in its order.
pub fn sections(sketch: &str) -> impl Iterator<Item = impl Iterator<Item = u16> + '_> + '_ {
    let (pairs, _) = sketch.as_bytes().as_chunks::<2>();
    let hash = |[high, low]: &[u8; 2]| u16::from(*high) << 7 | u16::from(*low);
    pairs.split(move |pair| hash(pair) == BREAK).map(move |section| section.iter().map(hash))
}

fn push(word: u16, sketch: &mut String) {
    let [low, high] = ((word & 0x3f80) << 1 | word & 0x7f).to_le_bytes();
    sketch.push(char::from(high));
    sketch.push(char::from(low));
}
