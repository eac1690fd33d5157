//! Counting the values of a few properties among the matches.

use std::collections::HashMap;

use tantivy::SegmentReader;

use crate::bits::Bits;
use crate::schema::column;
use crate::{Error, Facet, FacetValue};

/// The properties that are counted: their name for callers and their column.
const FACETS: [(&str, &str); 4] = [
    ("publisher", column::HANDLE),
    ("category", column::CATEGORY),
    ("keyword", column::KEYWORD),
    ("license", column::LICENSE),
];

/// The counts so far.
pub struct Counts {
    most: usize,
    values: [HashMap<String, u64>; FACETS.len()],
}

impl Counts {
    /// Will report the `most` frequent values of each facet; counts nothing when that is 0.
    pub fn new(most: usize) -> Self {
        Self { most, values: Default::default() }
    }

    /// Counts the values of a segment's matches.
    pub fn add(&mut self, segment: &SegmentReader, matches: &Bits) -> Result<(), Error> {
        if self.most == 0 {
            return Ok(());
        }
        for ((_, column), values) in FACETS.iter().zip(&mut self.values) {
            let Some(column) = segment.fast_fields().str(column)? else { continue };
            let mut counts = vec![0u64; column.num_terms()];
            for document in matches.iter() {
                for ordinal in column.term_ords(document) {
                    if let Some(count) = usize::try_from(ordinal).ok().and_then(|ordinal| counts.get_mut(ordinal)) {
                        *count += 1;
                    }
                }
            }
            let mut value = String::new();
            for (ordinal, count) in (0..).zip(counts).filter(|(_, count)| *count > 0) {
                if column.ord_to_str(ordinal, &mut value)? {
                    *values.entry(value.clone()).or_default() += count;
                }
            }
        }
        Ok(())
    }

    /// The facets with their most frequent values.
    pub fn finish(self) -> Vec<Facet> {
        if self.most == 0 {
            return Vec::new();
        }
        let facet = |((name, _), values): (&(&'static str, &str), HashMap<String, u64>)| {
            let mut values: Vec<FacetValue> =
                values.into_iter().map(|(value, count)| FacetValue { value, count }).collect();
            values.sort_by(|left, right| right.count.cmp(&left.count).then_with(|| left.value.cmp(&right.value)));
            values.truncate(self.most);
            Facet { name, values }
        };
        FACETS.iter().zip(self.values).map(facet).collect()
    }
}
