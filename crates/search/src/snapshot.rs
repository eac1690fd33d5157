//! The index as it stands after a change, with what every query needs of it opened once.

use std::sync::Arc;

use tantivy::columnar::ColumnValues;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::{InvertedIndexReader, Searcher, SegmentReader};

use crate::copies::Groups;
use crate::ranking::{FieldWeight, SLOTS, Weights, field_weights};
use crate::schema::{Fields, column};
use crate::stored::{Ids, Usage};
use crate::weighing::Lengths;
use crate::{Error, Sort};

/// All segments and what holds for them together.
pub struct Snapshot {
    pub searcher: Searcher,
    /// In the order of the searcher's segments.
    pub parts: Vec<Part>,
    pub lengths: Lengths,
    pub ranked: [FieldWeight; SLOTS],
    /// Which documents are copies of one another.
    pub copies: Groups,
}

/// One segment.
pub struct Part {
    pub segment: SegmentReader,
    /// The dictionaries and postings of the ranked fields.
    pub terms: [Arc<InvertedIndexReader>; SLOTS],
    /// The lengths of the ranked fields.
    pub norms: [FieldNormReader; SLOTS],
    pub ids: Ids,
    /// The lower half of the id of the skill that had a document's text first: its own, for most.
    pub heads: Arc<dyn ColumnValues<u64>>,
    /// When the skills were first published.
    pub created: Arc<dyn ColumnValues<i64>>,
    /// What orders by use.
    pub uses: Usage,
}

impl Snapshot {
    /// Opens the segments of a searcher.
    pub fn open(searcher: Searcher, fields: &Fields, weights: Weights) -> Result<Self, Error> {
        let ranked = field_weights(fields, &weights);
        let lengths = Lengths::new(&searcher, fields.script, &ranked, weights)?;
        let parts = searcher.segment_readers().iter().map(|segment| Part::open(segment, &ranked));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let copies = Groups::read(&parts);
        Ok(Self { searcher, parts, lengths, ranked, copies })
    }
}

impl Part {
    fn open(segment: &SegmentReader, ranked: &[FieldWeight; SLOTS]) -> Result<Self, Error> {
        let [name, description, keywords, body] = ranked.map(|field| segment.inverted_index(field.field));
        let terms = [name?, description?, keywords?, body?];
        let [name, description, keywords, body] = ranked.map(|field| segment.get_fieldnorms_reader(field.field));
        let norms = [name?, description?, keywords?, body?];
        let uses = Usage::new(segment, Sort::Relevance)?;
        let created = segment.fast_fields().column_first_or_default::<i64>(column::CREATED)?;
        let heads = segment.fast_fields().column_first_or_default::<u64>(column::HEAD)?;
        Ok(Self { segment: segment.clone(), terms, norms, ids: Ids::new(segment)?, heads, created, uses })
    }
}
