//! Finds the rules' words and patterns in a document, in time that grows with its length only.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::context::{Sections, Sentence};
use crate::document::{Document, Region, Shape};
use crate::error::Error;
use crate::intent::{Reader, Text};
use crate::needles::Needles;
use crate::report::Severity;
use crate::required::Required;
use crate::rules::{PlaceName, RulePack, Span, When};

/// A rule that matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Its place in the pack.
    pub rule: usize,
    /// How harmful it is here.
    pub severity: Severity,
    /// Where it begins, in the flat text.
    pub at: usize,
    /// How many bytes of the flat text it covers.
    pub length: usize,
    /// Why it weighs less than the rule says.
    pub softened: Option<&'static str>,
    /// What exactly was found, where that says more than the rule's title.
    pub detail: Option<String>,
}

/// Something that was found by the shape of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeMatch {
    /// The rule's place in the pack.
    pub rule: usize,
    /// Another severity than the rule's.
    pub severity: Option<Severity>,
    /// Where it begins, in bytes of the code.
    pub at: usize,
    /// How many bytes it covers.
    pub length: usize,
    /// What exactly was found.
    pub detail: String,
}

/// A word or an anchor that stands somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    pub start: usize,
    pub end: usize,
    pub target: Target,
}

/// What a small text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A class of words.
    Class(usize),
    /// The anchor of a way to match.
    Anchor(usize),
}

struct Way {
    rule: usize,
    severity: Severity,
    softens: bool,
    negates: bool,
    words: Vec<usize>,
    without: u128,
    needs: u128,
    ordered: bool,
    near: usize,
    span: Span,
    places: u8,
    pattern: String,
    except: String,
    required: OnceLock<Required>,
    compiled: OnceLock<Option<(Regex, Option<Regex>)>>,
}

/// All rules, ready to be found.
pub struct Matcher {
    texts: Needles,
    /// What each text stands for, and whether the word may go on behind it.
    needles: Vec<Vec<(Target, bool)>>,
    ways: Vec<Way>,
    worded: Vec<usize>,
    severities: Vec<Severity>,
    /// Classes that turn the sense of what stands around them.
    contextual: u128,
    classes: Vec<String>,
    reader: Reader,
}

/// How far around an anchor a pattern is tried in a long line.
const REACH: usize = 2_000;
/// The longest stretch that counts as one sentence.
const LONGEST_SENTENCE: usize = 1_500;
/// The longest stretch of a section that words may share.
const LONGEST_SECTION: usize = 8_000;

impl Matcher {
    /// Compiles the pack's words; its patterns are compiled when an anchor is first met.
    pub fn new(pack: &RulePack) -> Result<Self, Error> {
        let classes: Vec<String> = pack.words.keys().cloned().collect();
        if classes.len() > 128 {
            return Err(Error::Rules("there are more than 128 classes of words".to_owned()));
        }
        let class = |name: &String| classes.iter().position(|known| known == name).unwrap_or(0);
        let mut needles: BTreeMap<String, Vec<(Target, bool)>> = BTreeMap::new();
        for (name, phrases) in &pack.words {
            for phrase in phrases {
                let text = phrase.trim_end_matches('*').to_ascii_lowercase();
                needles.entry(text).or_default().push((Target::Class(class(name)), phrase.ends_with('*')));
            }
        }
        let mut ways = Vec::new();
        for (place, rule) in pack.rules.iter().enumerate() {
            for when in &rule.when {
                for anchor in &when.anchors {
                    needles.entry(anchor.clone()).or_default().push((Target::Anchor(ways.len()), true));
                }
                let words: Vec<usize> = when.words.iter().map(class).collect();
                ways.push(Way {
                    rule: place,
                    severity: when.severity.unwrap_or(rule.severity),
                    softens: rule.softens,
                    negates: rule.negates,
                    needs: bits(&words),
                    words,
                    without: bits(&when.without.iter().map(class).collect::<Vec<_>>()),
                    ordered: when.ordered,
                    near: when.near,
                    span: when.span,
                    places: places(when),
                    pattern: when.pattern.clone(),
                    except: when.except.clone(),
                    required: OnceLock::new(),
                    compiled: OnceLock::new(),
                });
            }
        }
        let is_inside =
            |targets: &[(Target, bool)]| targets.iter().any(|(target, _)| matches!(target, Target::Anchor(_)));
        let texts = Needles::new(needles.iter().map(|(text, targets)| (text.as_str(), is_inside(targets))));
        let worded = (0..ways.len()).filter(|way| !ways[*way].words.is_empty()).collect();
        let needles = needles.into_values().collect();
        let context = ["attack_words", "guard_words", "forbid_words", "such_as", "security_subject"].map(str::to_owned);
        let contextual = bits(&context.iter().map(class).collect::<Vec<_>>());
        let severities = pack.rules.iter().map(|rule| rule.severity).collect();
        Ok(Self { texts, needles, ways, worded, severities, contextual, classes, reader: Reader::new(pack)? })
    }

