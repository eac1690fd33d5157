//! Running a query over all segments.

use tantivy::schema::Field;
use tantivy::{DocAddress, Searcher, SegmentReader};

use crate::access::Admission;
use crate::bits::Bits;
use crate::facets::Counts;
use crate::paging::{Candidate, Page, Place};
use crate::postings::{Clause, Lengths, Located, Scores};
use crate::ranking::{HALF, TERMS, field_weights};
use crate::schema::Fields;
use crate::stored::{Ids, Usage, card, documents_with};
use crate::suggest::beginning;
use crate::understanding::Asked;
use crate::{Error, Hit, Hits, Index, Mode, Query, Sort, Total};

/// The tiers of the order by relevance.
mod tier {
    pub const WORDS: u8 = 0;
    pub const PUBLISHER: u8 = 1;
    pub const NAME: u8 = 2;
    pub const REFERENCE: u8 = 3;
}

impl Index {
    /// The page of answers to a query.
    pub fn search(&self, query: &Query<'_>) -> Result<Hits, Error> {
        let searcher = self.searcher();
        Search { searcher: &searcher, fields: self.fields(), query }.run()
    }
}

struct Search<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
    query: &'a Query<'a>,
}

/// Which clauses are ranked by, and how much each counts.
struct Weights {
    /// Clause and weight, the weightiest first.
    ranked: Vec<(usize, f32)>,
    pruned: bool,
}

/// What answers in one segment.
struct Matches {
    documents: Bits,
    /// Per document its score; empty when words do not order.
    scores: Vec<f32>,
    /// Documents named by the query, with their tier.
    named: Vec<(u32, u8)>,
}

