//! The packages that a skill's files and commands ask for, for whoever lists what a skill is made of.

use kontor_package::Content;

use crate::advisories::Top;
use crate::dependencies::{Dependency, Ecosystem, fold, python, read};

/// The largest file that is read for its packages.
const LARGEST: usize = 8 << 20;
/// Most packages that are named of one skill.
const MOST: usize = 20_000;
/// Most words of one command that are looked at.
const WORDS: usize = 64;

/// A package and the place that asks for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedPackage {
    /// `python` or `javascript`.
    pub ecosystem: &'static str,
    /// Its name as the registry folds it.
    pub name: String,
    /// The version, where exactly one is named.
    pub version: Option<String>,
    /// The file that names it.
    pub file: String,
    /// The line, from 1; 0 where the file's form has no lines for it.
    pub line: u32,
    /// Whether a command asks for it, and not a list of packages.
    pub by_command: bool,
}

/// The packages that the files of a skill name: lists of requirements, inline script metadata, and the commands of scripts
/// and of code in texts that fetch or start packages. In the order of the files; a package is named once for each place.
pub fn packages(content: &Content) -> Vec<NamedPackage> {
    let mut found = Vec::new();
    for (path, bytes) in content.files() {
        if bytes.len() > LARGEST || found.len() >= MOST {
            continue;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        let named = |dependency: Dependency, by_command| NamedPackage {
            ecosystem: dependency.ecosystem.word(),
            name: dependency.name,
            version: dependency.version,
            file: path.to_owned(),
            line: dependency.line,
            by_command,
        };
        found.extend(read(path, text).into_iter().map(|one| named(one, false)));
        found.extend(commands(path, text).into_iter().map(|one| named(one, true)));
    }
    found.truncate(MOST);
    found
}

/// The packages of commands in a script, or in the code of a text.
fn commands(path: &str, text: &str) -> Vec<Dependency> {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let mut found = Vec::new();
    match extension.as_str() {
        "sh" | "bash" | "zsh" | "ps1" => {
            for (line, code) in (1..).zip(text.lines()) {
                read_command(code, line, &mut found);
            }
        }
        "md" | "markdown" | "mdx" => {
            let mut fenced = false;
            for (line, code) in (1..).zip(text.lines()) {
                let fence = code.trim_start();
                if fence.starts_with("```") || fence.starts_with("~~~") {
                    fenced = !fenced;
                } else if fenced {
                    read_command(code, line, &mut found);
                } else {
                    for span in code.split('`').skip(1).step_by(2) {
                        read_command(span, line, &mut found);
                    }
                }
            }
        }
        _ => {}
    }
    found
}

/// What the words behind a program's name mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// The first name is started, what follows are its arguments.
    One,
    /// Each name is installed.
    All,
}

fn read_command(code: &str, line: u32, found: &mut Vec<Dependency>) {
    if code.trim_start().starts_with('#') {
        return;
    }
    let code = code.split(" #").next().unwrap_or(code);
    for command in code.split(['|', ';', '&']) {
        let words: Vec<&str> = command.split_whitespace().take(WORDS).collect();
        for start in 0..words.len() {
            let Some((ecosystem, asks, rest)) = program(words.get(start..).unwrap_or_default()) else { continue };
            named_by(ecosystem, asks, rest, line, found);
            break;
        }
    }
}

