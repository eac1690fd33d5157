//! Running a query over all segments.

use tantivy::schema::Field;
use tantivy::{DocAddress, Searcher, SegmentReader};

use crate::access::Admission;
use crate::bits::Bits;
use crate::facets::Counts;
use crate::paging::{Candidate, Page, Place};
use crate::postings::{Lengths, Located, Looks, Rooms, Weighted};
use crate::ranking::{HALF, USE, WINDOW, field_weights};
use crate::schema::Fields;
use crate::stored::{Ids, Reading, Usage, documents_with};
use crate::suggest::beginning;
use crate::understanding::Asked;
use crate::window::Window;
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
        let fields = self.fields();
        let weights = self.weights();
        let ranked = field_weights(fields, &weights);
        let asked = Asked::read(query.text, &searcher, fields, &ranked, &weights)?;
        let located: Vec<Located> = (searcher.segment_readers().iter())
            .map(|segment| Located::new(segment, &asked.clauses))
            .collect::<Result<_, Error>>()?;
        let lengths = Lengths::new(&searcher, fields.script, &ranked, weights)?;
        let weighted = Weighted::new(&asked.clauses, &located, &lengths);
        let admission = self.admission(&searcher, query.viewer, &query.filters)?;
        let rooms = self.rooms();
        Search { searcher: &searcher, fields, query, asked, located, lengths, weighted, admission, rooms }.run()
    }
}

struct Search<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
    query: &'a Query<'a>,
    asked: Asked,
    located: Vec<Located>,
    lengths: Lengths,
    weighted: Weighted,
    admission: Admission,
    rooms: &'a Rooms,
}

/// What answers in one segment.
struct Matches {
    ordinal: u32,
    /// All of them.
    documents: Bits,
    /// Those named by the query, with their tier.
    named: Vec<(u32, u8)>,
    looks: Looks,
    ids: Ids,
    usage: Usage,
}

