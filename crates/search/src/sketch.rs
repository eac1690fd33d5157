//! A document in a few hundred bytes: its content words in their order, each as a 16-bit hash.
//!
//! Read only for the best documents of a query, it tells which words are neighbours and how often frequent ones occur,
//! without the positions of every word in the index.

use crate::analysis::{self, Style};

/// The most words of one section.
const SECTION_LIMIT: usize = 1_024;
/// Stands between two sections; no word has this hash.
const BREAK: u16 = 0;

/// A word's hash: FNV-1a folded to 16 bits, the same on every machine and in every release.
pub fn word_hash(term: &str) -> u16 {
    let hash = term.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = hash.to_le_bytes();
    (u16::from_le_bytes([a, b]) ^ u16::from_le_bytes([c, d])).max(1)
}

/// The sketch of the sections' texts.
pub fn sketch(sections: &[&str]) -> Vec<u8> {
    let mut sketch = Vec::new();
    for section in sections {
        let terms = analysis::terms(section, Style::Text);
        let content = terms.iter().filter(|term| !analysis::is_function_word(term)).take(SECTION_LIMIT);
        sketch.extend(content.flat_map(|term| word_hash(term).to_le_bytes()));
        sketch.extend(BREAK.to_le_bytes());
    }
    sketch
}

/// The sections of a sketch.
pub fn sections(sketch: &[u8]) -> Vec<Vec<u16>> {
    let (pairs, _) = sketch.as_chunks::<2>();
    let words: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    words.split(|word| *word == BREAK).map(<[u16]>::to_vec).collect()
}
