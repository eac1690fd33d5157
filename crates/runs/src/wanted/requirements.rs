use std::collections::BTreeSet;

use kontor_package::Content;

use super::{Asked, text};
use crate::Error;

/// How deep one list of requirements may name others.
const DEPTH: usize = 4;
const MOST: usize = 400;

/// The packages of a `requirements.txt` and of the lists that it names.
pub fn file(content: &Content, path: &str) -> Result<Vec<Asked>, Error> {
    let mut lists = Lists::default();
    lists.read(content, path, DEPTH)?;
    Ok(lists.asked)
}

/// Lists on their way: each is read once, however often it is named.
#[derive(Default)]
struct Lists {
    asked: Vec<Asked>,
    seen: BTreeSet<String>,
}

impl Lists {
    fn read(&mut self, content: &Content, path: &str, depth: usize) -> Result<(), Error> {
        if !self.seen.insert(path.to_owned()) {
            return Ok(());
        }
        let joined = text(content, path).unwrap_or_default().replace("\\\r\n", " ").replace("\\\n", " ");
        for line in joined.lines() {
            let line = without_comment(line);
            if line.is_empty() {
                continue;
            }
            if self.asked.len() >= MOST || self.seen.len() > MOST {
                let reason = "a skill names at most 400 packages, in at most 400 lists";
                return Err(Error::Dependency {
                    text: line.chars().take(120).collect(),
                    place: path.to_owned(),
                    reason,
                });
            }
            let other = line.strip_prefix("-r ").or_else(|| line.strip_prefix("--requirement "));
            match other {
                Some(other) if depth > 0 => self.read(content, &beside(path, other.trim()), depth - 1)?,
                // Older lists pin pip's own behaviour; that is chosen here.
                _ if line == "--no-binary" || line.starts_with("--only-binary") || line == "--require-hashes" => {}
                _ => self.asked.push(one(line, path)?),
            }
        }
        Ok(())
    }
}

fn beside(path: &str, other: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let other = other.trim_start_matches("./");
    if folder.is_empty() { other.to_owned() } else { format!("{folder}/{other}") }
}

/// A comment begins at the start of a line or behind white space.
fn without_comment(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') {
        return "";
    }
    line.split(" #").next().unwrap_or(line).trim()
}

/// One requirement: a name, extras, versions, a marker and hashes; nothing else is taken.
pub fn one(line: &str, place: &str) -> Result<Asked, Error> {
    let refused =
        |reason| Error::Dependency { text: line.chars().take(120).collect(), place: place.to_owned(), reason };
    let letters = |char: char| char.is_ascii_alphanumeric() || " -_.~!<>=*+,[]();'\"@:".contains(char);
    if line.starts_with('-') {
        return Err(refused("options of the package tool are the operator's, not the skill's"));
    }
    let (requirement, hashes) = line.split_once(" --hash").map_or((line, ""), |(left, right)| (left, right));
    let bare = requirement.split(';').next().unwrap_or(requirement);
    if bare.contains(['@', '/', ':', '\\']) || !requirement.chars().all(letters) {
        return Err(refused("only names and versions of the registry are taken, no addresses or paths"));
    }
    if requirement.split_whitespace().any(|word| word.starts_with('-')) {
        return Err(refused("options of the package tool are the operator's, not the skill's"));
    }
    if !bare.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return Err(refused("a requirement begins with the name of a package"));
    }
    let is_hash = |word: &str| {
        let word = word.trim_start_matches("--hash").trim_start_matches('=');
        word.split_once(':').is_some_and(|(algorithm, digits)| {
            ["sha256", "sha384", "sha512"].contains(&algorithm) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    if !hashes.split_whitespace().all(is_hash) {
        return Err(refused("behind a requirement only hashes are taken"));
    }
    Ok(Asked { text: line.trim().to_owned(), reason: place.to_owned(), guessed: false })
}

/// The dependencies in a script's own block of metadata (PEP 723); nothing when it has none.
pub fn inline(script: &str, place: &str) -> Result<Option<Vec<Asked>>, Error> {
    let mut lines = script.lines().skip_while(|line| line.trim_end() != "# /// script");
    if lines.next().is_none() {
        return Ok(None);
    }
    let block: Vec<&str> = lines.take_while(|line| line.trim_end() != "# ///").take(400).collect();
    let block: Vec<&str> =
        block.iter().map(|line| line.strip_prefix("# ").unwrap_or(line.trim_start_matches('#'))).collect();
    let Ok(table) = block.join("\n").parse::<toml::Table>() else { return Ok(None) };
    let Some(list) = table.get("dependencies").and_then(toml::Value::as_array) else { return Ok(Some(Vec::new())) };
    let place = format!("{place} (its own metadata)");
    list.iter()
        .filter_map(toml::Value::as_str)
        .take(MOST)
        .map(|line| one(line.trim(), &place))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// The name in a requirement as the registry compares it.
pub fn folded(requirement: &str) -> String {
    let end = requirement.find(|char: char| !char.is_ascii_alphanumeric() && !"-_.".contains(char));
    let name = requirement.get(..end.unwrap_or(requirement.len())).unwrap_or(requirement).to_ascii_lowercase();
    name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// A requirement of exactly one version, with what proves its bytes.
pub fn pinned(name: &str, version: &str, hashes: &[String]) -> String {
    hashes.iter().fold(format!("{name}=={version}"), |line, hash| line + " --hash=" + hash)
}
