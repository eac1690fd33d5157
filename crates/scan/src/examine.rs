//! One scan: every file by its kind, every text in normal form and decoded, everything counted against the limits.

use std::collections::BTreeMap;
use std::path::Path;

use crate::capability::Capabilities;
use crate::code::Facts;
use crate::decode;
use crate::document::Document;
use crate::kind::Kind;
use crate::normal::{self, Normal};
use crate::report::{Finding, Repeated, Report, Severity, Unexamined, Verdict};
use crate::scanner::Scanner;
use crate::told;

/// Texts longer than this are read in pieces.
const PIECE: usize = 4 << 20;
/// How much of a piece is read again with the next one.
const OVERLAP: usize = 16 << 10;
/// How many findings of one rule are listed.
const LISTED: usize = 25;
/// How many characters of a finding's line are shown.
const EXCERPT: usize = 160;

/// What is being found out about a unit.
pub struct Examination<'s> {
    pub(crate) scanner: &'s Scanner,
    findings: Vec<Finding>,
    unexamined: Vec<Unexamined>,
    pub(crate) capabilities: Capabilities,
    pub(crate) sizes: BTreeMap<String, usize>,
    pub(crate) facts: Facts,
    files: usize,
    bytes: u64,
    /// Whether the unit's own SKILL.md says that it is about security.
    security: bool,
}

/// Where a text lies and what lay around it.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The file.
    pub file: String,
    /// What was decoded to get here.
    pub decoded: Vec<String>,
    /// The place of the encoded text, for text that was decoded.
    pub place: Option<(u32, u32)>,
    /// Lines before the first one of this text.
    pub lines_before: u32,
}

impl<'s> Examination<'s> {
    pub fn new(scanner: &'s Scanner) -> Self {
        Self {
            scanner,
            findings: Vec::new(),
            unexamined: Vec::new(),
            capabilities: Capabilities::default(),
            sizes: BTreeMap::new(),
            facts: Facts::default(),
            files: 0,
            bytes: 0,
            security: false,
        }
    }

    /// Whether no more may be read.
    pub const fn is_full(&self) -> bool {
        self.files >= self.scanner.limits.files || self.bytes >= self.scanner.limits.total_bytes
    }

    /// Names something that is not examined.
    pub fn skip(&mut self, file: &str, reason: &str) {
        if self.unexamined.len() < 1_000 {
            self.unexamined.push(Unexamined { file: printable(file, 300), reason: reason.to_owned() });
        }
    }

    /// A link: it is not followed. One that leaves the unit is a finding.
    pub fn link(&mut self, path: &str, target: &Path) {
        self.skip(path, "it is a link, and links are not followed");
        let depth = i32::try_from(path.matches('/').count()).unwrap_or(0);
        let mut level = depth;
        let mut lowest = depth;
        for part in target.components() {
            match part {
                std::path::Component::ParentDir => level -= 1,
                std::path::Component::Normal(_) => level += 1,
                _ => {}
            }
            lowest = lowest.min(level);
        }
        if target.is_absolute() || lowest < 0 {
            self.find(
                "file.link-out",
                path,
                format!("the link leads out of the unit, to {}", printable(&target.to_string_lossy(), 100)),
            );
        }
    }

    /// Examines a file of the unit.
    pub fn file(&mut self, path: &str, bytes: Vec<u8>) {
        self.sizes.insert(path.to_owned(), bytes.len());
        self.declares(path, &bytes);
        self.depends(path, &bytes);
        self.nested(path, bytes, 0);
    }

    /// Examines a file that lies `nesting` levels deep in other files.
    pub fn nested(&mut self, path: &str, bytes: Vec<u8>, nesting: usize) {
        if self.is_full() {
            self.skip(path, "the unit is larger than a scan reads");
            return;
        }
        self.files += 1;
        self.bytes += bytes.len() as u64;
        if let Some(reason) = self.scanner.known_bad.reason(&bytes).map(str::to_owned) {
            self.find(
                "file.known-bad",
                path,
                format!("the file is on the list of known-bad digests: {}", printable(&reason, 200)),
            );
        }
        match Kind::of(path, &bytes) {
            kind @ (Kind::Prose | Kind::Script(_) | Kind::Config | Kind::Text) => self.bytes_as_text(path, bytes, kind),
            Kind::Notebook => self.notebook(path, &bytes),
            Kind::Archive => self.archive(path, &bytes, nesting),
            Kind::Media => self.media(path, &bytes, nesting),
            Kind::Pdf => self.pdf(path, &bytes, nesting),
            Kind::Pyc => self.pyc(path, &bytes),
            Kind::Native => self.native(path, &bytes),
            Kind::Unknown => self.unknown(path, &bytes),
        }
    }

    fn bytes_as_text(&mut self, path: &str, bytes: Vec<u8>, kind: Kind) {
        let text = match String::from_utf8(bytes) {
            Ok(text) if !text.starts_with('\u{feff}') => text,
            Ok(text) => normal::text_of(text.as_bytes()),
            Err(error) => normal::text_of(error.as_bytes()),
        };
        self.text(&Origin { file: path.to_owned(), ..Origin::default() }, text, kind);
    }

