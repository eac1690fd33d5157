//! Running a query over all segments.

use std::collections::{HashMap, HashSet};

use tantivy::schema::Field;
use tantivy::{DocAddress, SegmentReader};

use crate::access::Admission;
use crate::bits::Bits;
use crate::facets::Counts;
use crate::looks::{Looks, Rooms};
use crate::paging::{Candidate, Page, Place};
use crate::postings::Located;
use crate::ranking::{HALF, USE, WINDOW};
use crate::schema::Fields;
use crate::snapshot::{Part, Snapshot};
use crate::stored::{Reading, Usage, documents_with};
use crate::suggest::beginning;
use crate::understanding::Asked;
use crate::weighing::{Reach, Weighted};
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
        let snapshot = self.snapshot()?;
        let fields = self.fields();
        let Snapshot { searcher, parts, lengths, ranked, .. } = snapshot.as_ref();
        let asked = Asked::read(query.text, searcher, fields, ranked, &lengths.weights)?;
        let located: Vec<Located> =
            parts.iter().map(|part| Located::new(part, ranked, &asked.clauses)).collect::<Result<_, Error>>()?;
        let weighted = Weighted::new(&asked.clauses, &located, lengths);
        let reach = Reach::new(&weighted);
        let admission = self.admission(searcher, query.viewer, &query.filters)?;
        let rooms = self.rooms();
        Search { snapshot: &snapshot, fields, query, asked, located, weighted, reach, admission, rooms }.run()
    }
}

struct Search<'a> {
    snapshot: &'a Snapshot,
    fields: &'a Fields,
    query: &'a Query<'a>,
    asked: Asked,
    located: Vec<Located>,
    weighted: Weighted,
    reach: Reach,
    admission: Admission,
    rooms: &'a Rooms,
}

/// What answers in one segment.
struct Matches<'a> {
    part: &'a Part,
    ordinal: u32,
    /// All of them.
    documents: Bits,
    /// Those named by the query, with their tier.
    named: Vec<(u32, u8)>,
    looks: Looks,
    usage: Usage,
}

impl<'a> Search<'a> {
    fn run(&self) -> Result<Hits, Error> {
        let after = self.query.after.as_ref().map(Place::read).transpose()?;
        let mut matches = Vec::new();
        let mut counts = Counts::new(self.query.facets);
        for (ordinal, part) in (0..).zip(&self.snapshot.parts) {
            matches.push(self.matches(ordinal, part)?);
        }
        let stands_for = self.collapse(&mut matches);
        for found in &matches {
            counts.add(&found.part.segment, &found.documents)?;
        }
        let count = matches.iter().map(|matches| matches.documents.count()).sum();
        let mut reading = Reading::new(&self.snapshot.searcher, self.fields);
        let (candidates, next) = self.page(&matches, after, &mut reading)?.finish();
        for found in matches {
            self.rooms.give_back(found.looks);
        }
        let items = candidates
            .iter()
            .map(|candidate| {
                let copies = stands_for.get(&candidate.address).copied().unwrap_or_default();
                hit(candidate, copies, &mut reading)
            })
            .collect::<Result<_, Error>>()?;
        let did_you_mean = self.mended()?;
        let at_least = self.ranks_by_words() && self.weighted.pruned;
        Ok(Hits { items, total: Total { count, at_least }, next, facets: counts.finish(), did_you_mean })
    }

