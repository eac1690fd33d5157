//! Names while they are typed.

use kontor_types::{Handle, PageSize, SkillId, Slug, Viewer};
use tantivy::query::{AutomatonWeight, FuzzyTermQuery, Weight};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocAddress, DocSet, SegmentReader, TERMINATED, Term};

use crate::analysis::{self, Style};
use crate::bits::Bits;
use crate::paging::{Candidate, Page, Place};
use crate::schema::{Fields, cut};
use crate::spelling::beginning_with;
use crate::stored::Reading;
use crate::{Error, Filters, Index};

/// The most bytes of typed text that are read.
const TYPED_LIMIT: usize = 256;
/// The most words of typed text that are read.
const WORDS: usize = 6;

/// A skill whose name continues what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The skill.
    pub skill: SkillId,
    /// The publisher's handle.
    pub handle: Handle,
    /// The skill's name within its publisher.
    pub slug: Slug,
    /// The name as its author wrote it.
    pub display_name: String,
}

/// How a name continues what was typed, the closest first, with its tier.
const CLOSENESS: [(Closeness, u8); 3] = [(Closeness::Beginning, 2), (Closeness::Words, 1), (Closeness::Misspelt, 0)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closeness {
    /// Each word, or one like it, stands in the name; the last may be unfinished.
    Misspelt,
    /// Each word stands in the name; the last may be unfinished.
    Words,
    /// The name begins with the text.
    Beginning,
}

impl Index {
    /// Skills that the viewer may list and whose names continue `typed`: names that begin with it first, then names
    /// that hold its words, then names that nearly do; the most used first among equals.
    pub fn suggest(&self, typed: &str, viewer: &Viewer, most: usize) -> Result<Vec<Suggestion>, Error> {
        let typed = Typed::read(cut(typed, TYPED_LIMIT));
        if typed.key.is_empty() {
            return Ok(Vec::new());
        }
        let snapshot = self.snapshot()?;
        let searcher = &snapshot.searcher;
        let fields = self.fields();
        let filters = Filters { publisher: typed.publisher.clone(), ..Filters::default() };
        let admission = self.admission(searcher, viewer, &filters)?;
        let size = u32::try_from(most).unwrap_or(u32::MAX);
        let mut page = Page::new(PageSize::clamped(size).get() as usize, None);
        for (ordinal, part) in (0..).zip(&snapshot.parts) {
            let mut admitted = Bits::clone(admission.of(&part.segment)?.as_ref());
            for (closeness, tier) in CLOSENESS {
                for document in typed.matches(&part.segment, fields, closeness, &admitted)?.iter() {
                    admitted.remove(document);
                    let place = Place { tier, value: part.uses.value(document), skill: part.ids.skill(document) };
                    page.offer(Candidate { place, address: DocAddress::new(ordinal, document) });
                }
            }
        }
        let (candidates, _) = page.finish();
        let mut reading = Reading::new(searcher, fields);
        let suggestion = |candidate: &Candidate| {
            let card = reading.card(candidate.address)?;
            Ok(Suggestion { skill: card.skill, handle: card.handle, slug: card.slug, display_name: card.display_name })
        };
        candidates.iter().take(most).map(suggestion).collect()
    }
}

/// What was typed so far.
struct Typed {
    publisher: Option<Handle>,
    key: String,
    words: Vec<String>,
}

impl Typed {
    fn read(text: &str) -> Self {
        let (publisher, name) = match text.trim_start().strip_prefix('@').and_then(|owned| owned.split_once('/')) {
            Some((handle, name)) => (Handle::parse(handle).ok(), name),
            None => (None, text),
        };
        let mut words = analysis::terms(name, Style::Plain);
        words.truncate(WORDS);
        Self { publisher, key: analysis::key(name), words }
    }

    /// The admitted documents of a segment whose name continues this.
    fn matches(
        &self,
        segment: &SegmentReader,
        fields: &Fields,
        closeness: Closeness,
        admitted: &Bits,
    ) -> Result<Bits, Error> {
        if closeness == Closeness::Beginning {
            let mut found = beginning(segment, fields.slug, &self.key, 0, admitted)?;
            found.join(&beginning(segment, fields.name_key, &self.key, 0, admitted)?);
            return Ok(found);
        }
        let mut found = admitted.clone();
        for (place, word) in self.words.iter().enumerate() {
            let unfinished = place + 1 == self.words.len();
            let letters = if closeness == Closeness::Misspelt { misspelt_letters(word) } else { 0 };
            let having = if unfinished {
                beginning(segment, fields.plain_name, word, letters, &found)?
            } else {
                resembling(segment, fields.plain_name, word, letters, &found)?
            };
            found = having;
        }
        if self.words.is_empty() { Ok(Bits::new(segment.max_doc())) } else { Ok(found) }
    }
}

fn misspelt_letters(word: &str) -> u8 {
    match word.chars().count() {
        0..4 => 0,
        4..8 => 1,
        _ => 2,
    }
}

/// The documents of `among` with a word in the field that begins with `prefix`, give or take some letters.
pub fn beginning(
    segment: &SegmentReader,
    field: Field,
    prefix: &str,
    letters: u8,
    among: &Bits,
) -> Result<Bits, Error> {
    if letters > 0 {
        let query = FuzzyTermQuery::new_prefix(Term::from_field_text(field, prefix), letters, true);
        return meeting(segment, field, &query, among);
    }
    let terms = segment.inverted_index(field)?;
    let mut met = Bits::new(segment.max_doc());
    let mut words = beginning_with(&terms, prefix)?;
    while let Some((_, found)) = words.next() {
        let mut block = terms.read_block_postings_from_terminfo(found, IndexRecordOption::Basic)?;
        while !block.docs().is_empty() {
            for document in block.docs() {
                met.insert(*document);
            }
            block.advance();
        }
    }
    met.keep(among);
    Ok(met)
}

fn resembling(segment: &SegmentReader, field: Field, word: &str, letters: u8, among: &Bits) -> Result<Bits, Error> {
    meeting(segment, field, &FuzzyTermQuery::new(Term::from_field_text(field, word), letters, true), among)
}

fn meeting(segment: &SegmentReader, field: Field, query: &FuzzyTermQuery, among: &Bits) -> Result<Bits, Error> {
    let weight = AutomatonWeight::new(field, query.automaton()?);
    let mut documents = weight.scorer(segment, 1.0)?;
    let mut met = Bits::new(segment.max_doc());
    while documents.doc() != TERMINATED {
        if among.contains(documents.doc()) {
            met.insert(documents.doc());
        }
        documents.advance();
    }
    Ok(met)
}
