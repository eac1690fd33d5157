//! Words of the index that look like a given one.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use tantivy::query::FuzzyTermQuery;
use tantivy::schema::Field;
use tantivy::termdict::TermStreamer;
use tantivy::{InvertedIndexReader, Searcher, Term};

use crate::Error;

/// The shortest word that may be misspelt.
const SHORTEST: usize = 4;
/// The shortest word that may be misspelt twice.
const SHORTEST_FOR_TWO: usize = 8;
/// The longest word that is compared.
const LONGEST: usize = 32;
/// The most words of one segment's dictionary that are looked at.
const SCANNED: usize = 2_048;

/// How many words of one segment's dictionary are compared by frequency.
const CANDIDATES: usize = 32;

/// A word of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    pub word: String,
    /// In how many documents of the index it stands; hidden ones too, so only for ordering.
    pub frequency: u64,
}

/// The words of a field that differ from `word` in few letters, the most frequent first.
pub fn similar(searcher: &Searcher, field: Field, word: &str, most: usize) -> Result<Vec<Spelling>, Error> {
    let Some(distance) = tolerance(word) else { return Ok(Vec::new()) };
    let query = FuzzyTermQuery::new(Term::from_field_text(field, word), distance, true);
    collect(searcher, field, most, |terms, frequent| offer_similar(terms, &query, frequent), word)
}

/// The words of a field that begin with `prefix`, misspelt in one letter if it is long; the most frequent first.
pub fn beginning(searcher: &Searcher, field: Field, prefix: &str, most: usize) -> Result<Vec<Spelling>, Error> {
    let feed = |terms: &InvertedIndexReader, frequent: &mut Frequent<'_>| {
        let mut words = beginning_with(terms, prefix)?;
        while let Some((word, place)) = words.next() {
            if !frequent.offer(word, place.doc_freq) {
                break;
            }
        }
        Ok(())
    };
    let exact = collect(searcher, field, most, feed, "")?;
    if !exact.is_empty() || tolerance(prefix).is_none() {
        return Ok(exact);
    }
    let query = FuzzyTermQuery::new_prefix(Term::from_field_text(field, prefix), 1, true);
    collect(searcher, field, most, |terms, frequent| offer_similar(terms, &query, frequent), "")
}

fn offer_similar(
    terms: &InvertedIndexReader,
    query: &FuzzyTermQuery,
    frequent: &mut Frequent<'_>,
) -> Result<(), Error> {
    let mut words = terms.terms().search(query.automaton()?).into_stream()?;
    while let Some((word, place)) = words.next() {
        if !frequent.offer(word, place.doc_freq) {
            break;
        }
    }
    Ok(())
}

/// The words that begin with `prefix`, in their order.
pub fn beginning_with<'a>(terms: &'a InvertedIndexReader, prefix: &str) -> Result<TermStreamer<'a>, Error> {
    let words = terms.terms().range().ge(prefix);
    let mut end = prefix.as_bytes().to_vec();
    // No byte of a text is the greatest one.
    Ok(match end.last_mut() {
        Some(last) => {
            *last = last.saturating_add(1);
            words.lt(end).into_stream()?
        }
        None => words.into_stream()?,
    })
}

/// How many letters may differ; none when the word is too short, too long or no word of letters.
fn tolerance(word: &str) -> Option<u8> {
    let length = word.chars().count();
    let usual = word.chars().all(|char| char.is_ascii_alphanumeric());
    match length {
        _ if !usual || !word.chars().any(|char| char.is_ascii_alphabetic()) => None,
        SHORTEST..SHORTEST_FOR_TWO => Some(1),
        SHORTEST_FOR_TWO..=LONGEST => Some(2),
        _ => None,
    }
}

/// The most frequent words of a field among those that `feed` offers of each segment.
fn collect(
    searcher: &Searcher,
    field: Field,
    most: usize,
    feed: impl Fn(&InvertedIndexReader, &mut Frequent<'_>) -> Result<(), Error>,
    except: &str,
) -> Result<Vec<Spelling>, Error> {
    let mut found: HashMap<String, u64> = HashMap::new();
    for segment in searcher.segment_readers() {
        let mut frequent = Frequent { except, scanned: 0, best: BinaryHeap::new() };
        feed(&*segment.inverted_index(field)?, &mut frequent)?;
        for Reverse((frequency, word)) in frequent.best {
            *found.entry(word).or_default() += u64::from(frequency);
        }
    }
    let mut found: Vec<Spelling> = found.into_iter().map(|(word, frequency)| Spelling { word, frequency }).collect();
    found.sort_by(|left, right| right.frequency.cmp(&left.frequency).then_with(|| left.word.cmp(&right.word)));
    found.truncate(most);
    Ok(found)
}

/// The most frequent words of one segment: enough to find the most frequent of all.
struct Frequent<'a> {
    except: &'a str,
    scanned: usize,
    best: BinaryHeap<Reverse<(u32, String)>>,
}

impl Frequent<'_> {
    /// Offers a word; false when no more are wanted.
    fn offer(&mut self, word: &[u8], frequency: u32) -> bool {
        self.scanned += 1;
        if self.scanned > SCANNED {
            return false;
        }
        let full = self.best.len() >= CANDIDATES;
        if full && self.best.peek().is_some_and(|Reverse((least, _))| frequency <= *least) {
            return true;
        }
        if let Ok(word) = std::str::from_utf8(word)
            && word != self.except
        {
            self.best.push(Reverse((frequency, word.to_owned())));
            if full {
                self.best.pop();
            }
        }
        true
    }
}