    /// Examines a text: normal form, rules, then whatever is encoded in it.
    pub fn text(&mut self, origin: &Origin, text: String, kind: Kind) {
        let normal = normal::normalise(text);
        self.disguises(origin, &normal);
        let text = normal.text;
        if text.len() <= PIECE + OVERLAP {
            self.piece(origin, &text, kind);
            return;
        }
        let mut start = 0;
        let mut lines_before = origin.lines_before;
        while start < text.len() {
            let end = boundary(&text, start.saturating_add(PIECE).min(text.len()));
            let from = boundary(&text, start.saturating_sub(OVERLAP));
            let overlapped = text.get(from..start).unwrap_or_default().matches('\n').count();
            let before = lines_before.saturating_sub(u32::try_from(overlapped).unwrap_or(0));
            let piece = Origin { lines_before: before, ..origin.clone() };
            self.piece(&piece, text.get(from..end).unwrap_or_default(), kind);
            let passed = text.get(start..end).unwrap_or_default().matches('\n').count();
            lines_before = lines_before.saturating_add(u32::try_from(passed).unwrap_or(0));
            start = end.max(start + 1);
        }
    }

    fn piece(&mut self, origin: &Origin, text: &str, kind: Kind) {
        if matches!(kind, Kind::Script(language) if language.is_parsed())
            && text.len() > self.scanner.limits.parsed_bytes
        {
            self.skip(&origin.file, "the script is too large to be parsed; it was read as text");
        }
        let document = Document::new(text, kind);
        let most = self.scanner.limits.parsed_bytes;
        let mut own = Capabilities::default();
        let (scanner, facts, capabilities) = (self.scanner, &mut self.facts, &mut own);
        let mut security = self.security && kind == Kind::Prose;
        let matches = scanner.matcher.find_within(&document, &mut security, |region, code| {
            let small = code.len() <= most;
            if small {
                scanner.code.examine(&scanner.matcher, region, code, &origin.file, facts, capabilities)
            } else {
                Vec::new()
            }
        });
        self.security |= security && origin.file == "SKILL.md";
        for region in document.regions.iter().filter(|region| region.language.is_none()) {
            told::note(document.flat.get(region.start..region.end).unwrap_or_default(), &mut own);
        }
        self.capabilities.add(&own);
        if matches!(kind, Kind::Script(_)) {
            self.facts.scripted.add(&own);
        }
        for found in matches {
            let at = document.origin(found.at);
            let (line, column) = document.position(text, at);
            let (line, column) = origin.place.unwrap_or((line.saturating_add(origin.lines_before), column));
            let rule = &scanner.pack.rules[found.rule];
            let excerpt = document.flat.get(found.at..).unwrap_or_default();
            self.add(Finding {
                rule: rule.id.clone(),
                severity: found.severity,
                file: origin.file.clone(),
                line,
                column,
                message: found.detail.unwrap_or_else(|| rule.title.clone()),
                excerpt: excerpt_of(&document.flat, found.at, found.length, excerpt),
                why: rule.why.clone(),
                remedy: rule.remedy.clone(),
                decoded: origin.decoded.clone(),
                softened: found.softened.map(str::to_owned),
                waived: None,
            });
        }
        self.encoded(origin, text, &document);
        self.inner_texts(origin, text, kind);
    }

    /// Decodes what is encoded in a text and examines it in turn.
    fn encoded(&mut self, origin: &Origin, text: &str, document: &Document) {
        let mut cut = false;
        let pieces = decode::decode(text, &mut cut);
        if cut {
            self.skip(&origin.file, "it has more encoded pieces than a scan decodes");
        }
        if pieces.is_empty() {
            return;
        }
        if origin.decoded.len() >= self.scanner.limits.decoding {
            self.skip(&origin.file, "it is encoded in more layers than a scan decodes");
            return;
        }
        for piece in pieces {
            if self.is_full() {
                self.skip(&origin.file, "the unit is larger than a scan reads");
                return;
            }
            self.bytes += piece.bytes.len() as u64;
            let (line, column) = document.position(text, piece.at);
            let place = origin.place.or(Some((line.saturating_add(origin.lines_before), column)));
            let mut decoded = origin.decoded.clone();
            decoded.push(piece.how.to_owned());
            let inner = Origin { file: origin.file.clone(), decoded, place, lines_before: 0 };
            if piece.how != "url" && is_address(&piece.bytes) {
                let address = String::from_utf8_lossy(&piece.bytes).into_owned();
                self.find_at("text.hidden-address", &inner, String::new(), &address);
            }
            match Kind::of("", &piece.bytes) {
                Kind::Native | Kind::Archive => {
                    let message = format!("a program or an archive is written as {} in the text", piece.how);
                    self.find_at("file.hidden-program", &inner, message, "");
                }
                _ => self.text(&inner, normal::text_of(&piece.bytes), Kind::Text),
            }
        }
    }

