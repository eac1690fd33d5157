//! Who looks and what they ask for besides words, as terms of the query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kontor_types::{Viewer, Visibility};
use tantivy::index::SegmentId;
use tantivy::query::{AllQuery, BooleanQuery, EnableScoring, Query as TermsQuery, TermQuery, TermSetQuery, Weight};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, Opstamp, Searcher, SegmentReader, TERMINATED, Term};

use crate::bits::Bits;
use crate::schema::{Fields, WORD_LIMIT, access_word, cut, filter_word};
use crate::{Error, Filters, Index};

/// How many sets of admitted documents are remembered.
const REMEMBERED: usize = 64;

/// Decides per segment which documents a query may know of at all.
pub struct Admission {
    asked: Asked,
    weight: Box<dyn Weight>,
    remembered: Arc<Remembered>,
}

/// What decides the admission: the words of who looks, or none for those who see everything, and the filters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asked {
    listed: Option<Vec<String>>,
    filters: Filters,
}

/// Sets of admitted documents.
#[derive(Default)]
pub struct Remembered(Mutex<HashMap<Key, Arc<Bits>>>);

/// A segment, its deletions, and what decided the admission.
type Key = (SegmentId, Option<Opstamp>, Asked);

impl Index {
    /// The documents that `viewer` may list and that fulfil `filters`.
    pub(crate) fn admission(
        &self,
        searcher: &Searcher,
        viewer: &Viewer,
        filters: &Filters,
    ) -> Result<Admission, Error> {
        let asked = Asked { listed: listed(viewer), filters: compared(filters) };
        let query = BooleanQuery::intersection(asked.terms(self.fields()));
        let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
        Ok(Admission { asked, weight, remembered: Arc::clone(self.remembered()) })
    }
}

impl Admission {
    /// The living documents of a segment that are admitted.
    pub fn of(&self, segment: &SegmentReader) -> Result<Arc<Bits>, Error> {
        let key = (segment.segment_id(), segment.delete_opstamp(), self.asked.clone());
        if let Some(known) = self.remembered.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let mut admitted = Bits::new(segment.max_doc());
        let mut documents = self.weight.scorer(segment, 1.0)?;
        let mut document = documents.doc();
        while document != TERMINATED {
            if !segment.is_deleted(document) {
                admitted.insert(document);
            }
            document = documents.advance();
        }
        let admitted = Arc::new(admitted);
        let mut remembered = self.remembered.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(key, Arc::clone(&admitted));
        Ok(admitted)
    }
}

impl Asked {
    fn terms(&self, fields: &Fields) -> Vec<Box<dyn TermsQuery>> {
        let one = |term: Term| -> Box<dyn TermsQuery> { Box::new(TermQuery::new(term, IndexRecordOption::Basic)) };
        let text = |field, value: &str| one(Term::from_field_text(field, value));
        let mut terms: Vec<Box<dyn TermsQuery>> = Vec::new();
        match &self.listed {
            None => terms.push(Box::new(AllQuery)),
            Some(words) if words.len() == 1 => terms.extend(words.iter().map(|word| text(fields.access, word))),
            Some(words) => {
                let words = words.iter().map(|word| Term::from_field_text(fields.access, word));
                terms.push(Box::new(TermSetQuery::new(words)));
            }
        }
        let Filters { publisher, category, keyword, license, spec_valid } = &self.filters;
        terms.extend(publisher.iter().map(|handle| text(fields.handle, handle.as_str())));
        terms.extend(category.iter().map(|category| text(fields.category, category)));
        terms.extend(keyword.iter().map(|keyword| text(fields.keyword, keyword)));
        terms.extend(license.iter().map(|license| text(fields.license, license)));
        terms.extend(spec_valid.iter().map(|valid| one(Term::from_field_bool(fields.spec_valid, *valid))));
        terms
    }
}

/// The filters as the index compares them.
fn compared(filters: &Filters) -> Filters {
    Filters {
        category: filters.category.as_deref().map(filter_word),
        keyword: filters.keyword.as_deref().map(filter_word),
        license: filters.license.as_deref().map(|license| cut(license, WORD_LIMIT).to_owned()),
        ..filters.clone()
    }
}

/// [`Viewer::may_list`] as words of the index: those of every combination that the viewer may list.
fn listed(viewer: &Viewer) -> Option<Vec<String>> {
    if viewer.is_administrator() {
        return None;
    }
    let mut words = vec!["public".to_owned()];
    for visibility in Visibility::ALL {
        let listed = viewer.member_of().filter(|publisher| viewer.may_list(*publisher, *visibility));
        words.extend(listed.map(|publisher| access_word(publisher, *visibility)));
    }
    words.sort_unstable();
    words.dedup();
    Some(words)
}
