use std::collections::BTreeMap;
use std::path::Path;

use kontor_package::Content;
use kontor_types::Digest;

use crate::advisories::Advisories;
use crate::code::CodeRules;
use crate::error::Error;
use crate::examine::Examination;
use crate::limits::Limits;
use crate::matcher::Matcher;
use crate::report::Report;
use crate::rules::RulePack;
use crate::unit;

/// Digests of files that are known to be harmful, each with what is known.
#[derive(Debug, Clone, Default)]
pub struct KnownBad(BTreeMap<Digest, String>);

impl KnownBad {
    /// Reads a list of one digest a line: 64 hexadecimal digits, white space, the reason. `#` begins a comment.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut known = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (digest, reason) = line.split_once(char::is_whitespace).unwrap_or((line, "known to be harmful"));
            let digest = Digest::from_hex(digest).map_err(|_| Error::KnownBad { line: number })?;
            known.insert(digest, reason.trim().to_owned());
        }
        Ok(Self(known))
    }

    /// What is known of a file, if it is listed.
    pub fn reason(&self, bytes: &[u8]) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&Digest::of(bytes)).map(String::as_str)
    }
}

/// Everything a scan needs, made once.
pub struct Scanner {
    pub(crate) pack: RulePack,
    pub(crate) matcher: Matcher,
    pub(crate) code: CodeRules,
    pub(crate) limits: Limits,
    pub(crate) known_bad: KnownBad,
    pub(crate) advisories: Advisories,
}

impl Scanner {
    /// A scanner with the rules that came with the program.
    pub fn new() -> Result<Self, Error> {
        Self::with_rules(RulePack::embedded()?)
    }

    /// A scanner with other rules.
    pub fn with_rules(pack: RulePack) -> Result<Self, Error> {
        let matcher = Matcher::new(&pack)?;
        let code = CodeRules::new(&pack)?;
        Ok(Self {
            pack,
            matcher,
            code,
            limits: Limits::default(),
            known_bad: KnownBad::default(),
            advisories: Advisories::default(),
        })
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same with a list of known-bad digests.
    #[must_use]
    pub fn with_known_bad(mut self, known_bad: KnownBad) -> Self {
        self.known_bad = known_bad;
        self
    }

    /// The same with advisories about packages.
    #[must_use]
    pub fn with_advisories(mut self, advisories: Advisories) -> Self {
        self.advisories = advisories;
        self
    }

    /// The rules.
    pub const fn pack(&self) -> &RulePack {
        &self.pack
    }

    /// Checks that every pattern of the pack can be read; they are otherwise read when they are first needed.
    pub fn check_patterns(&self) -> Result<(), Error> {
        self.matcher.check_patterns()
    }

    /// Scans the unit at `path`: a folder, an archive or one file, with or without a `SKILL.md`.
    pub fn scan_path(&self, path: &Path) -> Result<Report, Error> {
        let mut examination = Examination::new(self);
        unit::read(path, &self.limits, &mut examination)?;
        Ok(examination.finish(&path.display().to_string()))
    }

    /// Scans files that are held in memory, as one unit.
    pub fn scan_files<'f>(&self, path: &str, files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Report {
        let mut examination = Examination::new(self);
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_by_key(|(name, _)| *name);
        for (name, bytes) in files {
            examination.file(name, bytes.to_vec());
        }
        examination.finish(path)
    }

    /// Scans a skill's content as it is published.
    pub fn scan_content(&self, path: &str, content: &Content) -> Report {
        self.scan_files(path, content.files())
    }
}
