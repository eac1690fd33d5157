//! The first look at all documents: the postings of a query's terms added up.

use std::sync::{Mutex, PoisonError};

use tantivy::fieldnorm::FieldNormReader;
use tantivy::schema::IndexRecordOption;

use crate::Error;
use crate::bits::{BLOCK, Bits};
use crate::postings::{Located, Place};
use crate::ranking::TERMS;
use crate::snapshot::Part;
use crate::weighing::{Lengths, Weighted};

/// What is known of one document at the first look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// The worth of all occurrences.
    pub worth: f32,
    /// The clauses that it meets, one bit for each.
    pub met: u32,
}

const _: () = assert!(TERMS <= u32::BITS as usize, "each ranked clause has a bit");

/// The first look at one segment's documents.
#[derive(Default)]
pub struct Looks {
    looks: Vec<Look>,
    /// The documents that meet any clause.
    touched: Bits,
}

impl Looks {
    /// Reads the postings of all clauses, where they are read at all.
    pub fn read(
        &mut self,
        part: &Part,
        located: &Located,
        weighted: &Weighted,
        lengths: &Lengths,
    ) -> Result<(), Error> {
        let size = part.segment.max_doc();
        self.looks.resize(self.looks.len().max(size as usize), Look::default());
        self.touched = Bits::new(size);
        for (number, clause) in (0..).zip(&weighted.clauses) {
            for place in &located.clauses[clause.place] {
                if !clause.unread[place.slot] {
                    let worth = clause.weight * lengths.weight(place.slot) * place.factor;
                    self.add(place, 1 << number, worth, &part.norms[place.slot], lengths.halves(place.slot))?;
                }
            }
        }
        Ok(())
    }

    /// The documents that meet any clause.
    pub const fn touched(&self) -> &Bits {
        &self.touched
    }

    /// What is known of a document.
    pub fn of(&self, document: u32) -> Look {
        self.looks.get(document as usize).copied().unwrap_or_default()
    }

    /// Those of `among` whose worth is at least what `least` tells, which may grow on the way: most blocks of documents
    /// hold none, and are passed over as a whole.
    pub fn worthy(&self, among: &Bits, mut least: f32, mut offer: impl FnMut(u32, Look) -> f32) {
        for (first, documents) in among.blocks() {
            let start = first as usize;
            let looks = self.looks.get(start..(start + BLOCK).min(self.looks.len())).unwrap_or_default();
            if looks.iter().map(|look| u32::from(look.worth >= least)).sum::<u32>() == 0 {
                continue;
            }
            for document in documents {
                let look = self.of(document);
                if look.worth >= least {
                    least = offer(document, look);
                }
            }
        }
    }

    /// Forgets everything but keeps the room.
    pub fn clear(&mut self) {
        for (first, _) in self.touched.blocks() {
            let start = first as usize;
            let end = (start + BLOCK).min(self.looks.len());
            self.looks[start..end].fill(Look::default());
        }
        self.touched = Bits::default();
    }

    fn add(
        &mut self,
        place: &Place,
        bit: u32,
        worth: f32,
        norms: &FieldNormReader,
        halves: &[f32; 256],
    ) -> Result<(), Error> {
        let mut block = place.terms.read_block_postings_from_terminfo(&place.found, IndexRecordOption::WithFreqs)?;
        let mut repetitions = [1; 128];
        // First how many repetitions count half, then the worth.
        let mut worths = [0.0; 128];
        while !block.docs().is_empty() {
            // A field without frequencies answers with none: each document counts once.
            for (known, frequency) in repetitions.iter_mut().zip(block.freqs()) {
                *known = *frequency;
            }
            let documents = block.docs();
            for (worth_here, document) in worths.iter_mut().zip(documents) {
                *worth_here = halves[usize::from(norms.fieldnorm_id(*document))];
            }
            for (worth_here, repetitions) in worths.iter_mut().zip(&repetitions).take(documents.len()) {
                #[expect(clippy::cast_precision_loss, reason = "a ranking needs no more precision")]
                let repetitions = *repetitions as f32;
                *worth_here = worth * repetitions / (repetitions + *worth_here);
            }
            for (document, worth) in documents.iter().zip(&worths) {
                let look = &mut self.looks[*document as usize];
                look.worth += worth;
                look.met |= bit;
                self.touched.insert(*document);
            }
            block.advance();
        }
        Ok(())
    }
}

/// Rooms for first looks, used again so that a query need not clear memory for every document of the hub.
#[derive(Default)]
pub struct Rooms(Mutex<Vec<Looks>>);

/// How many rooms are kept.
const ROOMS: usize = 16;

impl Rooms {
    /// An empty room.
    pub fn take(&self) -> Looks {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Takes a room back.
    pub fn give_back(&self, mut looks: Looks) {
        looks.clear();
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms.len() < ROOMS {
            rooms.push(looks);
        }
    }

    /// Frees the memory of all rooms.
    pub fn empty(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
