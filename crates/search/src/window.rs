//! The second look at the best documents: what was too costly to read for all of them.

use std::collections::HashSet;
use std::sync::LazyLock;

use tantivy::{DocAddress, Searcher};

use crate::Error;
use crate::analysis::function_terms;
use crate::postings::{Clause, Lengths, Look, Weighted};
use crate::ranking::{SLOTS, Weights};
use crate::sketch::{sections, word_hash};

/// Hashes of words of grammar and courtesy, which neighbours are found across.
static FUNCTION_HASHES: LazyLock<HashSet<u16>> = LazyLock::new(|| function_terms().map(word_hash).collect());

/// What the second look searches for.
pub struct Window {
    /// Hashes of neighbouring content words of the query.
    pairs: Vec<(u16, u16)>,
    /// The clauses with fields that were not read.
    unread: Vec<Unread>,
}

struct Unread {
    word: u16,
    weight: f32,
    slots: [bool; SLOTS],
}

impl Window {
    /// `content` holds the query's content words in their order.
    pub fn new(content: &[String], clauses: &[Clause], weighted: &Weighted) -> Self {
        let mut hashes: Vec<u16> = content.iter().map(|term| word_hash(term)).collect();
        hashes.retain(|hash| !FUNCTION_HASHES.contains(hash));
        let mut pairs: Vec<(u16, u16)> = hashes.windows(2).map(|pair| (pair[0], pair[1])).collect();
        pairs.retain(|(left, right)| left != right);
        pairs.sort_unstable();
        pairs.dedup();
        let unread = weighted.clauses.iter().filter(|clause| clause.unread.contains(&true));
        let unread = unread.map(|clause| Unread {
            word: word_hash(&clauses[clause.place].term),
            weight: clause.weight,
            slots: clause.unread,
        });
        Self { pairs, unread: unread.collect() }
    }

    /// Whether a second look can find anything.
    pub const fn is_needed(&self) -> bool {
        !self.pairs.is_empty() || !self.unread.is_empty()
    }

    /// The score of a document with this sketch at the second look.
    pub fn score(
        &self,
        searcher: &Searcher,
        address: DocAddress,
        sketch: &str,
        first: Look,
        weighted: &Weighted,
        lengths: &Lengths,
    ) -> Result<f32, Error> {
        let sections = sections(sketch);
        let segment = searcher.segment_reader(address.segment_ord);
        let (mut sum, mut covered) = (first.worth, first.covered);
        for Unread { word, weight, slots } in &self.unread {
            let (mut known, mut found) = (false, false);
            for (slot, (section, unread)) in sections.iter().zip(slots).enumerate() {
                let repetitions = count(section, *word);
                if repetitions > 0.0 && *unread {
                    found = true;
                    let norms = lengths.norms(segment, slot)?;
                    sum += weight * lengths.worth(slot, &norms, address.doc_id, repetitions);
                }
                known |= repetitions > 0.0 && !*unread;
            }
            covered += if found && !known { *weight } else { 0.0 };
        }
        for section in &sections {
            sum += self.neighbours(section, &lengths.weights);
        }
        Ok(weighted.score(sum, covered))
    }

    /// What the pairs of the query count that are neighbours in a section, repetitions counting less and less.
    fn neighbours(&self, section: &[u16], weights: &Weights) -> f32 {
        let mut found = vec![0.0_f32; self.pairs.len()];
        let mut content = section.iter().copied().filter(|word| !FUNCTION_HASHES.contains(word));
        let Some(mut left) = content.next() else { return 0.0 };
        for right in content {
            if let Ok(place) = self.pairs.binary_search(&(left, right)) {
                found[place] += 1.0;
            }
            left = right;
        }
        weights.pair * found.iter().map(|repetitions| repetitions / (repetitions + weights.saturation)).sum::<f32>()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a section has few words")]
fn count(section: &[u16], word: u16) -> f32 {
    section.iter().filter(|known| **known == word).count() as f32
}
