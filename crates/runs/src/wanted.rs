//! What a script needs from package registries: what its skill says, and what its imports mean.

mod imports;
mod known;
mod requirements;

use std::collections::{BTreeMap, BTreeSet};

use kontor_package::{Content, Dependencies, Packages};
use serde_json::{Map, Value};

use crate::Error;
use crate::program::{Language, Program};
use requirements::folded;

pub use imports::is_python_entry;
pub(crate) use requirements::pinned;

/// The most packages one script may name.
const MOST: usize = 200;
/// The largest file that is read for its packages.
pub(crate) const LARGEST: usize = 1 << 20;

/// One package that is asked for, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is handed to the package tool: `pandas>=2`, `left-pad@^1`.
    pub text: String,
    /// Who says so: a file of the skill, or an import that nobody explains.
    pub reason: String,
    /// Whether it was concluded from an import and is named nowhere.
    pub guessed: bool,
}

/// What a script needs from package registries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Packages for Python.
    pub python: Vec<Asked>,
    /// Packages for Node.
    pub node: Vec<Asked>,
    /// The skill's own lock file for Node, beside its `package.json`.
    pub node_lock: Option<String>,
    /// Hashes that the manifest names for packages for Node, by `name@version`.
    pub node_hashes: BTreeMap<String, Vec<String>>,
    /// Modules that the script imports and nobody names a package for.
    pub unknown: BTreeSet<String>,
}

impl Wanted {
    /// What the script at `path` needs, run by `program`.
    ///
    /// # Errors
    /// [`Error::Dependency`] for packages that are named by address or path, or with options of the package tool.
    pub fn of(content: &Content, path: &str, program: &Program, declared: &Dependencies) -> Result<Self, Error> {
        let wanted = match program.language {
            Language::Python => Self::python(content, path, program, declared)?,
            Language::JavaScript | Language::TypeScript => Self::node(content, path, declared)?,
            Language::Shell | Language::Other => Self::default(),
        };
        match wanted.python.iter().chain(&wanted.node).nth(MOST).cloned() {
            None => Ok(wanted),
            Some(one) => {
                let reason = "one script has at most 200 packages of others";
                Err(Error::Dependency { text: one.text, place: one.reason, reason })
            }
        }
    }

    /// Whether nothing is needed.
    pub const fn is_empty(&self) -> bool {
        self.python.is_empty() && self.node.is_empty()
    }

    fn python(content: &Content, path: &str, program: &Program, declared: &Dependencies) -> Result<Self, Error> {
        let script = text(content, path).unwrap_or_default();
        let mut wanted = Self::default();
        match &declared.pip {
            Some(Packages::Pinned(packages)) => {
                for package in packages {
                    let line = requirements::pinned(&package.name, &package.version, &package.hashes);
                    wanted.python.push(requirements::one(&line, "kontor.toml")?);
                }
                return Ok(wanted);
            }
            Some(Packages::File(file)) => {
                wanted.python = requirements::file(content, file)?;
                return Ok(wanted);
            }
            Some(Packages::Inline) | None => {}
        }
        if let Some(inline) = requirements::inline(script, path)? {
            wanted.python = inline;
            return Ok(wanted);
        }
        if let Some(file) = nearest(content, path, "requirements.txt") {
            wanted.python = requirements::file(content, &file)?;
        }
        wanted.guess_python(content, path, program);
        Ok(wanted)
    }

    /// Adds the packages that imports mean and nobody has named: those that the skill's texts tell to install, and those of
    /// modules that everybody knows.
    fn guess_python(&mut self, content: &Content, path: &str, program: &Program) {
        let named = named_packages(content, "python");
        let has = |wanted: &Self, name: &str| wanted.python.iter().any(|asked| folded(&asked.text) == folded(name));
        for module in imports::python(content, path, &program.modules) {
            let package = known::python(&module).unwrap_or(&module);
            if has(self, package) || known::comes_with_others(&module) {
                continue;
            }
            if let Some(file) = named.get(&folded(package)) {
                let reason = format!("{file} tells to install it");
                self.python.push(Asked { text: package.to_owned(), reason, guessed: false });
            } else if known::python(&module).is_some() {
                let reason = format!("the script imports `{module}`");
                self.python.push(Asked { text: package.to_owned(), reason, guessed: true });
            } else {
                self.unknown.insert(module);
            }
        }
    }