/// The program that fetches packages at the beginning of these words, and the words behind it.
fn program<'w, 't>(words: &'w [&'t str]) -> Option<(Ecosystem, Asks, &'w [&'t str])> {
    const PROGRAMS: &[(&[&str], Ecosystem, Asks)] = &[
        (&["npx"], Ecosystem::JavaScript, Asks::One),
        (&["bunx"], Ecosystem::JavaScript, Asks::One),
        (&["pnpm", "dlx"], Ecosystem::JavaScript, Asks::One),
        (&["yarn", "dlx"], Ecosystem::JavaScript, Asks::One),
        (&["npm", "exec"], Ecosystem::JavaScript, Asks::One),
        (&["npm", "install"], Ecosystem::JavaScript, Asks::All),
        (&["npm", "i"], Ecosystem::JavaScript, Asks::All),
        (&["pnpm", "add"], Ecosystem::JavaScript, Asks::All),
        (&["yarn", "add"], Ecosystem::JavaScript, Asks::All),
        (&["bun", "add"], Ecosystem::JavaScript, Asks::All),
        (&["uvx"], Ecosystem::Python, Asks::One),
        (&["uv", "tool", "run"], Ecosystem::Python, Asks::One),
        (&["pipx", "run"], Ecosystem::Python, Asks::One),
        (&["pipx", "install"], Ecosystem::Python, Asks::All),
        (&["uv", "tool", "install"], Ecosystem::Python, Asks::All),
        (&["uv", "add"], Ecosystem::Python, Asks::All),
        (&["pip", "install"], Ecosystem::Python, Asks::All),
        (&["pip3", "install"], Ecosystem::Python, Asks::All),
    ];
    let first = words.first()?.trim_start_matches(['$', '(', '"', '\'']);
    PROGRAMS.iter().find_map(|(name, ecosystem, asks)| {
        let (head, tail) = name.split_first()?;
        let rest = words.get(name.len()..)?;
        let same = first == *head && words.get(1..name.len())? == tail;
        same.then_some((*ecosystem, *asks, rest))
    })
}

fn named_by(ecosystem: Ecosystem, asks: Asks, words: &[&str], line: u32, found: &mut Vec<Dependency>) {
    let mut words = words.iter().map(|word| word.trim_matches(['"', '\'', ')', ','])).peekable();
    let mut told = false;
    while let Some(word) = words.next() {
        match word {
            // The package differs from what it starts.
            "-p" | "--package" | "--from" | "--with" => {
                if let Some(package) = words.next() {
                    found.extend(package_of(ecosystem, package, line));
                    told |= word != "--with";
                }
            }
            // Options with a value that is no package.
            "-r" | "--requirement" | "-e" | "--editable" | "-c" | "--constraint" | "--python" | "-i"
            | "--index-url" | "--extra-index-url" | "-t" | "--target" | "--prefix" | "--registry" => {
                words.next();
            }
            option if option.starts_with('-') => {}
            package => {
                if asks == Asks::One {
                    if !told {
                        found.extend(package_of(ecosystem, package, line));
                    }
                    return;
                }
                found.extend(package_of(ecosystem, package, line));
            }
        }
    }
}

/// One package as a command names it; nothing for paths, addresses and whatever else stands there.
fn package_of(ecosystem: Ecosystem, word: &str, line: u32) -> Option<Dependency> {
    if word.contains("://") || word.starts_with(['.', '/', '~', '$', '<', '{', '[']) || word.len() > 214 {
        return None;
    }
    match ecosystem {
        Ecosystem::Python => {
            // `tool@1.2` is how a package is started, `name==1.2` how it is installed.
            let written = word.split_once('@').map_or_else(
                || word.to_owned(),
                |(name, version)| match version {
                    "" | "latest" => name.to_owned(),
                    version => format!("{name}=={version}"),
                },
            );
            let dependency = python(&written, line)?;
            let plain = written.starts_with(|first: char| first.is_ascii_alphanumeric());
            let rest = written.get(dependency.name.len()..).unwrap_or_default();
            (plain && (rest.is_empty() || rest.starts_with(['=', '<', '>', '~', '!', '[']))).then_some(dependency)
        }
        Ecosystem::JavaScript => {
            let scope = usize::from(word.starts_with('@'));
            let (name, version) = match word.get(scope..)?.find('@') {
                Some(at) => (word.get(..at + scope)?, word.get(at + scope + 1..)),
                None => (word, None),
            };
            let letters = |part: &str| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            };
            let well_formed = match name.strip_prefix('@') {
                Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| letters(scope) && letters(name)),
                None => letters(name),
            };
            let exact = version.filter(|version| semver_like(version)).map(str::to_owned);
            let top = if exact.is_none() { version.and_then(Top::npm) } else { None };
            well_formed.then(|| Dependency { ecosystem, name: fold(ecosystem, name), version: exact, top, line })
        }
    }
}

fn semver_like(version: &str) -> bool {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}
