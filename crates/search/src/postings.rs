//! Where in the index the terms of a query stand.

use std::sync::Arc;

use tantivy::InvertedIndexReader;
use tantivy::postings::TermInfo;
use tantivy::schema::Field;

use crate::Error;
use crate::ranking::{FieldWeight, SLOTS};
use crate::snapshot::Part;

/// One thing that is searched for, in every field and spelling that counts for it.
#[derive(Debug, Clone)]
pub struct Clause {
    /// The term itself.
    pub term: String,
    /// How much it counts in the query, besides its rarity.
    pub weight: f32,
    pub sources: Vec<Source>,
}

/// A term in one ranked field.
#[derive(Debug, Clone)]
pub struct Source {
    /// Which of the ranked fields.
    pub slot: usize,
    /// The field whose postings are read; that of the slot unless the term is a spelling.
    pub field: Field,
    pub text: String,
    /// How much this spelling counts.
    pub factor: f32,
}

/// The terms of all clauses in one segment.
pub struct Located {
    /// Where each clause's sources stand.
    pub clauses: Vec<Vec<Place>>,
}

/// Where the postings of a source lie.
pub struct Place {
    pub slot: usize,
    pub factor: f32,
    pub terms: Arc<InvertedIndexReader>,
    pub found: TermInfo,
}

impl Located {
    pub fn new(part: &Part, ranked: &[FieldWeight; SLOTS], clauses: &[Clause]) -> Result<Self, Error> {
        let locate = |source: &Source| -> Result<Option<Place>, Error> {
            let spelling = source.field != ranked[source.slot].field;
            let other = if spelling { Some(part.segment.inverted_index(source.field)?) } else { None };
            let terms = other.as_ref().unwrap_or(&part.terms[source.slot]);
            let found = terms.terms().get(&source.text)?;
            Ok(found.map(|found| Place { slot: source.slot, factor: source.factor, terms: Arc::clone(terms), found }))
        };
        let clause = |clause: &Clause| clause.sources.iter().filter_map(|source| locate(source).transpose()).collect();
        Ok(Self { clauses: clauses.iter().map(clause).collect::<Result<_, Error>>()? })
    }

    /// In how many documents of each field the clause is met, at least.
    pub fn frequencies(&self, clause: usize) -> [u64; SLOTS] {
        let mut frequencies = [0; SLOTS];
        for place in &self.clauses[clause] {
            frequencies[place.slot] = u64::from(place.found.doc_freq).max(frequencies[place.slot]);
        }
        frequencies
    }
}
