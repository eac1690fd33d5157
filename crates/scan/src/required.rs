//! What a text must have in it before a pattern can match, so that most searches end before they begin.

use memchr::memmem::Finder;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// More spellings of one part than this are not looked for one by one.
const MOST_SPELLINGS: usize = 24;
/// What is longer than this is cut into parts.
const LONGEST_SPELLING: usize = 40;

/// Parts of which every match has one spelling each.
#[derive(Debug, Default)]
pub struct Required(Vec<Vec<Finder<'static>>>);

/// The spellings of one part.
type Spellings = Vec<Vec<u8>>;

impl Required {
    /// What every match of the pattern has in it; the pattern is read as [`regex::bytes`] reads it without Unicode.
    pub fn by(pattern: &str) -> Self {
        let parser = ParserBuilder::new().unicode(false).utf8(false).multi_line(true).build().parse(pattern);
        let mut parts = parser.map(|hir| parts(&hir)).unwrap_or_default();
        // What is long and has few spellings is the rarest.
        parts.sort_by_key(|spellings| (std::cmp::Reverse(shortest(spellings)), spellings.len()));
        let finders = |spellings: Spellings| spellings.iter().map(|text| Finder::new(text).into_owned()).collect();
        Self(parts.into_iter().map(finders).collect())
    }

    /// Whether the text has a spelling of every part. Without all of them the pattern does not match.
    pub fn is_in(&self, text: &[u8]) -> bool {
        self.0.iter().all(|spellings| spellings.iter().any(|spelling| spelling.find(text).is_some()))
    }
}

/// The parts that every match of the expression has, each with all its spellings.
fn parts(hir: &Hir) -> Vec<Spellings> {
    if let Some(spellings) = spellings(hir) {
        return telling(spellings).into_iter().collect();
    }
    match hir.kind() {
        HirKind::Capture(capture) => parts(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => parts(&repetition.sub),
        HirKind::Concat(row) => parts_of_row(row),
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                let best = parts(branch).into_iter().max_by_key(|one| (shortest(one), std::cmp::Reverse(one.len())));
                match best {
                    Some(spellings) if all.len() + spellings.len() <= MOST_SPELLINGS => all.extend(spellings),
                    _ => return Vec::new(),
                }
            }
            telling(all).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The same of expressions that follow one another: neighbours with few spellings make one part.
fn parts_of_row(row: &[Hir]) -> Vec<Spellings> {
    let mut found = Vec::new();
    let mut run: Spellings = vec![Vec::new()];
    for hir in row {
        let next = spellings(hir);
        if let Some(longer) = next.as_ref().and_then(|next| joined(&run, next)) {
            run = longer;
            continue;
        }
        found.extend(telling(std::mem::replace(&mut run, vec![Vec::new()])));
        match next {
            Some(next) => run = next,
            None => found.extend(parts(hir)),
        }
    }
    found.extend(telling(run));
    found
}

/// Everything that the expression can match, when that is a short list.
fn spellings(hir: &Hir) -> Option<Spellings> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(vec![Vec::new()]),
        HirKind::Literal(literal) => (literal.0.len() <= LONGEST_SPELLING).then(|| vec![literal.0.to_vec()]),
        HirKind::Class(Class::Bytes(class)) => {
            let count: usize = class.iter().map(regex_syntax::hir::ClassBytesRange::len).sum();
            let bytes = || class.iter().flat_map(|range| range.start()..=range.end());
            (count <= 4).then(|| bytes().map(|byte| vec![byte]).collect())
        }
        HirKind::Class(Class::Unicode(_)) => None,
        HirKind::Capture(capture) => spellings(&capture.sub),
        HirKind::Repetition(repetition) => {
            let mut all = (repetition.max == Some(1)).then(|| spellings(&repetition.sub)).flatten()?;
            if repetition.min == 0 {
                all.push(Vec::new());
            }
            (all.len() <= MOST_SPELLINGS).then_some(all)
        }
        HirKind::Concat(row) => row.iter().try_fold(vec![Vec::new()], |run, hir| joined(&run, &spellings(hir)?)),
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(spellings(branch)?);
            }
            (all.len() <= MOST_SPELLINGS).then_some(all)
        }
    }
}

/// Each of the first followed by each of the second, when those are few and short.
fn joined(first: &[Vec<u8>], second: &[Vec<u8>]) -> Option<Spellings> {
    let longest = |all: &[Vec<u8>]| all.iter().map(Vec::len).max().unwrap_or(0);
    if first.len() * second.len() > MOST_SPELLINGS || longest(first) + longest(second) > LONGEST_SPELLING {
        return None;
    }
    Some(first.iter().flat_map(|start| second.iter().map(move |end| [start.as_slice(), end].concat())).collect())
}

/// A part that says something: none of its spellings is empty, and none holds another.
fn telling(mut spellings: Spellings) -> Option<Spellings> {
    if shortest(&spellings) == 0 {
        return None;
    }
    spellings.sort();
    spellings.dedup();
    let holds = |text: &[u8], part: &[u8]| text.len() > part.len() && text.windows(part.len()).any(|at| at == part);
    let kept = |text: &&Vec<u8>| !spellings.iter().any(|part| holds(text, part));
    Some(spellings.iter().filter(kept).cloned().collect())
}

fn shortest(spellings: &[Vec<u8>]) -> usize {
    spellings.iter().map(Vec::len).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Required;

    #[test]
    fn a_text_without_a_part_cannot_match() {
        let required = Required::by(r"\b(?:curl|wget)\b[^\n]{0,300}\|\s*(?:sudo\s+)?(?:ba|z)?sh\b");
        assert!(required.is_in(b"curl -s https://x.example | bash"));
        assert!(!required.is_in(b"curl -s https://x.example/sh"), "there is no pipe");
        assert!(!required.is_in(b"cat x | bash"), "nothing is fetched");
    }

    #[test]
    fn what_may_be_missing_is_not_required() {
        assert!(Required::by(r"a?(?:bc)*[x-z]").is_in(b"y"));
        assert!(Required::by(r"(?:ab|.{2})c").is_in(b"xxc"));
        assert!(Required::by(r"(?:(?:ab)+|[0-9]{2})").is_in(b"12"));
    }
}
