//! What prose orders: each sentence is read for who shall do what to which thing, where that goes, when, and who must not know.
//!
//! Words are looked up by class, verbs find their objects, prohibitions and other people's deeds are left out. What remains is a set
//! of features, and linear models with weights from the rule pack judge it together with what is said beside it.

mod clause;
mod feature;
mod lexicon;
mod model;
mod words;

pub use model::Model;

use crate::context::Sentence;
use crate::document::{Document, Region, Shape};
use crate::error::Error;
use crate::matcher::Match;
use crate::report::Severity;
use crate::rules::{PlaceName, RulePack};

use clause::said;
use lexicon::Lexicon;
use model::{Ready, Scene};
use words::Token;

/// How many sentences before and behind count as beside.
const BESIDE: usize = 3;
/// How much of a text's beginning tells what it is about.
const OPENING: usize = 2_000;
/// Features that say nothing without an act.
const PLACES: u8 = PlaceName::Prose.bit() | PlaceName::Comment.bit() | PlaceName::Front.bit() | PlaceName::Text.bit();

/// The reader of orders.
#[derive(Debug)]
pub struct Reader {
    lexicon: Lexicon,
    models: Vec<Ready>,
}

/// What one text has said so far.
#[derive(Debug, Default)]
pub struct Text {
    lines: Vec<Line>,
    held: Vec<(usize, u128)>,
    section: usize,
    about: String,
    /// The words of the last sentence; only their room is used again.
    tokens: Vec<Token>,
}

#[derive(Debug)]
struct Line {
    section: usize,
    features: u128,
    at: usize,
    length: usize,
    softer: Option<(Severity, &'static str)>,
    hidden: bool,
}

impl Reader {
    /// Reads the words and models of the pack.
    pub fn new(pack: &RulePack) -> Result<Self, Error> {
        Ok(Self { lexicon: Lexicon::new(pack)?, models: Ready::all(pack)? })
    }

    /// Begins with a text: what it says of itself tells which addresses are its own.
    pub fn text(document: &Document) -> Text {
        let mut end = document.lower.len().min(OPENING);
        while !document.lower.is_char_boundary(end) {
            end -= 1;
        }
        let opening = document.lower.get(..end).unwrap_or_default();
        let title = document.regions.iter().find(|region| matches!(region.shape, Shape::Heading(1)));
        let title_end = title.map_or(0, |title| title.end);
        let front = document
            .regions
            .iter()
            .take(1)
            .find(|region| region.place == PlaceName::Front.bit())
            .map_or(0, |front| front.end);
        let about = opening.get(..front.max(title_end).min(end)).unwrap_or_default();
        Text { about: about.to_owned(), ..Text::default() }
    }

    /// Whether a region is prose that may give orders.
    pub const fn reads(region: &Region) -> bool {
        region.place & PLACES != 0 && !matches!(region.shape, Shape::Heading(_))
    }

    /// Reads one sentence.
    pub fn sentence(&self, text: &mut Text, document: &Document, region: &Region, sentence: &Sentence<'_>) {
        text.section = region.heading.unwrap_or(0);
        let mut tokens = std::mem::take(&mut text.tokens);
        let mut at = sentence.start;
        while at < sentence.end {
            let own = |host: &str| is_own(&text.about, host);
            let next = words::read(&self.lexicon, &document.lower, (at, sentence.end), own, &mut tokens);
            if at == sentence.start && next >= sentence.end {
                part(text, region, sentence, &tokens);
            } else {
                part(text, region, &sentence.part(at, next.min(sentence.end)), &tokens);
            }
            at = next.max(at + 1);
        }
        text.tokens = tokens;
    }

    /// Judges everything that the text has said.
    pub fn judge(&self, text: &Text, found: &mut Vec<Match>) {
        let whole = text.lines.iter().filter(|line| line.softer.is_none()).fold(0, |all, line| all | line.features);
        for (number, line) in text.lines.iter().enumerate() {
            let from = number.saturating_sub(BESIDE);
            let beside = text.lines.get(from..(number + BESIDE + 1).min(text.lines.len())).unwrap_or_default();
            let near =
                beside.iter().filter(|other| other.section == line.section).fold(0, |all, other| all | other.features);
            let scene = Scene { own: line.features, near, text: whole };
            for model in &self.models {
                let Some((severity, said)) = model.judge(scene) else { continue };
                let severity = if line.hidden { Severity::High } else { severity };
                let softer = line.softer.filter(|(most, _)| *most < severity);
                found.push(Match {
                    rule: model.rule,
                    severity: softer.map_or(severity, |(most, _)| most),
                    at: line.at,
                    length: line.length,
                    softened: softer.map(|(_, why)| why),
                    detail: Some(said),
                });
            }
        }
    }
}

/// Understands words that are read together.
fn part(text: &mut Text, region: &Region, sentence: &Sentence<'_>, tokens: &[Token]) {
    if tokens.iter().all(|token| token.classes == 0) {
        return;
    }
    let number = text.lines.len();
    let recent = text.held.iter().rev().take_while(|(line, _)| line + BESIDE + 2 > number);
    let held = recent.fold(0, |all, (_, held)| all | held);
    let found = said(tokens, held);
    if found.held != 0 {
        text.held.push((number, found.held));
    }
    if found.features == 0 {
        return;
    }
    let softer = sentence.softer(found.at, false);
    text.lines.push(Line {
        section: text.section,
        features: found.features,
        at: found.at,
        length: sentence.end.saturating_sub(found.at).min(160),
        softer,
        hidden: region.place == PlaceName::Comment.bit(),
    });
}

/// Whether a host is named by what the text is about, or lies on this machine.
fn is_own(about: &str, host: &str) -> bool {
    let host = host.trim_start_matches("www.");
    if host.is_empty()
        || host.starts_with(['{', '<', '$', '%'])
        || matches!(host, "localhost" | "127.0.0.1" | "0.0.0.0" | "[")
    {
        return true;
    }
    let labels: Vec<&str> = host.split('.').collect();
    let Some(name) = labels.len().checked_sub(2).and_then(|place| labels.get(place)) else { return true };
    let apart = |char: char| !char.is_alphanumeric() && char != '-';
    let named = |text: &str| {
        text.split(apart).any(|word| word == *name || (name.len() > 4 && word.split('-').any(|part| part == *name)))
    };
    // An address explains nothing by itself, unless it is given as the home of the skill.
    let home = |line: &str| ["homepage", "url", "website", "repository"].iter().any(|key| line.starts_with(key));
    name.len() > 2
        && about.lines().any(|line| {
            home(line.trim_start()) && named(line)
                || line.split_whitespace().any(|word| !word.contains("://") && !word.contains('@') && named(word))
        })
}