    fn disguises(&mut self, origin: &Origin, normal: &Normal) {
        let at = |line: u32| Origin {
            place: origin.place.or(Some((line.saturating_add(origin.lines_before), 0))),
            ..origin.clone()
        };
        for (line, hidden) in normal.hidden.iter().take(100) {
            let message = "invisible characters spell a text that people do not see".to_owned();
            self.find_at("text.invisible-message", &at(*line), message, hidden);
            let mut inner = at(*line);
            inner.decoded.push("invisible characters".to_owned());
            self.text(&inner, hidden.clone(), Kind::Prose);
        }
        for line in normal.turned.iter().take(LISTED) {
            self.find_at("text.turned", &at(*line), String::new(), "");
        }
        for line in normal.split_words.iter().take(LISTED) {
            self.find_at("text.split-words", &at(*line), String::new(), "");
        }
        for line in normal.dressed.iter().take(LISTED) {
            self.find_at("text.dressed-letters", &at(*line), String::new(), "");
        }
    }

    /// Adds a finding about a whole file.
    pub fn find(&mut self, rule: &str, file: &str, message: String) {
        self.find_at(rule, &Origin { file: file.to_owned(), place: Some((0, 0)), ..Origin::default() }, message, "");
    }

    /// Adds a finding of a rule that is not matched by words or patterns.
    pub fn find_at(&mut self, rule: &str, origin: &Origin, message: String, excerpt: &str) {
        self.find_weighed(rule, None, origin, message, excerpt);
    }

    /// The same with another severity than the rule's.
    pub fn find_weighed(
        &mut self,
        rule: &str,
        severity: Option<Severity>,
        origin: &Origin,
        message: String,
        excerpt: &str,
    ) {
        let Some(rule) = self.scanner.pack.rules.iter().find(|known| known.id == rule) else { return };
        let (line, column) = origin.place.unwrap_or_default();
        self.add(Finding {
            rule: rule.id.clone(),
            severity: severity.unwrap_or(rule.severity),
            file: origin.file.clone(),
            line,
            column,
            message: if message.is_empty() { rule.title.clone() } else { message },
            excerpt: printable(excerpt, EXCERPT),
            why: rule.why.clone(),
            remedy: rule.remedy.clone(),
            decoded: origin.decoded.clone(),
            softened: None,
            waived: None,
        });
    }

    fn add(&mut self, mut finding: Finding) {
        finding.file = printable(&finding.file, 400);
        self.findings.push(finding);
    }

    /// Draws the conclusion.
    pub fn finish(mut self, path: &str) -> Report {
        self.compiled_against_sources();
        self.sent_unexplained();
        self.declared_against_done();
        for (rule, origin, message, excerpt) in self.facts.conclude(&self.capabilities) {
            self.find_at(rule, &origin, message, &excerpt);
        }
        for file in std::mem::take(&mut self.facts.unparsed) {
            self.skip(&file, "its code is too entangled to be parsed; it was read as text");
        }
        let mut findings = self.findings;
        let key = |finding: &Finding| (finding.file.clone(), finding.line, finding.column, finding.rule.clone());
        findings.sort_by_cached_key(|finding| (std::cmp::Reverse(finding.severity), key(finding)));
        let mut seen = std::collections::BTreeSet::new();
        findings
            .retain(|finding| seen.insert((finding.rule.clone(), finding.file.clone(), finding.line, finding.column)));
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        findings.retain(|finding| {
            let count = counts.entry(finding.rule.clone()).or_default();
            *count += 1;
            *count <= LISTED
        });
        let over = counts.into_iter().filter(|(_, count)| *count > LISTED);
        let repeated = over.map(|(rule, count)| Repeated { rule, more: count - LISTED }).collect();
        self.unexamined.sort();
        self.unexamined.dedup();
        let mut report = Report {
            path: path.to_owned(),
            verdict: Verdict::Clean,
            complete: true,
            unexamined: self.unexamined,
            severity: Severity::None,
            findings,
            repeated,
            capabilities: self.capabilities,
            files: self.files,
            rules: self.scanner.pack.digest.hex(),
            detonation: None,
        };
        report.conclude();
        report
    }
}

/// Whether bytes are one web address and nothing else.
fn is_address(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim();
    let address = text.starts_with("http://") || text.starts_with("https://");
    address && text.len() < 400 && !text.contains(char::is_whitespace)
}

/// The largest byte that begins a character and is not behind `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

/// What is shown of a finding: the matched text, or the line it begins in when that is short.
fn excerpt_of(flat: &str, at: usize, length: usize, rest: &str) -> String {
    let line_start = flat.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |place| place + 1);
    let line = flat.get(line_start..).unwrap_or_default().lines().next().unwrap_or("");
    if line.chars().count() <= EXCERPT {
        return printable(line.trim(), EXCERPT);
    }
    let matched: String = rest.chars().take(length.clamp(1, EXCERPT)).collect();
    printable(matched.trim(), EXCERPT)
}

/// A text of at most so many characters, in which control and invisible characters are written out.
pub fn printable(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (count, char) in text.chars().enumerate() {
        if count >= most {
            shown.push('…');
            break;
        }
        match char {
            '\n' | '\t' => shown.push(' '),
            _ if char.is_control() || kontor_package::is_invisible(char) => shown.extend(char.escape_unicode()),
            _ => shown.push(char),
        }
    }
    shown
}
