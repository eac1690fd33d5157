//! Packages that a unit asks for: read from its settings and scripts, compared with known names and with advisories.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::advisories::Top;
use crate::examine::{Examination, Origin};
use crate::report::Severity;

/// The largest file that is read for its packages.
const LARGEST: usize = 8 << 20;
/// How many packages of a unit are looked at.
const MOST: usize = 20_000;

/// Whose packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// Packages for Python.
    Python,
    /// Packages for JavaScript.
    JavaScript,
}

impl Ecosystem {
    /// Its name in the rule pack.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "javascript",
        }
    }
}

/// One package that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Whose package it is.
    pub ecosystem: Ecosystem,
    /// Its name as the registry folds it.
    pub name: String,
    /// The version, where exactly one is named.
    pub version: Option<String>,
    /// The upper end of what is asked for, where a range is named.
    pub top: Option<Top>,
    /// The line that names it, from 1.
    pub line: u32,
}

/// The name as registries compare it.
pub fn fold(ecosystem: Ecosystem, name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    match ecosystem {
        Ecosystem::Python => lower.replace(['_', '.'], "-"),
        Ecosystem::JavaScript => lower,
    }
}

/// The packages that a file names, by the file's name; nothing for files that name none.
pub fn read(path: &str, text: &str) -> Vec<Dependency> {
    let name = path.rsplit(['/', '!']).next().unwrap_or(path).to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    let mut found = match (stem, extension) {
        ("package", "json") => package_json(text),
        ("package-lock", "json") => package_lock(text),
        ("pyproject", "toml") => pyproject(text),
        (stem, "txt" | "in") if stem.contains("requirements") => requirements(text),
        (_, "py") => inline_metadata(text),
        _ => Vec::new(),
    };
    found.truncate(MOST);
    found
}

fn requirements(text: &str) -> Vec<Dependency> {
    (1..).zip(text.lines()).filter_map(|(line, requirement)| python(requirement, line)).collect()
}

/// One requirement as Python's tools write it: `name[extra]==1.2 ; marker  # comment`.
pub fn python(requirement: &str, line: u32) -> Option<Dependency> {
    let plain = requirement.split(['#', ';']).next()?.trim();
    let end = plain
        .find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.')))
        .unwrap_or(plain.len());
    let (name, rest) = plain.split_at(end);
    if name.is_empty() || !name.starts_with(|char: char| char.is_ascii_alphanumeric()) {
        return None;
    }
    let rest = rest.trim_start();
    let rest =
        if rest.starts_with('[') { rest.split_once(']').map_or("", |(_, rest)| rest).trim_start() } else { rest };
    let pinned = rest.strip_prefix("===").or_else(|| rest.strip_prefix("=="));
    let version = pinned
        .map(|version| version.split([',', ' ', '\\']).find(|part| !part.is_empty()).unwrap_or("").to_owned())
        .filter(|version| !version.is_empty() && !version.contains('*'));
    let top = if version.is_none() { Top::python(rest) } else { None };
    Some(Dependency { ecosystem: Ecosystem::Python, name: fold(Ecosystem::Python, name), version, top, line })
}

fn package_json(text: &str) -> Vec<Dependency> {
    let Ok(document) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let (mut found, lines) = (Vec::new(), Lines::of(text));
    for key in ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] {
        for (name, spec) in document.get(key).and_then(Value::as_object).into_iter().flatten() {
            let spec = spec.as_str().unwrap_or("").trim().trim_start_matches(['=', 'v']);
            let top = Top::npm(spec);
            found.push(Dependency { top, ..javascript(name, exact(spec), lines.line(name)) });
        }
    }
    found
}

fn package_lock(text: &str) -> Vec<Dependency> {
    let Ok(document) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let packages = document.get("packages").and_then(Value::as_object).into_iter().flatten();
    packages
        .filter_map(|(path, package)| {
            let name = path.rsplit("node_modules/").next().filter(|name| !name.is_empty())?;
            let version = package.get("version").and_then(Value::as_str).map(str::to_owned);
            Some(javascript(name, version, 0))
        })
        .take(MOST)
        .collect()
}

fn javascript(name: &str, version: Option<String>, line: u32) -> Dependency {
    Dependency { ecosystem: Ecosystem::JavaScript, name: fold(Ecosystem::JavaScript, name), version, top: None, line }
}

/// A version of which nothing is left open.
fn exact(spec: &str) -> Option<String> {
    let digits = spec.split(['-', '+']).next()?;
    let numbers: Vec<&str> = digits.split('.').collect();
    let whole = numbers.len() == 3
        && numbers.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    whole.then(|| spec.to_owned())
}

