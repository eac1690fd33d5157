//! Reading the index: which terms exist, how frequent they are, and their postings added up.

use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::TermInfo;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{InvertedIndexReader, Searcher, SegmentReader, Term};

use crate::Error;
use crate::analysis::has_chinese;
use crate::ranking::{BODY, COVERAGE, FREQUENT, FieldWeight, RARITY, SATURATION, SHORT_QUERY, TERMS};
use crate::schema::CHINESE;

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

/// The ranked fields with what length says in each of them.
pub struct Lengths {
    fields: Vec<FieldWeight>,
    /// Per field and length code: how many repetitions count half.
    tables: Vec<[f32; 256]>,
    documents: u64,
    /// How many documents hold Chinese.
    chinese: u64,
}

impl Lengths {
    pub fn new(searcher: &Searcher, script: Field, fields: &[FieldWeight]) -> Result<Self, Error> {
        let documents = searcher.segment_readers().iter().map(|segment| u64::from(segment.max_doc())).sum::<u64>();
        let mut tables = Vec::with_capacity(fields.len());
        for field in fields {
            let mut tokens = 0;
            for segment in searcher.segment_readers() {
                tokens += segment.inverted_index(field.field)?.total_num_tokens();
            }
            tables.push(table(field, tokens, documents));
        }
        let chinese = searcher.doc_freq(&Term::from_field_text(script, CHINESE))?;
        Ok(Self { fields: fields.to_vec(), tables, documents, chinese })
    }

    /// How much a term tells that `frequency` documents have: among those written in its script.
    #[expect(clippy::cast_precision_loss, reason = "a ranking needs no more precision")]
    fn rarity(&self, term: &str, frequency: u64) -> f32 {
        let among = if has_chinese(term) { self.chinese } else { self.documents };
        let (all, with) = (among.max(frequency) as f32, frequency as f32);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln().powf(RARITY)
    }

    /// What `repetitions` in a body of this length are worth, without the term's weight.
    pub fn body_worth(&self, code: u8, repetitions: f32) -> f32 {
        self.fields[BODY].weight * repetitions / (repetitions + self.tables[BODY][usize::from(code)])
    }

