//! Who looks and what they ask for besides words, as terms of the query.

use kontor_types::{Viewer, Visibility};
use tantivy::query::{AllQuery, BooleanQuery, EnableScoring, Query as TermsQuery, TermQuery, TermSetQuery, Weight};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, Searcher, SegmentReader, TERMINATED, Term};

use crate::bits::Bits;
use crate::schema::{Fields, access_word, filter_word};
use crate::{Error, Filters};

/// Decides per segment which documents a query may know of at all.
pub struct Admission {
    weight: Box<dyn Weight>,
}

impl Admission {
    /// The documents that `viewer` may list and that fulfil `filters`.
    pub fn new(searcher: &Searcher, fields: &Fields, viewer: &Viewer, filters: &Filters) -> Result<Self, Error> {
        let mut terms = vec![listed(fields, viewer)];
        let text = |field: Field, value: &str| -> Box<dyn TermsQuery> {
            Box::new(TermQuery::new(Term::from_field_text(field, value), IndexRecordOption::Basic))
        };
        if let Some(handle) = &filters.publisher {
            terms.push(text(fields.handle, handle.as_str()));
        }
        if let Some(category) = &filters.category {
            terms.push(text(fields.category, &filter_word(category)));
        }
        if let Some(keyword) = &filters.keyword {
            terms.push(text(fields.keyword, &filter_word(keyword)));
        }
        if let Some(license) = &filters.license {
            terms.push(text(fields.license, license));
        }
        if let Some(valid) = filters.spec_valid {
            let term = Term::from_field_bool(fields.spec_valid, valid);
            terms.push(Box::new(TermQuery::new(term, IndexRecordOption::Basic)));
        }
        let query = BooleanQuery::intersection(terms);
        let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
        Ok(Self { weight })
    }

    /// The living documents of a segment that are admitted.
    pub fn of(&self, segment: &SegmentReader) -> Result<Bits, Error> {
        let mut admitted = Bits::new(segment.max_doc());
        let mut documents = self.weight.scorer(segment, 1.0)?;
        let mut document = documents.doc();
        while document != TERMINATED {
            if !segment.is_deleted(document) {
                admitted.insert(document);
            }
            document = documents.advance();
        }
        Ok(admitted)
    }
}

/// [`Viewer::may_list`] as a query: the words of every combination that the viewer may list.
fn listed(fields: &Fields, viewer: &Viewer) -> Box<dyn TermsQuery> {
    if viewer.is_administrator() {
        return Box::new(AllQuery);
    }
    let mut words: Vec<String> = Vec::new();
    for visibility in Visibility::ALL {
        let listed = viewer.member_of().filter(|publisher| viewer.may_list(*publisher, *visibility));
        words.extend(listed.map(|publisher| access_word(publisher, *visibility)));
    }
    words.push("public".to_owned());
    words.sort_unstable();
    words.dedup();
    let mut terms = words.iter().map(|word| Term::from_field_text(fields.access, word));
    match (terms.next(), words.len()) {
        (Some(only), 1) => Box::new(TermQuery::new(only, IndexRecordOption::Basic)),
        (Some(first), _) => Box::new(TermSetQuery::new(std::iter::once(first).chain(terms))),
        (None, _) => Box::new(tantivy::query::EmptyQuery),
    }
}