impl Search<'_> {
    fn run(&self) -> Result<Hits, Error> {
        let after = self.query.after.as_ref().map(Place::read).transpose()?;
        let ranked = field_weights(self.fields);
        let asked = Asked::read(self.query.text, self.searcher, self.fields, &ranked)?;
        let admission = Admission::new(self.searcher, self.fields, self.query.viewer, &self.query.filters)?;
        let located: Vec<Located> = (self.searcher.segment_readers().iter())
            .map(|segment| Located::new(segment, &asked.clauses))
            .collect::<Result<_, Error>>()?;
        let lengths = Lengths::new(self.searcher, &ranked)?;
        let weights = weights(&asked, &located, &lengths);
        let mut page = Page::new(self.query.page.get() as usize, after);
        let mut counts = Counts::new(self.query.facets);
        let mut count = 0;
        for (ordinal, (segment, located)) in (0..).zip(self.searcher.segment_readers().iter().zip(&located)) {
            let admitted = admission.of(segment)?;
            let matches = self.matches(segment, &asked, located, &weights, &lengths, &admitted)?;
            count += matches.documents.count();
            counts.add(segment, &matches.documents)?;
            self.collect(ordinal, segment, &matches, &mut page)?;
        }
        let did_you_mean = self.mended(&asked, &admission)?;
        let (candidates, next) = page.finish();
        let items = candidates.iter().map(|candidate| self.hit(candidate)).collect::<Result<_, Error>>()?;
        let total = Total { count, at_least: weights.pruned };
        Ok(Hits { items, total, next, facets: counts.finish(), did_you_mean })
    }

    /// The documents of a segment that answer.
    fn matches(
        &self,
        segment: &SegmentReader,
        asked: &Asked,
        located: &Located,
        weights: &Weights,
        lengths: &Lengths,
        admitted: &Bits,
    ) -> Result<Matches, Error> {
        if asked.text.is_empty() {
            return Ok(Matches { documents: admitted.clone(), scores: Vec::new(), named: Vec::new() });
        }
        let mut documents = Bits::new(segment.max_doc());
        let named = self.named(segment, asked, admitted)?;
        let mut scores = Vec::new();
        match self.query.mode {
            Mode::Words => {
                let mut sums = Scores::new(segment.max_doc());
                for (clause, weight) in &weights.ranked {
                    sums.add(segment, located, *clause, *weight, lengths)?;
                }
                let needed = self.needed(weights.ranked.len());
                for (document, met) in (0..).zip(&sums.met) {
                    if *met >= needed && admitted.contains(document) {
                        documents.insert(document);
                    }
                }
                scores = sums.sums;
            }
            Mode::Exact => {}
            Mode::Prefix => self.insert_prefixed(segment, &asked.key, admitted, &mut documents)?,
        }
        for (document, tier) in &named {
            if *tier >= tier::NAME || self.query.mode == Mode::Words {
                documents.insert(*document);
            }
        }
        Ok(Matches { documents, scores, named })
    }

    /// How many of the ranked clauses a document must meet: one when they rank, most when something else orders.
    fn needed(&self, clauses: usize) -> u8 {
        let needed = match self.query.sort {
            Sort::Relevance => 1,
            _ if clauses <= 3 => clauses.max(1),
            _ => clauses * 2 / 3,
        };
        u8::try_from(needed).unwrap_or(u8::MAX)
    }

    /// Documents whose name, publisher or reference is the whole query.
    fn named(&self, segment: &SegmentReader, asked: &Asked, admitted: &Bits) -> Result<Vec<(u32, u8)>, Error> {
        let mut named: Vec<(u32, u8)> = Vec::new();
        let mut add = |field: Field, word: &str, tier: u8| -> Result<(), Error> {
            for document in documents_with(segment, field, word)? {
                if admitted.contains(document) {
                    match named.iter_mut().find(|(known, _)| *known == document) {
                        Some((_, best)) => *best = tier.max(*best),
                        None => named.push((document, tier)),
                    }
                }
            }
            Ok(())
        };
        if !asked.key.is_empty() {
            add(self.fields.handle, &asked.key, tier::PUBLISHER)?;
            add(self.fields.slug, &asked.key, tier::NAME)?;
            add(self.fields.name_key, &asked.key, tier::NAME)?;
        }
        if let Some((handle, slug)) = &asked.reference {
            let owned = documents_with(segment, self.fields.handle, handle)?;
            let called = documents_with(segment, self.fields.slug, slug)?;
            for document in called.into_iter().filter(|document| owned.binary_search(document).is_ok()) {
                if admitted.contains(document) {
                    named.retain(|(known, _)| *known != document);
                    named.push((document, tier::REFERENCE));
                }
            }
        }
        Ok(named)
    }

    /// Adds documents whose slug or display name begins with the query.
    fn insert_prefixed(
        &self,
        segment: &SegmentReader,
        prefix: &str,
        admitted: &Bits,
        documents: &mut Bits,
    ) -> Result<(), Error> {
        for field in [self.fields.slug, self.fields.name_key] {
            documents.join(&beginning(segment, field, prefix, 0, admitted)?);
        }
        Ok(())
    }

    /// Offers the matches of a segment to the page.
    fn collect(&self, ordinal: u32, segment: &SegmentReader, matches: &Matches, page: &mut Page) -> Result<(), Error> {
        let ids = Ids::new(segment)?;
        let usage = Usage::new(segment, self.query.sort)?;
        let by_words = self.query.sort == Sort::Relevance;
        for document in matches.documents.iter() {
            let (mut tier, mut value) = (tier::WORDS, usage.value(document));
            if by_words {
                if let Some((_, named)) = matches.named.iter().find(|(named, _)| *named == document) {
                    tier = *named;
                }
                if let Some(score) = matches.scores.get(document as usize) {
                    value = f64::from(*score) * (1.0 + 0.01 * value);
                }
            }
            if page.wants(tier, value) {
                let place = Place { tier, value, skill: ids.skill(document) };
                page.offer(Candidate { place, address: DocAddress::new(ordinal, document) });
            }
        }
        Ok(())
    }

    /// The query with its misspelt words replaced by words that stand in documents the viewer may list.
    fn mended(&self, asked: &Asked, admission: &Admission) -> Result<Option<String>, Error> {
        let mut text = asked.text.to_lowercase();
        let mut mended = false;
        for (word, spellings) in &asked.misspelt {
            for spelling in spellings {
                if self.stands_in_admitted(spelling, admission)? {
                    text = text.replace(word, spelling);
                    mended = true;
                    break;
                }
            }
        }
        Ok(mended.then_some(text))
    }

    fn stands_in_admitted(&self, word: &str, admission: &Admission) -> Result<bool, Error> {
        for segment in self.searcher.segment_readers() {
            let admitted = admission.of(segment)?;
            for field in [self.fields.plain_name, self.fields.plain_text] {
                if documents_with(segment, field, word)?.into_iter().any(|document| admitted.contains(document)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn hit(&self, candidate: &Candidate) -> Result<Hit, Error> {
        let card = card(self.searcher, self.fields, candidate.address)?;
        #[expect(clippy::cast_possible_truncation, reason = "a score needs no more precision")]
        let value = candidate.place.value.max(0.0) as f32;
        Ok(card.into_hit(f32::from(candidate.place.tier) + value / (value + HALF)))
    }
}

/// The clauses that tell most, and what each counts.
fn weights(asked: &Asked, located: &[Located], lengths: &Lengths) -> Weights {
    let weight = |(place, clause): (usize, &Clause)| {
        let frequency: u64 = located.iter().map(|located| located.frequency(place)).sum();
        (frequency > 0).then(|| (place, clause.weight * lengths.rarity(frequency)))
    };
    let mut ranked: Vec<(usize, f32)> = asked.clauses.iter().enumerate().filter_map(weight).collect();
    ranked.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
    let pruned = ranked.len() > TERMS;
    ranked.truncate(TERMS);
    Weights { ranked, pruned }
}
