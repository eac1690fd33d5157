//! Reading the index: which terms exist, how frequent they are, and their postings added up.

use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::TermInfo;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{InvertedIndexReader, Searcher, SegmentReader, Term};

use crate::Error;
use crate::ranking::{FieldWeight, SATURATION};

/// One thing that is searched for, in every field and spelling that counts for it.
#[derive(Debug, Clone)]
pub struct Clause {
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

/// The ranked fields with what length says in each of them.
pub struct Lengths {
    fields: Vec<FieldWeight>,
    /// Per field and length code: the weight of one occurrence.
    tables: Vec<[f32; 256]>,
    documents: u64,
}

impl Lengths {
    pub fn new(searcher: &Searcher, fields: &[FieldWeight]) -> Result<Self, Error> {
        let documents = searcher.segment_readers().iter().map(|segment| u64::from(segment.max_doc())).sum::<u64>();
        let mut tables = Vec::with_capacity(fields.len());
        for field in fields {
            let mut tokens = 0;
            for segment in searcher.segment_readers() {
                tokens += segment.inverted_index(field.field)?.total_num_tokens();
            }
            tables.push(table(field, tokens, documents));
        }
        Ok(Self { fields: fields.to_vec(), tables, documents })
    }

    /// How much a term tells that `frequency` documents have.
    #[expect(clippy::cast_precision_loss, reason = "a ranking needs no more precision")]
    pub fn rarity(&self, frequency: u64) -> f32 {
        let (all, with) = (self.documents.max(frequency) as f32, frequency as f32);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ranking needs no more precision")]
fn table(field: &FieldWeight, tokens: u64, documents: u64) -> [f32; 256] {
    let average = (tokens as f32 / documents.max(1) as f32).max(1.0);
    let mut table = [0.0; 256];
    for (code, entry) in (0..=u8::MAX).zip(&mut table) {
        let length = FieldNormReader::id_to_fieldnorm(code) as f32;
        *entry = field.weight / (1.0 - field.length + field.length * length / average);
    }
    table
}

/// The terms of all clauses in one segment.
pub struct Located {
    clauses: Vec<Vec<Place>>,
}

/// Where the postings of a source lie.
struct Place {
    slot: usize,
    factor: f32,
    terms: Arc<InvertedIndexReader>,
    found: TermInfo,
}

impl Located {
    pub fn new(segment: &SegmentReader, clauses: &[Clause]) -> Result<Self, Error> {
        let locate = |source: &Source| -> Result<Option<Place>, Error> {
            let terms = segment.inverted_index(source.field)?;
            let found = terms.get_term_info(&Term::from_field_text(source.field, &source.text))?;
            Ok(found.map(|found| Place { slot: source.slot, factor: source.factor, terms, found }))
        };
        let clause = |clause: &Clause| clause.sources.iter().filter_map(|source| locate(source).transpose()).collect();
        Ok(Self { clauses: clauses.iter().map(clause).collect::<Result<_, Error>>()? })
    }

    /// How many documents have what the clause asks for, at least.
    pub fn frequency(&self, clause: usize) -> u64 {
        let frequencies = self.clauses[clause].iter().map(|place| u64::from(place.found.doc_freq));
        frequencies.max().unwrap_or(0)
    }
}

/// The scores of one segment's documents while they are added up.
pub struct Scores {
    /// Per document: the sum so far.
    pub sums: Vec<f32>,
    /// Per document: how many clauses it met.
    pub met: Vec<u8>,
    occurrences: Vec<f32>,
    touched: Vec<u32>,
}

impl Scores {
    pub fn new(documents: u32) -> Self {
        let size = documents as usize;
        Self { sums: vec![0.0; size], met: vec![0; size], occurrences: vec![0.0; size], touched: Vec::new() }
    }

    /// Adds one clause: occurrences of all fields first, then saturated once.
    pub fn add(
        &mut self,
        segment: &SegmentReader,
        located: &Located,
        clause: usize,
        weight: f32,
        lengths: &Lengths,
    ) -> Result<(), Error> {
        for Place { slot, factor, terms, found } in &located.clauses[clause] {
            let norms = segment.get_fieldnorms_reader(lengths.fields[*slot].field)?;
            let table = &lengths.tables[*slot];
            let mut block = terms.read_block_postings_from_terminfo(found, IndexRecordOption::WithFreqs)?;
            while !block.docs().is_empty() {
                for (document, frequency) in block.docs().iter().zip(block.freqs()) {
                    #[expect(clippy::cast_precision_loss, reason = "a ranking needs no more precision")]
                    let occurrence = factor * *frequency as f32 * table[usize::from(norms.fieldnorm_id(*document))];
                    let seen = &mut self.occurrences[*document as usize];
                    if *seen == 0.0 {
                        self.touched.push(*document);
                    }
                    *seen += occurrence;
                }
                block.advance();
            }
        }
        for document in self.touched.drain(..) {
            let document = document as usize;
            let occurrences = std::mem::take(&mut self.occurrences[document]);
            self.sums[document] += weight * occurrences / (SATURATION + occurrences);
            self.met[document] = self.met[document].saturating_add(1);
        }
        Ok(())
    }
}