/// On which line a text has each of its quoted strings first: one look at the text, however many are asked for.
struct Lines<'t>(HashMap<&'t str, u32>);

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let mut first = HashMap::new();
        for (number, line) in (1_u32..).zip(text.lines()) {
            for quote in ['"', '\''] {
                for quoted in line.split(quote).skip(1).step_by(2) {
                    first.entry(quoted).or_insert(number);
                }
            }
        }
        Self(first)
    }

    /// The line; the first one where the text does not have it so.
    fn line(&self, quoted: &str) -> u32 {
        self.0.get(quoted).copied().unwrap_or(1)
    }
}

fn pyproject(text: &str) -> Vec<Dependency> {
    let Ok(document) = text.parse::<toml::Table>() else { return Vec::new() };
    let list = document.get("project").and_then(|project| project.get("dependencies")).and_then(toml::Value::as_array);
    listed(list.into_iter().flatten(), text)
}

/// The block of inline metadata that a single Python script can begin with.
fn inline_metadata(text: &str) -> Vec<Dependency> {
    let Some(start) = text.find("# /// script") else { return Vec::new() };
    let rest = text.get(start..).unwrap_or_default();
    let lines = rest.lines().skip(1).take_while(|line| line.starts_with('#') && line.trim_end() != "# ///").take(400);
    let block: Vec<&str> = lines.map(|line| line.trim_start_matches('#')).collect();
    let Ok(document) = block.join("\n").parse::<toml::Table>() else { return Vec::new() };
    let list = document.get("dependencies").and_then(toml::Value::as_array);
    listed(list.into_iter().flatten(), text)
}

fn listed<'v>(list: impl Iterator<Item = &'v toml::Value>, text: &str) -> Vec<Dependency> {
    let lines = Lines::of(text);
    list.filter_map(toml::Value::as_str)
        .take(MOST)
        .filter_map(|requirement| python(requirement, lines.line(requirement)))
        .collect()
}

/// The known name that a name is one slip of the hand away from.
pub fn look_alike<'k>(name: &str, known: &'k BTreeMap<String, Vec<String>>, ecosystem: Ecosystem) -> Option<&'k str> {
    let names = known.get(ecosystem.word())?;
    if name.len() < 5 || name.starts_with('@') || names.iter().any(|other| other == name) {
        return None;
    }
    names.iter().map(String::as_str).find(|other| other.len() >= 5 && one_slip(name.as_bytes(), other.as_bytes()))
}

/// Whether two names differ by one letter more, less or other, or by two that changed places.
fn one_slip(one: &[u8], two: &[u8]) -> bool {
    let (short, long) = if one.len() <= two.len() { (one, two) } else { (two, one) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    if short.len() != long.len() {
        return short.get(same..) == long.get(same + 1..);
    }
    let swapped = short.get(same) == long.get(same + 1)
        && short.get(same + 1) == long.get(same)
        && short.get(same + 2..) == long.get(same + 2..);
    same < short.len() && (short.get(same + 1..) == long.get(same + 1..) || (swapped && same + 1 < short.len()))
}

impl Examination<'_> {
    /// Judges the packages that a file names.
    pub(crate) fn depends(&mut self, path: &str, bytes: &[u8]) {
        if bytes.len() > LARGEST {
            return;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        for dependency in read(path, text) {
            let origin = Origin { file: path.to_owned(), place: Some((dependency.line, 0)), ..Origin::default() };
            let scanner = self.scanner;
            if !path.ends_with("package-lock.json")
                && let Some(known) = look_alike(&dependency.name, &scanner.pack.packages, dependency.ecosystem)
            {
                let message = format!("the package `{}` has almost the name of `{known}`", dependency.name);
                self.find_at("package.look-alike", &origin, message, &dependency.name);
            }
            for advisory in scanner.advisories.of(&dependency).take(20) {
                let version = match (&dependency.version, &dependency.top) {
                    (Some(version), _) => version.as_str(),
                    (None, Some(_)) => "even at the newest version that is allowed",
                    (None, None) => "at any version",
                };
                let message = format!("{} {version}: {} ({})", dependency.name, advisory.summary, advisory.id);
                let rule = if advisory.is_malware() { "package.malicious" } else { "package.vulnerable" };
                let severity = if advisory.is_malware() { Severity::Critical } else { advisory.severity };
                self.find_weighed(rule, Some(severity), &origin, message, &dependency.name);
            }
        }
    }
}
