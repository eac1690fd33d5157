//! The second look at the best documents: what was too costly to read for all of them.

use tantivy::{DocAddress, Searcher};

use crate::Error;
use crate::postings::{Clause, Lengths, Weighted};
use crate::ranking::{PAIR, SATURATION};
use crate::schema::Fields;
use crate::sketch::{sections, word_hash};
use crate::stored;

/// What the first look found of a document.
#[derive(Debug, Clone, Copy)]
pub struct FirstLook {
    pub sum: f32,
    pub covered: f32,
}

/// What the second look searches for.
pub struct Window {
    /// Hashes of neighbouring content words of the query.
    pairs: Vec<(u16, u16)>,
    /// Hashes and weights of the clauses whose bodies were not read.
    frequent: Vec<(u16, f32)>,
}

/// The section of a sketch that holds the body; the ones before were read at the first look.
pub const BODY_SECTION: usize = 3;

impl Window {
    /// `content` holds the query's content words in their order.
    pub fn new(content: &[String], clauses: &[Clause], weighted: &Weighted) -> Self {
        let hashes: Vec<u16> = content.iter().map(|term| word_hash(term)).collect();
        let mut pairs: Vec<(u16, u16)> = hashes.windows(2).map(|pair| (pair[0], pair[1])).collect();
        pairs.retain(|(left, right)| left != right);
        pairs.sort_unstable();
        pairs.dedup();
        let frequent = weighted.clauses.iter().filter(|clause| clause.frequent);
        let frequent = frequent.map(|clause| (word_hash(&clauses[clause.place].term), clause.weight)).collect();
        Self { pairs, frequent }
    }

    /// Whether a second look can find anything.
    pub const fn is_needed(&self) -> bool {
        !self.pairs.is_empty() || !self.frequent.is_empty()
    }

    /// The score of a document at the second look.
    pub fn score(
        &self,
        searcher: &Searcher,
        fields: &Fields,
        address: DocAddress,
        first: FirstLook,
        weighted: &Weighted,
        lengths: &Lengths,
    ) -> Result<f32, Error> {
        let sections = sections(&stored::sketch(searcher, fields, address)?);
        let FirstLook { mut sum, mut covered } = first;
        let segment = searcher.segment_reader(address.segment_ord);
        let length = lengths.bodies(segment)?.fieldnorm_id(address.doc_id);
        for (word, weight) in &self.frequent {
            let repetitions = sections.get(BODY_SECTION).map_or(0.0, |body| count(body, *word));
            if repetitions > 0.0 {
                sum += weight * lengths.body_worth(length, repetitions);
                if !sections.iter().take(BODY_SECTION).any(|section| section.contains(word)) {
                    covered += weight;
                }
            }
        }
        for section in &sections {
            sum += PAIR * self.neighbours(section);
        }
        Ok(weighted.score(sum, covered))
    }

    /// How many pairs of the query are neighbours in a section, repetitions counting less and less.
    fn neighbours(&self, section: &[u16]) -> f32 {
        let mut found = vec![0.0_f32; self.pairs.len()];
        for pair in section.windows(2).map(|pair| (pair[0], pair[1])) {
            if let Ok(place) = self.pairs.binary_search(&pair) {
                found[place] += 1.0;
            }
        }
        found.iter().map(|repetitions| repetitions / (repetitions + SATURATION)).sum()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a section has few words")]
fn count(section: &[u16], word: u16) -> f32 {
    section.iter().filter(|known| **known == word).count() as f32
}