impl Search<'_> {
    fn run(&self) -> Result<Hits, Error> {
        let after = self.query.after.as_ref().map(Place::read).transpose()?;
        let mut matches = Vec::new();
        let mut counts = Counts::new(self.query.facets);
        for (ordinal, segment) in (0..).zip(self.searcher.segment_readers()) {
            let found = self.matches(ordinal, segment)?;
            counts.add(segment, &found.documents)?;
            matches.push(found);
        }
        let count = matches.iter().map(|matches| matches.documents.count()).sum();
        let mut reading = Reading::new(self.searcher, self.fields);
        let (candidates, next) = self.page(&matches, after, &mut reading)?.finish();
        for found in matches {
            self.rooms.give_back(found.looks);
        }
        let items = candidates.iter().map(|candidate| hit(candidate, &mut reading)).collect::<Result<_, Error>>()?;
        let did_you_mean = self.mended()?;
        let at_least = self.ranks_by_words() && self.weighted.pruned;
        Ok(Hits { items, total: Total { count, at_least }, next, facets: counts.finish(), did_you_mean })
    }

    fn ranks_by_words(&self) -> bool {
        self.query.mode == Mode::Words && !self.asked.text.is_empty()
    }

    /// The documents of a segment that answer.
    fn matches(&self, ordinal: u32, segment: &SegmentReader) -> Result<Matches, Error> {
        let admitted = self.admission.of(segment)?;
        let mut documents = Bits::new(segment.max_doc());
        let mut looks = Looks::default();
        let mut named = Vec::new();
        if self.asked.text.is_empty() {
            documents.join(&admitted);
        } else {
            named = self.named(segment, &admitted)?;
        }
        if self.ranks_by_words() {
            let located = &self.located[ordinal as usize];
            looks = self.rooms.take();
            looks.read(segment, located, &self.weighted, &self.lengths)?;
            let needed = self.needed();
            for (document, look) in looks.touched() {
                if look.met >= needed && admitted.contains(document) {
                    documents.insert(document);
                }
            }
        } else if self.query.mode == Mode::Prefix && !self.asked.key.is_empty() {
            for field in [self.fields.slug, self.fields.name_key] {
                documents.join(&beginning(segment, field, &self.asked.key, 0, &admitted)?);
            }
        }
        named.retain(|(_, tier)| *tier >= tier::NAME || self.query.mode == Mode::Words);
        for (document, _) in &named {
            documents.insert(*document);
        }
        let usage = Usage::new(segment, self.query.sort)?;
        Ok(Matches { ordinal, documents, named, looks, ids: Ids::new(segment)?, usage })
    }

    /// How many of the ranked clauses a document must meet: one when they rank, most when something else orders.
    fn needed(&self) -> u8 {
        let clauses = self.weighted.clauses.len();
        let needed = match self.query.sort {
            Sort::Relevance => 1,
            _ if clauses <= 3 => clauses.max(1),
            _ => clauses * 2 / 3,
        };
        u8::try_from(needed).unwrap_or(u8::MAX)
    }

    /// Documents whose name, publisher or reference is the whole query.
    fn named(&self, segment: &SegmentReader, admitted: &Bits) -> Result<Vec<(u32, u8)>, Error> {
        let mut named: Vec<(u32, u8)> = Vec::new();
        let mut taken = Bits::new(segment.max_doc());
        let mut take = |documents: Vec<u32>, tier: u8| {
            for document in documents {
                if admitted.contains(document) && !taken.contains(document) {
                    taken.insert(document);
                    named.push((document, tier));
                }
            }
        };
        let with = |field: Field, word: &str| documents_with(segment, field, word);
        if let Some((handle, slug)) = &self.asked.reference {
            let owned = with(self.fields.handle, handle)?;
            let mut called = with(self.fields.slug, slug)?;
            called.retain(|document| owned.binary_search(document).is_ok());
            take(called, tier::REFERENCE);
        }
        let key = &self.asked.key;
        if !key.is_empty() {
            take(with(self.fields.slug, key)?, tier::NAME);
            take(with(self.fields.name_key, key)?, tier::NAME);
            take(with(self.fields.handle, key)?, tier::PUBLISHER);
        }
        Ok(named)
    }

    /// The page behind a place.
    fn page(&self, matches: &[Matches], after: Option<Place>, reading: &mut Reading<'_>) -> Result<Page, Error> {
        let size = self.query.page.get() as usize;
        let mut page = Page::new(size, after);
        if self.query.sort != Sort::Relevance {
            for found in matches {
                for document in found.documents.iter() {
                    found.offer(document, tier::WORDS, found.usage.value(document), &mut page);
                }
            }
            return Ok(page);
        }
        let mut looked_at: Vec<Bits> = Vec::with_capacity(matches.len());
        for found in matches {
            let mut named = found.documents.emptied();
            for (document, tier) in &found.named {
                named.insert(*document);
                found.offer(*document, *tier, self.first_score(found, *document), &mut page);
            }
            looked_at.push(named);
        }
        let window = self.window(matches, &looked_at, reading)?;
        let complete = window.len() < WINDOW;
        for Candidate { place, address } in window {
            looked_at[address.segment_ord as usize].insert(address.doc_id);
            page.offer(Candidate { place, address });
        }
        if !complete && (after.is_some() || size + 1 > WINDOW) {
            for (found, looked_at) in matches.iter().zip(&looked_at) {
                self.offer_by_first_look(found, looked_at, &mut page);
            }
        }
        Ok(page)
    }

    /// The best documents at the first look, with their scores at the second.
    ///
    /// Here lists meet: another one, such as the nearest neighbours of a vector, would be offered to the same page and
    /// judged by the same second look.
    fn window(&self, matches: &[Matches], except: &[Bits], reading: &mut Reading<'_>) -> Result<Vec<Candidate>, Error> {
        let mut best = Page::new(WINDOW, None);
        for (found, except) in matches.iter().zip(except) {
            self.offer_by_first_look(found, except, &mut best);
        }
        let (mut best, _) = best.finish();
        let window = Window::new(&self.asked.content, &self.asked.clauses, &self.weighted);
        if !self.ranks_by_words() || !window.is_needed() {
            return Ok(best);
        }
        for candidate in &mut best {
            let address = candidate.address;
            let found = &matches[address.segment_ord as usize];
            let first = found.looks.of(address.doc_id);
            let sketch = reading.sketch(address)?;
            let score = window.score(self.searcher, address, &sketch, first, &self.weighted, &self.lengths)?;
            let score = f64::from(score) * found.use_factor(address.doc_id);
            candidate.place.value = candidate.place.value.max(score);
        }
        Ok(best)
    }

    fn offer_by_first_look(&self, found: &Matches, except: &Bits, page: &mut Page) {
        let by_words = self.ranks_by_words();
        let most = 1.0 + USE * found.usage.most();
        for document in found.documents.iter() {
            let bound = f64::from(found.looks.of(document).worth) * most;
            if (by_words && !page.wants(tier::WORDS, bound)) || except.contains(document) {
                continue;
            }
            found.offer(document, tier::WORDS, self.first_score(found, document), page);
        }
    }

    /// The score without the second look; without words the use.
    fn first_score(&self, found: &Matches, document: u32) -> f64 {
        if !self.ranks_by_words() {
            return found.usage.value(document);
        }
        let look = found.looks.of(document);
        f64::from(self.weighted.score(look.worth, look.covered)) * found.use_factor(document)
    }

    /// The query with its misspelt words replaced by words that stand in documents the viewer may list.
    fn mended(&self) -> Result<Option<String>, Error> {
        let mut text = self.asked.text.to_lowercase();
        let mut mended = false;
        for (word, spellings) in &self.asked.misspelt {
            for spelling in spellings {
                if self.stands_in_admitted(spelling)? {
                    text = text.replace(word, spelling);
                    mended = true;
                    break;
                }
            }
        }
        Ok(mended.then_some(text))
    }

    fn stands_in_admitted(&self, word: &str) -> Result<bool, Error> {
        for segment in self.searcher.segment_readers() {
            let admitted = self.admission.of(segment)?;
            for field in [self.fields.plain_name, self.fields.plain_text] {
                if documents_with(segment, field, word)?.into_iter().any(|document| admitted.contains(document)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

fn hit(candidate: &Candidate, reading: &mut Reading<'_>) -> Result<Hit, Error> {
    let card = reading.card(candidate.address)?;
    #[expect(clippy::cast_possible_truncation, reason = "a score needs no more precision")]
    let value = candidate.place.value.max(0.0) as f32;
    Ok(card.into_hit(f32::from(candidate.place.tier) + value / (value + HALF)))
}

impl Matches {
    fn use_factor(&self, document: u32) -> f64 {
        1.0 + USE * self.usage.value(document)
    }

    fn offer(&self, document: u32, tier: u8, value: f64, page: &mut Page) {
        if page.wants(tier, value) {
            let place = Place { tier, value, skill: self.ids.skill(document) };
            page.offer(Candidate { place, address: DocAddress::new(self.ordinal, document) });
        }
    }
}