    /// The number of a class of words.
    pub fn class(&self, name: &str) -> Option<usize> {
        self.classes.iter().position(|known| known == name)
    }

    /// Compiles every pattern, for the test that all of them can be.
    pub fn check_patterns(&self) -> Result<(), Error> {
        for way in self.ways.iter().filter(|way| way.words.is_empty()) {
            if way.regexes().is_none() {
                return Err(Error::Rules(format!("the pattern `{}` or its exception cannot be read", way.pattern)));
            }
        }
        Ok(())
    }

    /// Every rule that matches in the document.
    pub fn find(&self, document: &Document, code: impl FnMut(&Region, &str) -> Vec<CodeMatch>) -> Vec<Match> {
        self.find_within(document, &mut false, code)
    }

    /// The same in a skill of which other texts were read: `security` says whether they are about security, and learns it.
    pub fn find_within(
        &self,
        document: &Document,
        security: &mut bool,
        mut code: impl FnMut(&Region, &str) -> Vec<CodeMatch>,
    ) -> Vec<Match> {
        let hits = self.hits(&document.lower);
        let mut sections = Sections::new(self, document, *security);
        let mut found = Vec::new();
        let mut text = Reader::text(document);
        let mut next = 0;
        for (place, region) in document.regions.iter().enumerate() {
            while hits.get(next).is_some_and(|hit| hit.start < region.start) {
                next += 1;
            }
            let end = next + hits[next..].partition_point(|hit| hit.start < region.end);
            let inside = &hits[next..end];
            next = end;
            sections.enter(place, region, inside);
            self.region(document, region, inside, &sections, &mut text, &mut found);
            if region.language.is_some() {
                let text = document.flat.get(region.start..region.end).unwrap_or_default();
                found.extend(
                    code(region, text).into_iter().map(|shape| self.shaped(&shape, document, region, &sections)),
                );
            }
            if let Some(finished) = sections.finished_section(place, LONGEST_SECTION) {
                self.spanning(document, region, Span::Section, &finished, &sections, &mut found);
            }
        }
        self.reader.judge(&text, &mut found);
        *security |= sections.is_about_security();
        found.sort_by_key(|found| (found.rule, found.at));
        found.dedup_by(|later, earlier| {
            later.rule == earlier.rule
                && later.at < earlier.at + earlier.length.max(1)
                && later.severity <= earlier.severity
        });
        found
    }

    fn hits(&self, lower: &str) -> Vec<Hit> {
        let bytes = lower.as_bytes();
        let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
        let mut hits = Vec::new();
        self.texts.find(bytes, |start, end, needle| {
            for (target, goes_on) in &self.needles[needle] {
                let is_word = matches!(target, Target::Class(_));
                let begins = !is_word || !letter(start) || start == 0 || !letter(start - 1);
                let named = matches!(target, Target::Class(class) if self.contextual & (1 << class) != 0)
                    && in_a_name(bytes, start, end);
                let plural = bytes.get(end) == Some(&b's') && !letter(end + 1);
                let ends = *goes_on || !letter(end.saturating_sub(1)) || !letter(end) || plural;
                if begins && ends && !named {
                    hits.push(Hit { start, end, target: *target });
                }
            }
        });
        hits
    }

