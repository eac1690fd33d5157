//! The few numbers that decide what comes first.
//!
//! They were chosen on the development half of the retrieval yardstick by leaving one origin out at a time, in the
//! middle of broad plateaus; `cargo xtask bench search` shows what a change of one does.

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

/// The fields that are ranked by: a term counts in each of them, so what stands in the description and in the text
/// counts twice.
///
/// A long description is hardly held against a skill: it lists more of what people ask for.
pub fn field_weights(fields: &Fields) -> [FieldWeight; SLOTS] {
    [
        FieldWeight { field: fields.name, weight: 1.5, length: 0.5 },
        FieldWeight { field: fields.description, weight: 2.0, length: 0.15 },
        FieldWeight { field: fields.keywords, weight: 1.0, length: 0.5 },
        FieldWeight { field: fields.body, weight: 1.0, length: 0.6 },
    ]
}

/// The places of the ranked fields, which are also the sections of a sketch.
pub const NAME: usize = 0;
pub const DESCRIPTION: usize = 1;
pub const BODY: usize = 3;
pub const SLOTS: usize = 4;

/// Where repetition within a field stops to count.
pub const SATURATION: f32 = 0.9;
/// How strongly rarity counts: 1 as in BM25, less to trust frequent words more.
pub const RARITY: f32 = 0.8;
/// What a function word (`my`, `how`, `want`) counts beside a content word: authors quote how people ask.
pub const FUNCTION_WORD: f32 = 0.4;
/// Words into a query after which a word counts half, because people say first what they want.
pub const PATIENCE: f32 = 80.0;
/// What a word counts at least, however late it comes.
pub const LATE: f32 = 0.3;
/// How strongly the share of the query that a document meets counts.
pub const COVERAGE: f32 = 0.25;
/// What two neighbouring words of the query count that are neighbours in a field too.
pub const PAIR: f32 = 2.0;
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
