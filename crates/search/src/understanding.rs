//! What a query's text asks for.

use std::collections::HashSet;

use tantivy::{Searcher, Term};

use crate::analysis::{self, Style, is_function_word};
use crate::postings::{Clause, Source};
use crate::ranking::{FieldWeight, LATE, LOOKUPS, NAME, PATIENCE, QUERY_LIMIT, SIMILAR, Weights};
use crate::schema::{Fields, cut};
use crate::{Error, spelling};

/// The most words of a query whose last one may be unfinished.
const UNFINISHED_WORDS: usize = 3;
/// The most words of a query that are checked for misspelling.
const SPELLED_WORDS: usize = 8;
/// The most spellings or completions that stand in for a word.
const STAND_INS: usize = 6;

/// A query's text, understood.
#[derive(Debug, Default)]
pub struct Asked {
    /// The whole text as names are compared.
    pub key: String,
    /// The skill that the text names by its publisher: handle and slug.
    pub reference: Option<(String, String)>,
    /// What is searched for.
    pub clauses: Vec<Clause>,
    /// The content words in their order.
    pub content: Vec<String>,
    /// Words that stand nowhere, each with words that look like it.
    pub misspelt: Vec<(String, Vec<String>)>,
    /// The text, cut to what is read.
    pub text: String,
}

impl Asked {
    /// Reads a query's text.
    pub fn read(
        text: &str,
        searcher: &Searcher,
        fields: &Fields,
        ranked: &[FieldWeight],
        weights: &Weights,
    ) -> Result<Self, Error> {
        let text = cut(text, QUERY_LIMIT).trim();
        let mut content = analysis::terms(text, Style::Text);
        let clauses = clauses(&content, ranked, weights);
        content.retain(|term| !is_function_word(term));
        content.truncate(LOOKUPS);
        let mut asked = Self {
            key: analysis::key(text),
            reference: reference(text),
            clauses,
            content,
            misspelt: Vec::new(),
            text: text.to_owned(),
        };
        let words = analysis::terms(text, Style::Plain);
        if words.len() <= SPELLED_WORDS {
            asked.mend(&words, searcher, fields, ranked)?;
        }
        if words.len() <= UNFINISHED_WORDS && text.ends_with(char::is_alphanumeric) {
            asked.complete(words.last().map_or("", String::as_str), searcher, fields)?;
        }
        Ok(asked)
    }

    /// Adds words that look like the ones that stand nowhere.
    fn mend(
        &mut self,
        words: &[String],
        searcher: &Searcher,
        fields: &Fields,
        ranked: &[FieldWeight],
    ) -> Result<(), Error> {
        for word in words {
            let terms = analysis::terms(word, Style::Text);
            let Some(term) = terms.first() else { continue };
            if terms.len() != 1 || stands_somewhere(term, searcher, ranked)? {
                continue;
            }
            let mut similar = spelling::similar(searcher, fields.plain_name, word, STAND_INS)?;
            if similar.is_empty() {
                similar = spelling::similar(searcher, fields.plain_text, word, STAND_INS)?;
            }
            let similar: Vec<String> = similar.into_iter().map(|spelling| spelling.word).collect();
            if let Some(clause) = self.clauses.iter_mut().find(|clause| clause.term == *term) {
                for spelling in similar.iter().flat_map(|spelling| analysis::terms(spelling, Style::Text)) {
                    clause.sources.extend(sources(&spelling, ranked, SIMILAR));
                }
            }
            if !similar.is_empty() {
                self.misspelt.push((word.clone(), similar));
            }
        }
        Ok(())
    }

    /// Adds names that begin with the last word, which may be unfinished.
    fn complete(&mut self, last: &str, searcher: &Searcher, fields: &Fields) -> Result<(), Error> {
        if last.chars().count() < 2 {
            return Ok(());
        }
        let Some(clause) = self.clauses.last_mut() else { return Ok(()) };
        for completion in spelling::beginning(searcher, fields.plain_name, last, STAND_INS)? {
            if completion.word != last {
                clause.sources.push(Source {
                    slot: NAME,
                    field: fields.plain_name,
                    text: completion.word,
                    factor: SIMILAR,
                });
            }
        }
        Ok(())
    }
}

/// One clause per different term, weighed by what kind of word it is and how early it comes.
fn clauses(terms: &[String], ranked: &[FieldWeight], weights: &Weights) -> Vec<Clause> {
    let mut known: HashSet<&str> = HashSet::new();
    let mut clauses: Vec<Clause> = Vec::new();
    for (place, term) in (0u16..).zip(terms) {
        if clauses.len() < LOOKUPS && known.insert(term) {
            let kind = if is_function_word(term) { weights.function_word } else { 1.0 };
            let weight = kind * (1.0 / (1.0 + f32::from(place) / PATIENCE)).max(LATE);
            clauses.push(Clause { term: term.clone(), weight, sources: sources(term, ranked, 1.0).collect() });
        }
    }
    clauses
}

fn sources<'a>(term: &'a str, ranked: &'a [FieldWeight], factor: f32) -> impl Iterator<Item = Source> + 'a {
    let source =
        move |(slot, field): (usize, &FieldWeight)| Source { slot, field: field.field, text: term.to_owned(), factor };
    ranked.iter().enumerate().map(source)
}

fn stands_somewhere(term: &str, searcher: &Searcher, ranked: &[FieldWeight]) -> Result<bool, Error> {
    for field in ranked {
        if searcher.doc_freq(&Term::from_field_text(field.field, term))? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The handle and slug of `@owner/slug`, `owner/slug` and the same with a version.
fn reference(text: &str) -> Option<(String, String)> {
    let (handle, rest) = text.strip_prefix('@').unwrap_or(text).split_once('/')?;
    let slug = rest.split_once('@').map_or(rest, |(slug, _)| slug);
    let name = |part: &str| !part.is_empty() && part.chars().all(|char| char.is_alphanumeric() || "-_.".contains(char));
    (name(handle) && name(slug)).then(|| (analysis::key(handle), analysis::key(slug)))
}