    fn region(
        &self,
        document: &Document,
        region: &Region,
        hits: &[Hit],
        sections: &Sections<'_>,
        text: &mut Text,
        found: &mut Vec<Match>,
    ) {
        let is_read = Reader::reads(region);
        if hits.is_empty() && !is_read {
            return;
        }
        let mut from = 0;
        let mut tried: Vec<(usize, usize)> = Vec::new();
        for (start, end) in sentences(&document.lower, region) {
            while hits.get(from).is_some_and(|hit| hit.start < start) {
                from += 1;
            }
            let to = from + hits[from..].partition_point(|hit| hit.start < end);
            let inside = &hits[from..to];
            from = to;
            let sentence = Sentence::new(sections, region, start, end, inside);
            if is_read {
                self.reader.sentence(text, document, region, &sentence);
            }
            if inside.is_empty() {
                continue;
            }
            self.words(region, Span::Sentence, &sentence, found);
            self.patterns(document, region, &sentence, &mut tried, found);
        }
        self.spanning(document, region, Span::Block, hits, sections, found);
    }

    /// Rules whose words may be spread over more than a sentence.
    fn spanning(
        &self,
        document: &Document,
        region: &Region,
        span: Span,
        hits: &[Hit],
        sections: &Sections<'_>,
        found: &mut Vec<Match>,
    ) {
        let (Some(first), Some(last)) = (hits.first(), hits.last()) else { return };
        let sentence = Sentence::new(sections, region, first.start, last.end.min(document.flat.len()), hits);
        self.words(region, span, &sentence, found);
    }

    /// What the shape of code gave, weighed by what surrounds it.
    fn shaped(&self, shape: &CodeMatch, document: &Document, region: &Region, sections: &Sections<'_>) -> Match {
        let at = region.start + shape.at;
        let line = document
            .flat
            .get(region.start..at)
            .and_then(|before| before.rfind('\n'))
            .map_or(region.start, |end| region.start + end + 1);
        let sentence = Sentence::new(sections, region, line, region.end, &[]);
        let severity = shape.severity.unwrap_or(self.severities[shape.rule]);
        let softer = sentence.softer(at, false).filter(|(most, _)| *most < severity);
        Match {
            rule: shape.rule,
            severity: softer.map_or(severity, |(most, _)| most),
            at,
            length: shape.length,
            softened: softer.map(|(_, why)| why),
            detail: Some(shape.detail.clone()).filter(|detail| !detail.is_empty()),
        }
    }

    fn words(&self, region: &Region, span: Span, sentence: &Sentence<'_>, found: &mut Vec<Match>) {
        for way in self.worded.iter().map(|way| &self.ways[*way]) {
            if way.span != span
                || way.needs & !sentence.classes != 0
                || way.without & sentence.classes != 0
                || way.places & region.place == 0
            {
                continue;
            }
            if let Some((first, end)) = way.place(sentence.hits) {
                found.push(way.found(first.start, end.saturating_sub(first.start), sentence));
            }
        }
    }

    fn patterns(
        &self,
        document: &Document,
        region: &Region,
        sentence: &Sentence<'_>,
        tried: &mut Vec<(usize, usize)>,
        found: &mut Vec<Match>,
    ) {
        tried.retain(|(_, until)| *until > sentence.start);
        for hit in sentence.hits {
            let Target::Anchor(place) = hit.target else { continue };
            let way = &self.ways[place];
            if way.places & region.place == 0
                || tried.iter().any(|(other, until)| *other == place && hit.start < *until)
            {
                continue;
            }
            let (from, to) =
                if way.span == Span::Sentence { (sentence.start, sentence.end) } else { (region.start, region.end) };
            let whole = to - from <= REACH * 2;
            let (start, end) =
                if whole { (from, to) } else { (hit.start.saturating_sub(REACH).max(from), (hit.end + REACH).min(to)) };
            tried.retain(|(other, _)| *other != place);
            tried.push((place, if whole { to } else { hit.start + REACH / 2 }));
            let text = document.lower.as_bytes().get(start..end).unwrap_or_default();
            if !way.required.get_or_init(|| Required::by(&way.pattern)).is_in(text) {
                continue;
            }
            let Some((pattern, except)) = way.regexes() else { continue };
            let matching = pattern
                .find_iter(text)
                .take(20)
                .find(|matched| !except.as_ref().is_some_and(|except| except.is_match(matched.as_bytes())));
            if let Some(matched) = matching {
                found.push(way.found(start + matched.start(), matched.len(), sentence));
            }
        }
    }
}