    /// The bodies' lengths in a segment.
    pub fn bodies(&self, segment: &SegmentReader) -> Result<FieldNormReader, Error> {
        Ok(segment.get_fieldnorms_reader(self.fields[BODY].field)?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ranking needs no more precision")]
fn table(field: &FieldWeight, tokens: u64, documents: u64) -> [f32; 256] {
    let average = (tokens as f32 / documents.max(1) as f32).max(1.0);
    let mut table = [0.0; 256];
    for (code, entry) in (0..=u8::MAX).zip(&mut table) {
        let length = FieldNormReader::id_to_fieldnorm(code) as f32;
        *entry = SATURATION * (1.0 - field.length + field.length * length / average);
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

    /// In how many documents the clause is met, at least; and in how many bodies.
    fn frequencies(&self, clause: usize) -> (u64, u64) {
        let frequency = |place: &Place| u64::from(place.found.doc_freq);
        let places = &self.clauses[clause];
        let bodies = places.iter().filter(|place| place.slot == BODY).map(frequency).max();
        (places.iter().map(frequency).max().unwrap_or(0), bodies.unwrap_or(0))
    }
}

/// The clauses that are ranked by.
pub struct Weighted {
    /// The weightiest first.
    pub clauses: Vec<WeightedClause>,
    /// What a document that meets all of them covers.
    pub total: f32,
    /// Whether documents that meet only what was left out are not counted.
    pub pruned: bool,
}

/// A clause with what it counts.
#[derive(Debug, Clone, Copy)]
pub struct WeightedClause {
    /// Its place among the clauses of the query.
    pub place: usize,
    pub weight: f32,
    /// Whether it stands in so many bodies that only the best documents are looked up for it.
    pub frequent: bool,
}

impl Weighted {
    /// The clauses that tell most among those that stand anywhere.
    pub fn new(clauses: &[Clause], located: &[Located], lengths: &Lengths) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more precision")]
        let share = |bodies: u64| bodies as f32 / lengths.documents.max(1) as f32;
        let weigh = |(place, clause): (usize, &Clause)| {
            let (mut documents, mut bodies) = (0, 0);
            for located in located {
                let (some, in_bodies) = located.frequencies(place);
                documents += some;
                bodies += in_bodies;
            }
            let weight = clause.weight * lengths.rarity(&clause.term, documents);
            (documents > 0).then(|| WeightedClause { place, weight, frequent: share(bodies) > FREQUENT })
        };
        let mut weighted: Vec<WeightedClause> = clauses.iter().enumerate().filter_map(weigh).collect();
        weighted.sort_by(|left, right| right.weight.total_cmp(&left.weight).then(left.place.cmp(&right.place)));
        let mut pruned = weighted.len() > TERMS;
        weighted.truncate(TERMS);
        if weighted.len() <= SHORT_QUERY {
            for clause in &mut weighted {
                clause.frequent = false;
            }
        }
        pruned |= weighted.iter().any(|clause| clause.frequent);
        let total = weighted.iter().map(|clause| clause.weight).sum::<f32>().max(f32::MIN_POSITIVE);
        Self { clauses: weighted, total, pruned }
    }

    /// The score of a document: the sum of what was found, less what of the query it does not cover.
    pub fn score(&self, sum: f32, covered: f32) -> f32 {
        sum * (covered / self.total).min(1.0).powf(COVERAGE)
    }
}

/// The scores of one segment's documents while they are added up.
#[derive(Default)]
pub struct Sums {
    /// Per document: the worth of all occurrences.
    pub worth: Vec<f32>,
    /// Per document: the weights of the clauses that it meets.
    pub covered: Vec<f32>,
    /// Per document: how many clauses it meets.
    pub met: Vec<u8>,
    /// Per document: the number of the clause that it met last, counting from 1.
    last: Vec<u8>,
}

impl Sums {
    pub fn new(
        segment: &SegmentReader,
        located: &Located,
        weighted: &Weighted,
        lengths: &Lengths,
    ) -> Result<Self, Error> {
        let size = segment.max_doc() as usize;
        let mut sums =
            Self { worth: vec![0.0; size], covered: vec![0.0; size], met: vec![0; size], last: vec![0; size] };
        for (number, clause) in (1..).zip(&weighted.clauses) {
            for place in &located.clauses[clause.place] {
                if !(clause.frequent && place.slot == BODY) {
                    sums.add(segment, number, clause.weight, place, lengths)?;
                }
            }
        }
        Ok(sums)
    }

    fn add(
        &mut self,
        segment: &SegmentReader,
        number: u8,
        weight: f32,
        place: &Place,
        lengths: &Lengths,
    ) -> Result<(), Error> {
        let field = &lengths.fields[place.slot];
        let norms = segment.get_fieldnorms_reader(field.field)?;
        let table = &lengths.tables[place.slot];
        let worth = weight * field.weight * place.factor;
        let mut block = place.terms.read_block_postings_from_terminfo(&place.found, IndexRecordOption::WithFreqs)?;
        let mut repetitions = [1; 128];
        while !block.docs().is_empty() {
            // A field without frequencies answers with none: each document counts once.
            for (known, frequency) in repetitions.iter_mut().zip(block.freqs()) {
                *known = *frequency;
            }
            for (document, repetitions) in block.docs().iter().zip(&repetitions) {
                #[expect(clippy::cast_precision_loss, reason = "a ranking needs no more precision")]
                let repetitions = *repetitions as f32;
                let half = table[usize::from(norms.fieldnorm_id(*document))];
                let document = *document as usize;
                self.worth[document] += worth * repetitions / (repetitions + half);
                if self.last[document] != number {
                    self.last[document] = number;
                    self.covered[document] += weight;
                    self.met[document] += 1;
                }
            }
            block.advance();
        }
        Ok(())
    }
}
