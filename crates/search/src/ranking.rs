//! The few numbers that decide what comes first.

use tantivy::schema::Field;

use crate::schema::Fields;

/// How much one field tells.
#[derive(Debug, Clone, Copy)]
pub struct FieldWeight {
    pub field: Field,
    /// How much an occurrence counts.
    pub weight: f32,
    /// How much the field's length discounts an occurrence, 0 to 1.
    pub length: f32,
}

/// Where repetition stops to count: the saturation of BM25.
pub const SATURATION: f32 = 1.2;
/// The most terms of a query that are ranked by; the rarest stay.
pub const TERMS: usize = 32;
/// The most bytes of a query that are read.
pub const QUERY_LIMIT: usize = 16 * 1024;
/// The most different terms of a query that are looked up.
pub const LOOKUPS: usize = 256;
/// What a word similar to the one asked for counts.
pub const SIMILAR: f32 = 0.5;
/// The sum of scores that counts as half of a full answer.
pub const HALF: f32 = 20.0;

/// The fields that are ranked by.
pub fn field_weights(fields: &Fields) -> [FieldWeight; 4] {
    [
        FieldWeight { field: fields.name, weight: 4.0, length: 0.5 },
        FieldWeight { field: fields.description, weight: 2.0, length: 0.6 },
        FieldWeight { field: fields.keywords, weight: 1.0, length: 0.6 },
        FieldWeight { field: fields.body, weight: 1.0, length: 0.75 },
    ]
}
