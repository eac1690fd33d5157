//! What surrounds a match and can turn its sense: prohibitions, lists of attacks, quotations, comments.

use crate::document::{Document, Region, Shape};
use crate::matcher::{Hit, Matcher, Target};
use crate::report::Severity;
use crate::rules::PlaceName;

/// What is known of the document around the place that is being judged.
pub struct Sections<'d> {
    document: &'d Document,
    attack: Option<usize>,
    forbid: Option<usize>,
    guard: Option<usize>,
    negation: Option<usize>,
    security: Option<usize>,
    such_as: Option<usize>,
    reported: Option<usize>,
    sought: Option<usize>,
    judged: Option<usize>,
    as_data: Option<usize>,
    /// For each region that is a heading: whether it announces attacks or what not to do.
    /// The second says the same of code: an attack that is announced and shown in code is still an attack.
    warning: Vec<(usize, bool, bool)>,
    /// Whether the sentence before a list or block announces attacks or what not to do.
    lead_in: bool,
    /// Whether the document's title or description says that it is about security.
    about_security: bool,
    gathered: Vec<Hit>,
    gathered_from: usize,
}

impl<'d> Sections<'d> {
    pub fn new(matcher: &Matcher, document: &'d Document, about_security: bool) -> Self {
        let class = |name| matcher.class(name);
        Self {
            document,
            attack: class("attack_words"),
            forbid: class("forbid_words"),
            guard: class("guard_words"),
            negation: class("negation"),
            security: class("security_subject"),
            such_as: class("such_as"),
            reported: class("reported"),
            sought: class("sought"),
            judged: class("judged"),
            as_data: class("as_data"),
            warning: Vec::new(),
            lead_in: false,
            about_security,
            gathered: Vec::new(),
            gathered_from: 0,
        }
    }

    /// Whether the text, or the skill that it belongs to, says that it is about security.
    pub const fn is_about_security(&self) -> bool {
        self.about_security
    }

    /// Takes notice of the next region.
    pub fn enter(&mut self, place: usize, region: &Region, hits: &[Hit]) {
        let has =
            |class: Option<usize>| class.is_some_and(|class| hits.iter().any(|hit| hit.target == Target::Class(class)));
        let warns = has(self.attack) || has(self.forbid);
        let early = place < 4 && (region.place == PlaceName::Front.bit() || matches!(region.shape, Shape::Heading(1)));
        self.about_security |= early && has(self.security);
        match region.shape {
            Shape::Heading(level) => {
                // A title names the whole document; it warns of nothing in particular.
                self.warning.push((place, warns && level > 1, (has(self.forbid) || has(self.guard)) && level > 1));
                self.lead_in = false;
            }
            Shape::Paragraph | Shape::Quotation => {
                let text = self.document.flat.get(region.start..region.end).unwrap_or_default().trim_end();
                self.lead_in = warns && (text.ends_with(':') || text.ends_with('：') || text.len() < 90);
            }
            Shape::Item => {
                let text = self.document.flat.get(region.start..region.end).unwrap_or_default().trim_end();
                self.lead_in |= warns && text.ends_with(':');
            }
            Shape::Row | Shape::Lines => {}
        }
        if matches!(region.shape, Shape::Heading(_)) {
            self.gathered.clear();
            self.gathered_from = region.start;
        }
        let words = hits.iter().filter(|hit| matches!(hit.target, Target::Class(_)));
        if self.gathered.len() < 4_000 && region.shape != Shape::Lines {
            self.gathered.extend(words);
        }
    }

    /// The words of the section, when `place` is its last region.
    pub fn finished_section(&mut self, place: usize, longest: usize) -> Option<Vec<Hit>> {
        let next = self.document.regions.get(place + 1);
        let ends = next
            .is_none_or(|next| matches!(next.shape, Shape::Heading(_)) || next.start - self.gathered_from > longest);
        if !ends {
            return None;
        }
        if let Some(next) = next {
            self.gathered_from = next.start;
        }
        Some(std::mem::take(&mut self.gathered))
    }

    fn under_warning(&self, region: &Region) -> bool {
        let is_code = region.shape == Shape::Lines;
        let mut heading = region.heading;
        while let Some(place) = heading {
            if self.warning.iter().any(|(other, prose, code)| *other == place && if is_code { *code } else { *prose }) {
                return true;
            }
            heading = self.document.regions.get(place).and_then(|region| region.heading);
        }
        false
    }
}

/// A sentence, or a stretch that is judged like one.
pub struct Sentence<'a> {
    sections: &'a Sections<'a>,
    region: &'a Region,
    pub start: usize,
    pub end: usize,
    pub hits: &'a [Hit],
    pub classes: u128,
}

impl<'a> Sentence<'a> {
    pub fn new(sections: &'a Sections<'a>, region: &'a Region, start: usize, end: usize, hits: &'a [Hit]) -> Self {
        let classes = hits.iter().fold(0, |bits, hit| match hit.target {
            Target::Class(class) => bits | 1 << class,
            Target::Anchor(_) => bits,
        });
        Self { sections, region, start, end, hits, classes }
    }

