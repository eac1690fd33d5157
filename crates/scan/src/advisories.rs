//! Advisories about packages, read from files in the OSV format that somebody downloaded before.

mod version;
mod wanted;

pub use wanted::Top;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::dependencies::{Dependency, Ecosystem, fold};
use crate::error::Error;
use crate::report::Severity;

/// How many records are read; published databases hold a quarter of a million.
const RECORDS: usize = 2_000_000;
/// The largest record.
const RECORD: u64 = 4 << 20;
/// How deep folders are entered.
const DEPTH: usize = 4;
/// The longest summary that is kept.
const SUMMARY: usize = 160;

/// What is known about weaknesses of packages.
#[derive(Debug, Default)]
pub struct Advisories {
    packages: HashMap<(Ecosystem, String), Vec<Advisory>>,
    records: usize,
}

/// One weakness of one package.
#[derive(Debug, Clone)]
pub struct Advisory {
    /// Its identifier.
    pub id: String,
    /// What it is, in one line.
    pub summary: String,
    /// How harmful it is to whoever uses the package.
    pub severity: Severity,
    ranges: Vec<Range>,
    versions: Vec<String>,
}

#[derive(Debug, Clone, Default)]
struct Range {
    introduced: Option<String>,
    fixed: Option<String>,
    last: Option<String>,
}

impl Advisory {
    /// Whether the package itself is the harm.
    pub fn is_malware(&self) -> bool {
        self.id.starts_with("MAL-")
    }

    fn covers(&self, dependency: &Dependency) -> bool {
        if dependency.version.is_none()
            && let Some(top) = &dependency.top
        {
            return self
                .ranges
                .iter()
                .any(|range| top.lies_in(range.introduced.as_deref(), range.fixed.as_deref(), range.last.as_deref()));
        }
        let Some(version) = dependency.version.as_deref() else {
            // Without a version only a package that is harmful in all of them counts.
            return self.is_malware() && self.versions.is_empty() && self.ranges.iter().all(Range::is_endless);
        };
        self.versions.iter().any(|known| known == version) || self.ranges.iter().any(|range| range.holds(version))
    }
}

impl Range {
    fn is_endless(&self) -> bool {
        self.fixed.is_none() && self.last.is_none()
    }

    fn holds(&self, version: &str) -> bool {
        let from = self.introduced.as_deref().is_none_or(|from| from == "0" || version::compare(version, from).is_ge());
        let before = self.fixed.as_deref().is_none_or(|fixed| version::compare(version, fixed).is_lt());
        let until = self.last.as_deref().is_none_or(|last| version::compare(version, last).is_le());
        from && before && until
    }
}

impl Advisories {
    /// Reads a folder or a ZIP archive of records.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut advisories = Self::default();
        let failed = |source| Error::Read { path: path.to_owned(), source };
        if fs::metadata(path).map_err(failed)?.is_dir() {
            advisories.folder(path, 0).map_err(failed)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            advisories.file(path).map_err(failed)?;
        } else {
            advisories.archive(path)?;
        }
        if advisories.records == 0 {
            return Err(Error::Advisories {
                path: path.to_owned(),
                reason: "it has no record in the OSV format".to_owned(),
            });
        }
        Ok(advisories)
    }

    /// How many records were read.
    pub const fn records(&self) -> usize {
        self.records
    }

    /// What is known against a package at its version.
    pub(crate) fn of<'a>(&'a self, dependency: &'a Dependency) -> impl Iterator<Item = &'a Advisory> {
        let known = if self.packages.is_empty() {
            None
        } else {
            self.packages.get(&(dependency.ecosystem, dependency.name.clone()))
        };
        known.into_iter().flatten().filter(|advisory| advisory.covers(dependency))
    }

    fn folder(&mut self, folder: &Path, depth: usize) -> std::io::Result<()> {
        let mut entries: Vec<_> = fs::read_dir(folder)?.take(RECORDS).filter_map(Result::ok).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() && depth < DEPTH {
                self.folder(&path, depth + 1)?;
            } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "json") {
                self.file(&path)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> std::io::Result<()> {
        self.record(File::open(path)?)
    }

    fn archive(&mut self, path: &Path) -> Result<(), Error> {
        let refused =
            |error: zip::result::ZipError| Error::Advisories { path: path.to_owned(), reason: error.to_string() };
        let failed = |source| Error::Read { path: path.to_owned(), source };
        let mut archive = zip::ZipArchive::new(File::open(path).map_err(failed)?).map_err(refused)?;
        for place in 0..archive.len().min(RECORDS) {
            let entry = archive.by_index(place).map_err(refused)?;
            if entry.name().is_ok_and(|name| name.ends_with(".json")) {
                self.record(entry).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Reads one record; one that is no record, or larger than one may be, is passed over.
    fn record(&mut self, source: impl Read) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        source.take(RECORD + 1).read_to_end(&mut bytes)?;
        if self.records >= RECORDS || bytes.len() as u64 > RECORD {
            return Ok(());
        }
        let Ok(record) = serde_json::from_slice::<Record>(&bytes) else { return Ok(()) };
        if record.withdrawn.is_some() {
            return Ok(());
        }
        self.records += 1;
        let severity = record.database_specific.severity.as_deref().map_or(Severity::Medium, severity_of);
        for affected in record.affected {
            let ecosystem = match affected.package.ecosystem.as_str() {
                "PyPI" => Ecosystem::Python,
                "npm" => Ecosystem::JavaScript,
                _ => continue,
            };
            let name = fold(ecosystem, &affected.package.name);
            let written = if record.summary.is_empty() { &record.details } else { &record.summary };
            let advisory = Advisory {
                id: record.id.clone(),
                summary: written.lines().next().unwrap_or("").chars().take(SUMMARY).collect(),
                severity,
                ranges: affected.ranges.iter().flat_map(Events::ranges).collect(),
                versions: affected.versions,
            };
            self.packages.entry((ecosystem, name)).or_default().push(advisory);
        }
        Ok(())
    }
}

/// An outdated package is not malice: only the worst weaknesses make a skill harmful by themselves.
fn severity_of(word: &str) -> Severity {
    match word.to_ascii_uppercase().as_str() {
        "CRITICAL" => Severity::High,
        "LOW" => Severity::Low,
        _ => Severity::Medium,
    }
}

#[derive(Deserialize)]
struct Record {
    id: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    details: String,
    withdrawn: Option<String>,
    #[serde(default)]
    affected: Vec<Affected>,
    #[serde(default)]
    database_specific: Specific,
}

#[derive(Default, Deserialize)]
struct Specific {
    severity: Option<String>,
}

#[derive(Deserialize)]
struct Affected {
    package: Name,
    #[serde(default)]
    ranges: Vec<Events>,
    #[serde(default)]
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct Name {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Events {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

impl Events {
    /// Pairs of beginning and end; ranges of commits say nothing about versions.
    fn ranges(&self) -> Vec<Range> {
        let mut ranges: Vec<Range> = Vec::new();
        if self.kind == "GIT" {
            return ranges;
        }
        for event in &self.events {
            if event.introduced.is_some() {
                ranges.push(Range { introduced: event.introduced.clone(), ..Range::default() });
            } else if let Some(range) = ranges.last_mut() {
                range.fixed = event.fixed.clone().or_else(|| range.fixed.take());
                range.last = event.last_affected.clone().or_else(|| range.last.take());
            }
        }
        ranges
    }
}
