//! Reading the index: which terms exist, how frequent they are, and their postings added up.

use std::sync::{Arc, Mutex, PoisonError};

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::TermInfo;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{InvertedIndexReader, Searcher, SegmentReader, Term};

use crate::Error;
use crate::analysis::has_chinese;
use crate::ranking::{ALWAYS_READ, BODY, BUDGET, DESCRIPTION, FieldWeight, SLOTS, TERMS, Weights};
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
    /// What the ranking goes by.
    pub weights: Weights,
}

impl Lengths {
    pub fn new(searcher: &Searcher, script: Field, fields: &[FieldWeight], weights: Weights) -> Result<Self, Error> {
        let documents = searcher.segment_readers().iter().map(|segment| u64::from(segment.max_doc())).sum::<u64>();
        let mut tables = Vec::with_capacity(fields.len());
        for field in fields {
            let mut tokens = 0;
            for segment in searcher.segment_readers() {
                tokens += segment.inverted_index(field.field)?.total_num_tokens();
            }
            tables.push(table(field, weights.saturation, tokens, documents));
        }
        let chinese = searcher.doc_freq(&Term::from_field_text(script, CHINESE))?;
        Ok(Self { fields: fields.to_vec(), tables, documents, chinese, weights })
    }

    /// How much a term tells that `frequency` documents have: among those written in its script.
    #[expect(clippy::cast_precision_loss, reason = "a ranking needs no more precision")]
    fn rarity(&self, term: &str, frequency: u64) -> f32 {
        let among = if has_chinese(term) { self.chinese } else { self.documents };
        let (all, with) = (among.max(frequency) as f32, frequency as f32);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln().powf(self.weights.rarity)
    }

    /// What `repetitions` of a term are worth in the field of a document, without the term's weight.
    pub fn worth(&self, slot: usize, norms: &FieldNormReader, document: u32, repetitions: f32) -> f32 {
        let half = self.tables[slot][usize::from(norms.fieldnorm_id(document))];
        self.fields[slot].weight * repetitions / (repetitions + half)
    }

    /// The lengths of a field in a segment.
    pub fn norms(&self, segment: &SegmentReader, slot: usize) -> Result<FieldNormReader, Error> {
        Ok(segment.get_fieldnorms_reader(self.fields[slot].field)?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ranking needs no more precision")]
fn table(field: &FieldWeight, saturation: f32, tokens: u64, documents: u64) -> [f32; 256] {
    let average = (tokens as f32 / documents.max(1) as f32).max(1.0);
    let mut table = [0.0; 256];
    for (code, entry) in (0..=u8::MAX).zip(&mut table) {
        let length = FieldNormReader::id_to_fieldnorm(code) as f32;
        *entry = saturation * (1.0 - field.length + field.length * length / average);
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

    /// In how many documents of each field the clause is met, at least.
    fn frequencies(&self, clause: usize) -> [u64; SLOTS] {
        let mut frequencies = [0; SLOTS];
        for place in &self.clauses[clause] {
            frequencies[place.slot] = u64::from(place.found.doc_freq).max(frequencies[place.slot]);
        }
        frequencies
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
    coverage: f32,
}

/// A clause with what it counts.
#[derive(Debug, Clone, Copy)]
pub struct WeightedClause {
    /// Its place among the clauses of the query.
    pub place: usize,
    pub weight: f32,
    /// Fields that only the best documents are looked up in.
    pub unread: [bool; SLOTS],
}

impl Weighted {
    /// The clauses that tell most among those that stand anywhere.
    pub fn new(clauses: &[Clause], located: &[Located], lengths: &Lengths) -> Self {
        let weigh = |(place, clause): (usize, &Clause)| {
            let mut frequencies = [0; SLOTS];
            for located in located {
                for (sum, some) in frequencies.iter_mut().zip(located.frequencies(place)) {
                    *sum += some;
                }
            }
            let most = frequencies.into_iter().max().unwrap_or(0);
            let weight = clause.weight * lengths.rarity(&clause.term, most);
            (most > 0).then_some((WeightedClause { place, weight, unread: [false; SLOTS] }, frequencies))
        };
        let mut weighted: Vec<_> = clauses.iter().enumerate().filter_map(weigh).collect();
        weighted
            .sort_by(|(left, _), (right, _)| right.weight.total_cmp(&left.weight).then(left.place.cmp(&right.place)));
        let mut pruned = weighted.len() > TERMS;
        weighted.truncate(TERMS);
        let mut budget = BUDGET;
        for (place, (clause, frequencies)) in weighted.iter_mut().enumerate() {
            for slot in [DESCRIPTION, BODY] {
                let affordable = place < ALWAYS_READ || frequencies[slot] <= budget;
                clause.unread[slot] = !affordable;
                pruned |= !affordable;
                budget = budget.saturating_sub(if affordable { frequencies[slot] } else { 0 });
            }
        }
        let clauses: Vec<WeightedClause> = weighted.into_iter().map(|(clause, _)| clause).collect();
        let total = clauses.iter().map(|clause| clause.weight).sum::<f32>().max(f32::MIN_POSITIVE);
        Self { clauses, total, pruned, coverage: lengths.weights.coverage }
    }

    /// The score of a document: the sum of what was found, less what of the query it does not cover.
    pub fn score(&self, sum: f32, covered: f32) -> f32 {
        sum * (covered / self.total).min(1.0).powf(self.coverage)
    }
}

/// What is known of one document at the first look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// The worth of all occurrences.
    pub worth: f32,
    /// The weights of the clauses that it meets.
    pub covered: f32,
    /// How many clauses it meets.
    pub met: u8,
    /// The number of the clause that it met last, counting from 1.
    last: u8,
}

/// The first look at one segment's documents.
#[derive(Default)]
pub struct Looks {
    looks: Vec<Look>,
    /// The documents that meet any clause.
    touched: Vec<u32>,
}

impl Looks {
    /// Reads the postings of all clauses, where they are read at all.
    pub fn read(
        &mut self,
        segment: &SegmentReader,
        located: &Located,
        weighted: &Weighted,
        lengths: &Lengths,
    ) -> Result<(), Error> {
        self.looks.resize(self.looks.len().max(segment.max_doc() as usize), Look::default());
        for (number, clause) in (1..).zip(&weighted.clauses) {
            for place in &located.clauses[clause.place] {
                if !clause.unread[place.slot] {
                    self.add(segment, number, clause.weight, place, lengths)?;
                }
            }
        }
        Ok(())
    }

    /// The documents that meet any clause, with what is known of them.
    pub fn touched(&self) -> impl Iterator<Item = (u32, Look)> + '_ {
        self.touched.iter().map(|document| (*document, self.of(*document)))
    }

    /// What is known of a document.
    pub fn of(&self, document: u32) -> Look {
        self.looks.get(document as usize).copied().unwrap_or_default()
    }

    /// Forgets everything but keeps the room.
    pub fn clear(&mut self) {
        for document in self.touched.drain(..) {
            self.looks[document as usize] = Look::default();
        }
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
        let norms = lengths.norms(segment, place.slot)?;
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
                let look = &mut self.looks[*document as usize];
                look.worth += worth * repetitions / (repetitions + half);
                if look.last != number {
                    if look.last == 0 {
                        self.touched.push(*document);
                    }
                    look.last = number;
                    look.covered += weight;
                    look.met += 1;
                }
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
