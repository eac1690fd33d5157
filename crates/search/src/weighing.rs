//! How much the terms of a query count: by rarity, field and length.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::schema::Field;
use tantivy::{Searcher, Term};

use crate::Error;
use crate::analysis::has_chinese;
use crate::postings::{Clause, Located};
use crate::ranking::{ALWAYS_READ, BODY, BUDGET, DESCRIPTION, FieldWeight, SLOTS, TERMS, Weights};
use crate::schema::CHINESE;

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

    /// How many repetitions of a term count half, by the code of the field's length.
    pub fn halves(&self, slot: usize) -> &[f32; 256] {
        &self.tables[slot]
    }

    /// What a term in the field counts.
    pub fn weight(&self, slot: usize) -> f32 {
        self.fields[slot].weight
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

    /// The weights of the clauses that are met, one bit for each.
    pub fn covered(&self, met: u32) -> f32 {
        let mut rest = met;
        let mut covered = 0.0;
        while rest != 0 {
            covered += self.clauses.get(rest.trailing_zeros() as usize).map_or(0.0, |clause| clause.weight);
            rest &= rest - 1;
        }
        covered
    }

    /// The score of a document: the sum of what was found, less what of the query it does not cover.
    pub fn score(&self, sum: f32, covered: f32) -> f32 {
        sum * self.share(covered)
    }

    fn share(&self, covered: f32) -> f32 {
        (covered / self.total).min(1.0).powf(self.coverage)
    }
}

/// How many steps [`Reach`] tells shares of a query apart by.
const STEPS: u8 = 64;
/// What rounding may add.
const SLACK: f32 = 1.000_1;

/// Quick bounds of what coverage leaves of a score, so that most documents need no exact one.
pub struct Reach {
    /// For each of the four bytes of a document's clauses met, and each value of it: how many steps it covers.
    steps: Box<[[f32; 256]; 4]>,
    /// What is left of a score at the most, by the step.
    left: [f32; STEPS as usize + 2],
}

impl Reach {
    pub fn new(weighted: &Weighted) -> Self {
        let mut steps = Box::new([[0.0; 256]; 4]);
        for (byte, clauses) in steps.iter_mut().zip(weighted.clauses.chunks(8)) {
            for (number, clause) in clauses.iter().enumerate() {
                let bit = 1 << number;
                let worth = clause.weight / weighted.total * f32::from(STEPS) * SLACK;
                // Everything below the bit is known by now.
                for value in 0..bit {
                    byte[bit + value] = byte[value] + worth;
                }
            }
        }
        let mut left = [SLACK; STEPS as usize + 2];
        for (step, left) in (1u8..).zip(&mut left) {
            *left = SLACK * weighted.share(weighted.total * f32::from(step) / f32::from(STEPS));
        }
        Self { steps, left }
    }

    /// What is left of a score at the most when these clauses are met.
    pub fn of(&self, met: u32) -> f32 {
        let covered: f32 = self.steps.iter().zip(met.to_le_bytes()).map(|(byte, met)| byte[usize::from(met)]).sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a little over STEPS")]
        let step = covered as usize;
        self.left[step.min(self.left.len() - 1)]
    }
}
