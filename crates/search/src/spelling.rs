//! Words of the index that look like a given one.

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
const SCANNED: usize = 4_096;

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
    let mut found: Vec<Spelling> = Vec::new();
    for segment in searcher.segment_readers() {
        let terms = segment.inverted_index(field)?;
        let mut words = terms.terms().search(query.automaton()?).into_stream()?;
        let mut scanned = 0;
        while let Some((word, place)) = words.next() {
            scanned += 1;
            if scanned > SCANNED {
                break;
            }
            let Ok(word) = std::str::from_utf8(word) else { continue };
            if word == except {
                continue;
            }
            let frequency = u64::from(place.doc_freq);
            match found.iter_mut().find(|spelling| spelling.word == word) {
                Some(spelling) => spelling.frequency += frequency,
                None => found.push(Spelling { word: word.to_owned(), frequency }),
            }
        }
    }
    found.sort_by(|left, right| right.frequency.cmp(&left.frequency).then_with(|| left.word.cmp(&right.word)));
    found.truncate(most);
    Ok(found)
}