impl Way {
    fn regexes(&self) -> Option<&(Regex, Option<Regex>)> {
        let build = |pattern: &str| {
            RegexBuilder::new(pattern)
                .unicode(false)
                .multi_line(true)
                .size_limit(4 << 20)
                .dfa_size_limit(8 << 20)
                .build()
                .ok()
        };
        let compiled = self.compiled.get_or_init(|| {
            let except = if self.except.is_empty() { Some(None) } else { build(&self.except).map(Some) };
            Some((build(&self.pattern)?, except?))
        });
        compiled.as_ref()
    }

    /// The first word with the others near it, and where the last of them ends.
    fn place<'h>(&self, hits: &'h [Hit]) -> Option<(&'h Hit, usize)> {
        let (first, others) = self.words.split_first()?;
        let starts = hits.iter().enumerate().filter(|(_, hit)| hit.target == Target::Class(*first));
        starts.take(64).find_map(|(place, start)| {
            let mut from = start.end;
            let mut end = start.end;
            for class in others {
                let candidates = if self.ordered { &hits[place..] } else { hits };
                let near = candidates.iter().find(|hit| {
                    let apart = hit.start.saturating_sub(start.end).max(start.start.saturating_sub(hit.end));
                    let behind = !self.ordered || hit.start >= from;
                    let same = hit.start < start.end && start.start < hit.end;
                    hit.target == Target::Class(*class) && apart <= self.near && behind && !same
                })?;
                from = near.end;
                end = end.max(near.end);
            }
            Some((start, end))
        })
    }

    fn found(&self, at: usize, length: usize, sentence: &Sentence<'_>) -> Match {
        let softer = if self.softens { sentence.softer(at, self.negates) } else { None };
        let (severity, softened) = match softer {
            Some((most, why)) if most < self.severity => (most, Some(why)),
            _ => (self.severity, None),
        };
        Match { rule: self.rule, severity, at, length, softened, detail: None }
    }
}

/// Whether a word is a part of an address, a path or a name: what those are called says nothing about the sentence.
fn in_a_name(bytes: &[u8], start: usize, end: usize) -> bool {
    let joins = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b'.' | b'/' | b'@' | b'_' | b'='));
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    let after = bytes.get(end);
    let goes_on = bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
    joins(before) || (joins(after) && goes_on)
}

fn bits(classes: &[usize]) -> u128 {
    classes.iter().fold(0, |bits, class| bits | 1 << class)
}

fn places(when: &When) -> u8 {
    if when.places.is_empty() { u8::MAX } else { when.places.iter().fold(0, |bits, place| bits | place.bit()) }
}

/// The sentences of prose, the lines of everything else.
fn sentences(lower: &str, region: &Region) -> Vec<(usize, usize)> {
    let bytes = lower.as_bytes();
    let by_line = region.shape == Shape::Lines && region.place != PlaceName::Comment.bit();
    let mut found = Vec::new();
    let mut start = region.start;
    for at in region.start..region.end {
        let ends = match bytes[at] {
            b'\n' if region.place == PlaceName::Front.bit() => {
                // A value may go on in lines that are set in.
                !bytes.get(at + 1).is_some_and(|next| matches!(next, b' ' | b'\t'))
                    || matches!(bytes.get(at.saturating_sub(1)), Some(b':'))
            }
            b'\n' => by_line,
            b'.' | b'!' | b'?' | b';' => {
                (!by_line || region.place == PlaceName::Front.bit())
                    && bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace)
            }
            0x82 => !by_line && at >= 2 && bytes[at - 2..at] == [0xe3, 0x80],
            b' ' => !by_line && at - start > LONGEST_SENTENCE,
            _ => false,
        };
        if ends {
            found.push((start, at + 1));
            start = at + 1;
        }
    }
    if start < region.end {
        found.push((start, region.end));
    }
    found
}
