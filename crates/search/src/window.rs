//! The second look at the best documents: what was too costly to read for all of them.

use std::sync::LazyLock;

use crate::analysis::function_terms;
use crate::looks::Look;
use crate::postings::Clause;
use crate::ranking::{SLOTS, Weights};
use crate::sketch::{HASHES, sections, word_hash};
use crate::snapshot::Part;
use crate::weighing::{Lengths, Weighted};

/// Marks words of grammar and courtesy, which neighbours are found across.
const FUNCTION: u16 = 1 << 15;
/// What is known of a word by its hash: [`FUNCTION`], and the number of the query's word, counting from 1.
type Marks = [u16; HASHES];

/// The marks of no query.
static FUNCTION_MARKS: LazyLock<Box<Marks>> = LazyLock::new(|| {
    let mut marks = Box::new([0; HASHES]);
    for term in function_terms() {
        marks[usize::from(word_hash(term))] = FUNCTION;
    }
    marks
});

/// What the second look searches for.
pub struct Window {
    marks: Box<Marks>,
    /// Numbers of neighbouring content words of the query.
    pairs: Vec<(u16, u16)>,
    /// The clauses with fields that were not read.
    unread: Vec<Unread>,
    /// How often each word of the query stands in each section.
    counts: Vec<[u16; SLOTS]>,
    /// How often each pair was found in a section.
    found: Vec<f32>,
}

struct Unread {
    word: u16,
    weight: f32,
    slots: [bool; SLOTS],
}

impl Window {
    /// `content` holds the query's content words in their order.
    pub fn new(content: &[String], clauses: &[Clause], weighted: &Weighted) -> Self {
        let mut marks = FUNCTION_MARKS.clone();
        let mut words = 0;
        let mut number = |marks: &mut Marks, hash: u16| {
            let mark = &mut marks[usize::from(hash)];
            if *mark & !FUNCTION == 0 {
                words += 1;
                *mark |= words;
            }
            *mark & !FUNCTION
        };
        let mut hashes: Vec<u16> = content.iter().map(|term| word_hash(term)).collect();
        hashes.retain(|hash| marks[usize::from(*hash)] & FUNCTION == 0);
        let mut pairs: Vec<(u16, u16)> = hashes.windows(2).map(|pair| (pair[0], pair[1])).collect();
        pairs.retain(|(left, right)| left != right);
        for (left, right) in &mut pairs {
            *left = number(&mut marks, *left);
            *right = number(&mut marks, *right);
        }
        pairs.sort_unstable();
        pairs.dedup();
        let unread = weighted.clauses.iter().filter(|clause| clause.unread.contains(&true));
        let unread: Vec<Unread> = unread
            .map(|clause| Unread {
                word: number(&mut marks, word_hash(&clauses[clause.place].term)),
                weight: clause.weight,
                slots: clause.unread,
            })
            .collect();
        let counts = vec![[0; SLOTS]; usize::from(words) + 1];
        Self { marks, found: vec![0.0; pairs.len()], pairs, unread, counts }
    }

    /// Whether a second look can find anything.
    pub const fn is_needed(&self) -> bool {
        !self.pairs.is_empty() || !self.unread.is_empty()
    }

    /// The score of a document, given its sketch and what the first look found.
    pub fn score(
        &mut self,
        part: &Part,
        document: u32,
        sketch: &str,
        first: Look,
        weighted: &Weighted,
        lengths: &Lengths,
    ) -> f32 {
        self.counts.fill([0; SLOTS]);
        let mut neighbours = 0.0;
        for (slot, section) in sections(sketch).take(SLOTS).enumerate() {
            neighbours += self.read(slot, section, &lengths.weights);
        }
        let (mut sum, mut covered) = (first.worth, weighted.covered(first.met));
        for Unread { word, weight, slots } in &self.unread {
            let (mut known, mut found) = (false, false);
            let counts = self.counts[usize::from(*word)];
            for (slot, (repetitions, unread)) in counts.into_iter().zip(slots).enumerate() {
                if repetitions > 0 && *unread {
                    found = true;
                    let repetitions = f32::from(repetitions);
                    sum += weight * lengths.worth(slot, &part.norms[slot], document, repetitions);
                }
                known |= repetitions > 0 && !*unread;
            }
            covered += if found && !known { *weight } else { 0.0 };
        }
        weighted.score(sum + neighbours, covered)
    }

    /// Counts the query's words in a section, and tells what those of its pairs count that are neighbours there,
    /// repetitions counting less and less.
    fn read(&mut self, slot: usize, section: impl Iterator<Item = u16>, weights: &Weights) -> f32 {
        let mut any = false;
        let mut left = 0;
        for hash in section {
            let mark = self.marks[usize::from(hash)];
            let right = mark & !FUNCTION;
            if right != 0 {
                self.counts[usize::from(right)][slot] += 1;
                if left != 0
                    && mark & FUNCTION == 0
                    && let Ok(place) = self.pairs.binary_search(&(left, right))
                {
                    self.found[place] += 1.0;
                    any = true;
                }
            }
            if mark & FUNCTION == 0 {
                left = right;
            }
        }
        if !any {
            return 0.0;
        }
        let worth: f32 = self.found.iter().map(|repetitions| repetitions / (repetitions + weights.saturation)).sum();
        self.found.fill(0.0);
        weights.pair * worth
    }
}
