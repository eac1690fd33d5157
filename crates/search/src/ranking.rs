//! The few numbers that decide what comes first.
//!
//! They were chosen by hand on the whole development half of the retrieval yardstick, so its figures flatter them a little.
//! `cargo xtask bench search --leave-one-out` tells by how much: it chooses the main ones from a grid on all origins but one
//! and judges them on that one.

use tantivy::schema::Field;

use crate::schema::Fields;

/// How much one field tells.
#[derive(Debug, Clone, Copy)]
pub struct FieldWeight {
    pub field: Field,
    /// How much a term in this field counts.
    pub weight: f32,
    /// How much the field's length discounts repetition, 0 to 1.
    pub length: f32,
}

/// The numbers that a yardstick can tell about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// What a term in the name counts.
    pub name: f32,
    /// What it counts in the description.
    pub description: f32,
    /// What it counts in the text.
    pub body: f32,
    /// Where repetition within a field stops to count.
    pub saturation: f32,
    /// How strongly rarity counts: 1 as in BM25, less to trust frequent words more.
    pub rarity: f32,
    /// What a function word (`my`, `how`, `want`) counts beside a content word: authors quote how people ask.
    pub function_word: f32,
    /// How strongly the share of the query that a document meets counts.
    pub coverage: f32,
    /// What two neighbouring words of the query count that are neighbours in a field too.
    pub pair: f32,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            name: 1.5,
            description: 2.0,
            body: 1.0,
            saturation: 0.9,
            rarity: 0.8,
            function_word: 0.4,
            coverage: 0.25,
            pair: 2.0,
        }
    }
}

/// The fields that are ranked by: a term counts in each of them, so what stands in the description and in the text
/// counts twice.
///
/// A long description is hardly held against a skill: it lists more of what people ask for.
pub fn field_weights(fields: &Fields, weights: &Weights) -> [FieldWeight; SLOTS] {
    [
        FieldWeight { field: fields.name, weight: weights.name, length: 0.5 },
        FieldWeight { field: fields.description, weight: weights.description, length: 0.15 },
        FieldWeight { field: fields.keywords, weight: 1.0, length: 0.5 },
        FieldWeight { field: fields.body, weight: weights.body, length: 0.6 },
    ]
}

/// The places of the ranked fields, which are also the sections of a sketch.
pub const NAME: usize = 0;
pub const DESCRIPTION: usize = 1;
pub const BODY: usize = 3;
pub const SLOTS: usize = 4;

/// Words into a query after which a word counts half, because people say first what they want.
pub const PATIENCE: f32 = 80.0;
/// What a word counts at least, however late it comes.
pub const LATE: f32 = 0.3;
/// What a word similar to the one asked for counts.
pub const SIMILAR: f32 = 0.5;
/// How much each e-fold of use raises a score.
pub const USE: f64 = 0.01;
/// The sum of scores that is shown as half of a full answer.
pub const HALF: f32 = 20.0;

/// The most bytes of a query that are read.
pub const QUERY_LIMIT: usize = 16 * 1024;
/// The most different terms of a query that are looked up.
pub const LOOKUPS: usize = 256;
/// The most terms of a query that are ranked by: those that tell most.
pub const TERMS: usize = 32;
/// The most postings of descriptions and bodies that the first look reads, the rarest terms' first.
pub const BUDGET: u64 = 50_000;
/// How many terms are read whatever they cost.
pub const ALWAYS_READ: usize = 3;
/// How many of the best documents get a second look at what was left out: costly terms and neighbours.
pub const WINDOW: usize = 48;