    fn node(content: &Content, path: &str, declared: &Dependencies) -> Result<Self, Error> {
        let mut wanted = Self::default();
        let file = match &declared.npm {
            Some(Packages::Pinned(packages)) => {
                for package in packages {
                    let asked = npm_package(&package.name, &package.version, "kontor.toml")?;
                    wanted.node.push(asked);
                    wanted.node_hashes.insert(format!("{}@{}", package.name, package.version), package.hashes.clone());
                }
                return Ok(wanted);
            }
            Some(Packages::File(file)) => Some(file.clone()),
            Some(Packages::Inline) | None => nearest(content, path, "package.json"),
        };
        if let Some(file) = file {
            wanted.node = package_json(content, &file)?;
            let folder = file.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
            let lock = text(content, &format!("{folder}package-lock.json")).filter(|_| !wanted.node.is_empty());
            wanted.node_lock = lock.filter(|lock| names_what_it_brings(lock)).map(str::to_owned);
        }
        let named = named_packages(content, "javascript");
        for package in imports::node(content, path) {
            if wanted.node.iter().any(|asked| asked.text.rsplit_once('@').is_some_and(|(name, _)| name == package)) {
                continue;
            }
            let asked = |reason| Asked { text: format!("{package}@*"), reason, guessed: false };
            if let Some(file) = named.get(&package.to_ascii_lowercase()) {
                wanted.node.push(asked(format!("{file} tells to install it")));
                wanted.node_lock = None;
            } else if known::node(&package) {
                wanted.node.push(Asked { guessed: true, ..asked(format!("the script imports `{package}`")) });
                wanted.node_lock = None;
            } else {
                wanted.unknown.insert(package);
            }
        }
        Ok(wanted)
    }
}

/// Packages that the skill's files name, each with the first file that does.
fn named_packages(content: &Content, ecosystem: &str) -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    for package in kontor_scan::packages(content) {
        if package.ecosystem == ecosystem {
            named.entry(package.name).or_insert(package.file);
        }
    }
    named
}

/// The file of this name beside a script, or in the nearest folder above it.
fn nearest(content: &Content, path: &str, name: &str) -> Option<String> {
    let mut folder = path;
    loop {
        folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
        let candidate = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        if content.get(&candidate).is_some() {
            return Some(candidate);
        }
        if folder.is_empty() {
            return None;
        }
    }
}

fn text<'c>(content: &'c Content, path: &str) -> Option<&'c str> {
    content.get(path).filter(|bytes| bytes.len() <= LARGEST).and_then(|bytes| std::str::from_utf8(bytes).ok())
}

/// What a `package.json` needs to run; packages by address or path are not taken.
fn package_json(content: &Content, file: &str) -> Result<Vec<Asked>, Error> {
    let document: Option<Value> = text(content, file).and_then(|text| serde_json::from_str(text).ok());
    let list = document.as_ref().and_then(|document| document.get("dependencies")).and_then(Value::as_object);
    let empty = Map::new();
    let mut asked = Vec::new();
    for (name, range) in list.unwrap_or(&empty) {
        asked.push(npm_package(name, range.as_str().unwrap_or_default(), file)?);
    }
    Ok(asked)
}

fn npm_package(name: &str, range: &str, place: &str) -> Result<Asked, Error> {
    let text = format!("{name}@{range}");
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._+^~<>=*| ".contains(&byte));
    if !is_npm_name(name) || !plain(range) {
        let reason = "only names and versions of the registry are taken, no addresses, paths or aliases";
        return Err(Error::Dependency { text, place: place.to_owned(), reason });
    }
    Ok(Asked { text, reason: place.to_owned(), guessed: false })
}

/// Whether every entry of a skill's `package-lock.json` leads to the package whose name it has: npm takes what the address and
/// the hash lead to, whatever the name is.
fn names_what_it_brings(lock: &str) -> bool {
    let document: Value = serde_json::from_str(lock).unwrap_or_default();
    let Some(packages) = document.get("packages").and_then(Value::as_object) else { return false };
    packages.iter().filter(|(place, _)| !place.is_empty()).all(|(place, package)| {
        let text = |key: &str| package.get(key).and_then(Value::as_str);
        let name = place.rsplit("node_modules/").next().unwrap_or_default();
        let last = name.rsplit('/').next().unwrap_or_default();
        let (Some(version), Some(resolved)) = (text("version"), text("resolved")) else { return false };
        let path = resolved.split(['?', '#']).next().unwrap_or_default();
        let own = format!("/{name}/-/{last}-{}.tgz", version.split('+').next().unwrap_or_default());
        is_npm_name(name) && text("name").is_none_or(|told| told == name) && path.ends_with(&own)
    })
}

pub(crate) fn is_npm_name(name: &str) -> bool {
    let word = |text: &str| {
        !text.is_empty()
            && !text.starts_with(['-', '.'])
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| word(scope) && word(name)),
        None => word(name),
    }
}