    /// A part of it, with what stands there.
    pub fn part(&self, start: usize, end: usize) -> Self {
        let from = self.hits.partition_point(|hit| hit.start < start);
        let to = self.hits.partition_point(|hit| hit.start < end);
        Self::new(self.sections, self.region, start, end, self.hits.get(from..to).unwrap_or_default())
    }

    fn has(&self, class: Option<usize>) -> bool {
        class.is_some_and(|class| self.classes & (1 << class) != 0)
    }

    /// How much a match at `at` can weigh at most here, and why; nothing when its words mean what they say.
    pub fn softer(&self, at: usize, negates: bool) -> Option<(Severity, &'static str)> {
        let sections = self.sections;
        let is_prose = self.region.shape != Shape::Lines;
        if negates && self.negated(at) {
            return Some((Severity::Info, "the text forbids it"));
        }
        if self.commented(at) {
            return Some((Severity::Low, "it stands in a comment of a program"));
        }
        if sections.under_warning(self.region) || (sections.lead_in && self.region.shape != Shape::Paragraph) {
            return Some((Severity::Low, "it stands where the text lists attacks, or what not to do"));
        }
        if is_prose
            && (self.has(sections.attack) || self.has(sections.forbid))
            && (self.quoted(at) || self.has(sections.such_as) || self.region.shape == Shape::Row)
        {
            return Some((Severity::Low, "the text names it as an attack"));
        }
        if is_prose
            && self.has(sections.attack)
            && self.has(sections.judged)
            && (self.before(sections.sought, at, 60) || self.behind(sections.sought, at, 40))
        {
            return Some((Severity::Low, "the text says what to look for"));
        }
        if is_prose && self.has(sections.as_data) && (self.quoted(at) || self.has(sections.such_as)) {
            return Some((Severity::Low, "the text says that such words are data"));
        }
        if is_prose && self.before(sections.reported, at, 40) {
            return Some((Severity::Medium, "the text says what somebody else may say"));
        }
        if sections.about_security && is_prose && (self.quoted(at) || self.region.shape == Shape::Row) {
            return Some((Severity::Low, "a text about security quotes it"));
        }
        None
    }

    /// Whether a word of the class stands at most `reach` bytes before `at`.
    fn before(&self, class: Option<usize>, at: usize, reach: usize) -> bool {
        class.is_some_and(|class| {
            self.hits
                .iter()
                .any(|hit| hit.target == Target::Class(class) && hit.start < at && at.saturating_sub(hit.end) <= reach)
        })
    }

    /// Whether a word of the class begins at most `reach` bytes behind `at`.
    fn behind(&self, class: Option<usize>, at: usize, reach: usize) -> bool {
        class.is_some_and(|class| {
            self.hits.iter().any(|hit| hit.target == Target::Class(class) && hit.start >= at && hit.start - at <= reach)
        })
    }

    /// Whether a negation stands shortly before `at` in the same sentence.
    fn negated(&self, at: usize) -> bool {
        let negation = self.sections.negation;
        let forbid = self.sections.forbid;
        self.hits.iter().any(|hit| {
            let Target::Class(class) = hit.target else { return false };
            let near = hit.start < at && at - hit.start <= 80;
            let between = self.sections.document.lower.get(hit.end..at).unwrap_or_default();
            let turned = [", so ", ", but ", ", then ", "; ", ", therefore "].iter().any(|turn| between.contains(turn));
            near && !turned && (Some(class) == negation || (Some(class) == forbid && self.region.shape != Shape::Lines))
        })
    }

    /// Whether `at` lies between quotation marks or backquotes.
    fn quoted(&self, at: usize) -> bool {
        let before = self.sections.document.flat.get(self.start..at).unwrap_or_default();
        if before.trim_start().starts_with("{\"") {
            return false; // Data in JSON quotes everything.
        }
        let odd = |mark: char| before.matches(mark).count() % 2 == 1;
        let open = before.matches('“').count() > before.matches('”').count()
            || before.matches('「').count() > before.matches('」').count();
        odd('"') || odd('`') || open || before.ends_with('\'') || before.ends_with("('")
    }

    /// Whether `at` lies behind the mark of a comment in code.
    fn commented(&self, at: usize) -> bool {
        let code = PlaceName::Shell.bit() | PlaceName::Script.bit() | PlaceName::Config.bit();
        if self.region.place & code == 0 {
            return false;
        }
        let line = self.sections.document.flat.get(self.start..at).unwrap_or_default();
        let line = line.rsplit('\n').next().unwrap_or(line).trim_start();
        line.starts_with('#')
            || line.starts_with("//")
            || line.starts_with("* ")
            || line.contains(" # ")
            || line.contains(" // ")
    }
}