    /// Leaves of several copies that answer the first, and those that the query names; how many each stands for.
    fn collapse(&self, matches: &mut [Matches<'_>]) -> HashMap<DocAddress, u64> {
        if self.query.all || self.query.mode != Mode::Words {
            return HashMap::new();
        }
        let named = matches.iter().flat_map(|found| {
            let ordinal = found.ordinal;
            found.named.iter().map(move |(document, _)| DocAddress::new(ordinal, *document))
        });
        let named: HashSet<DocAddress> = named.collect();
        let mut answers: Vec<&mut Bits> = matches.iter_mut().map(|found| &mut found.documents).collect();
        self.snapshot.copies.collapse(&mut answers, &named)
    }

    fn ranks_by_words(&self) -> bool {
        self.query.mode == Mode::Words && !self.asked.text.is_empty()
    }

    /// The documents of a segment that answer.
    fn matches(&self, ordinal: u32, part: &'a Part) -> Result<Matches<'a>, Error> {
        let segment = &part.segment;
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
            looks.read(part, located, &self.weighted, &self.snapshot.lengths)?;
            documents.join(looks.touched());
            documents.keep(&admitted);
            let needed = self.needed();
            if needed > 1 {
                let few = documents.iter().filter(|document| looks.of(*document).met.count_ones() < needed);
                for document in few.collect::<Vec<u32>>() {
                    documents.remove(document);
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
        let usage = match self.query.sort {
            Sort::Relevance => part.uses.clone(),
            sort => Usage::new(segment, sort)?,
        };
        Ok(Matches { part, ordinal, documents, named, looks, usage })
    }

    /// How many of the ranked clauses a document must meet: one when they rank, most when something else orders.
    fn needed(&self) -> u32 {
        let clauses = self.weighted.clauses.len();
        let needed = match self.query.sort {
            Sort::Relevance => 1,
            _ if clauses <= 3 => clauses.max(1),
            _ => clauses * 2 / 3,
        };
        u32::try_from(needed).unwrap_or(u32::MAX)
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
    fn page(&self, matches: &[Matches<'_>], after: Option<Place>, reading: &mut Reading<'_>) -> Result<Page, Error> {
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
    fn window(
        &self,
        matches: &[Matches<'_>],
        except: &[Bits],
        reading: &mut Reading<'_>,
    ) -> Result<Vec<Candidate>, Error> {
        let mut best = Page::new(WINDOW, None);
        for (found, except) in matches.iter().zip(except) {
            self.offer_by_first_look(found, except, &mut best);
        }
        let (mut best, _) = best.finish();
        let mut window = Window::new(&self.asked.content, &self.asked.clauses, &self.weighted);
        if !self.ranks_by_words() || !window.is_needed() {
            return Ok(best);
        }
        for candidate in &mut best {
            let address = candidate.address;
            let found = &matches[address.segment_ord as usize];
            let first = found.looks.of(address.doc_id);
            let sketch = reading.sketch(address)?;
            let lengths = &self.snapshot.lengths;
            let score = window.score(found.part, address.doc_id, &sketch, first, &self.weighted, lengths);
            let score = f64::from(score) * found.use_factor(address.doc_id);
            candidate.place.value = candidate.place.value.max(score);
        }
        Ok(best)
    }

    fn offer_by_first_look(&self, found: &Matches<'_>, except: &Bits, page: &mut Page) {
        if !self.ranks_by_words() {
            for document in found.documents.iter().filter(|document| !except.contains(*document)) {
                found.offer(document, tier::WORDS, self.first_score(found, document), page);
            }
            return;
        }
        let most = 1.0 + USE * found.usage.most();
        let least = |page: &Page| under(page.least(tier::WORDS) / most);
        let first = least(page);
        found.looks.worthy(&found.documents, first, |document, look| {
            let bound = f64::from(look.worth * self.reach.of(look.met)) * most;
            if page.wants(tier::WORDS, bound) && !except.contains(document) {
                found.offer(document, tier::WORDS, self.first_score(found, document), page);
            }
            least(page)
        });
    }

    /// The score without the second look; without words the use.
    fn first_score(&self, found: &Matches<'_>, document: u32) -> f64 {
        if !self.ranks_by_words() {
            return found.usage.value(document);
        }
        let look = found.looks.of(document);
        f64::from(self.weighted.score(look.worth, self.weighted.covered(look.met))) * found.use_factor(document)
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
        for segment in self.snapshot.searcher.segment_readers() {
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

/// A little less than the number, with less precision.
#[expect(clippy::cast_possible_truncation, reason = "rounding is made up for")]
fn under(number: f64) -> f32 {
    (number - number.abs() * 1e-6) as f32
}

fn hit(candidate: &Candidate, copies: u64, reading: &mut Reading<'_>) -> Result<Hit, Error> {
    let card = reading.card(candidate.address)?;
    #[expect(clippy::cast_possible_truncation, reason = "a score needs no more precision")]
    let value = candidate.place.value.max(0.0) as f32;
    Ok(card.into_hit(f32::from(candidate.place.tier) + value / (value + HALF), copies))
}

impl Matches<'_> {
    fn use_factor(&self, document: u32) -> f64 {
        1.0 + USE * self.usage.value(document)
    }

    fn offer(&self, document: u32, tier: u8, value: f64, page: &mut Page) {
        if page.wants(tier, value) {
            let place = Place { tier, value, skill: self.part.ids.skill(document) };
            page.offer(Candidate { place, address: DocAddress::new(self.ordinal, document) });
        }
    }
}
