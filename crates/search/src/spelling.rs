//! Words of the index that look like a given one.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use tantivy::query::FuzzyTermQuery;
use tantivy::schema::Field;
use tantivy::{Searcher, Term};

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
    collect(searcher, field, &query, word, most)
}

/// The words of a field that begin with `prefix`, misspelt in one letter if it is long; the most frequent first.
pub fn beginning(searcher: &Searcher, field: Field, prefix: &str, most: usize) -> Result<Vec<Spelling>, Error> {
    let query = FuzzyTermQuery::new_prefix(Term::from_field_text(field, prefix), 0, true);
    let exact = collect(searcher, field, &query, "", most)?;
    if !exact.is_empty() || tolerance(prefix).is_none() {
        return Ok(exact);
    }
    let query = FuzzyTermQuery::new_prefix(Term::from_field_text(field, prefix), 1, true);
    collect(searcher, field, &query, "", most)
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

fn collect(
    searcher: &Searcher,
    field: Field,
    query: &FuzzyTermQuery,
    except: &str,
    most: usize,
) -> Result<Vec<Spelling>, Error> {
    let mut found: HashMap<String, u64> = HashMap::new();
    for segment in searcher.segment_readers() {
        let terms = segment.inverted_index(field)?;
        let mut words = terms.terms().search(query.automaton()?).into_stream()?;
        // The most frequent of this segment: enough to find the most frequent of all.
        let mut best: BinaryHeap<Reverse<(u32, String)>> = BinaryHeap::new();
        let mut scanned = 0;
        while let Some((word, place)) = words.next() {
            scanned += 1;
            if scanned > SCANNED {
                break;
            }
            let full = best.len() >= CANDIDATES;
            if full && best.peek().is_some_and(|Reverse((least, _))| place.doc_freq <= *least) {
                continue;
            }
            if let Ok(word) = std::str::from_utf8(word)
                && word != except
            {
                best.push(Reverse((place.doc_freq, word.to_owned())));
                if full {
                    best.pop();
                }
            }
        }
        for Reverse((frequency, word)) in best {
            *found.entry(word).or_default() += u64::from(frequency);
        }
    }
    let mut found: Vec<Spelling> = found.into_iter().map(|(word, frequency)| Spelling { word, frequency }).collect();
    found.sort_by(|left, right| right.frequency.cmp(&left.frequency).then_with(|| left.word.cmp(&right.word)));
    found.truncate(most);
    Ok(found)
}
