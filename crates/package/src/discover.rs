use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::directory::io_error;
use crate::error::Error;
use crate::path::{check_path, is_left_out, is_left_out_name, is_skill_file_name, printable, skill_file_rank};

/// A folder that holds a skill.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Discovered {
    /// The folder's path relative to the root, separated by `/`; empty for the root itself.
    pub path: String,
    /// What the skill's text is called there: `SKILL.md`, `skill.md` or another case of letters.
    pub file: String,
}

impl Discovered {
    /// The folder's own name, which the skill's name should equal; none for the root.
    pub fn folder_name(&self) -> Option<&str> {
        self.path.rsplit('/').next().filter(|name| !name.is_empty())
    }
}

/// All skills of a tree, sorted by path, and what could not be looked into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The skills' folders, sorted by the bytes of their paths. A nested skill is listed besides the outer one.
    pub skills: Vec<Discovered>,
    /// Folders and files that were passed over: links, names that are not UTF-8, unreadable folders. At most 1,000.
    pub passed_over: Vec<String>,
}

/// How far discovery goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscoveryLimits {
    /// Most files and folders looked at.
    pub entries: usize,
    /// Folders deeper than this are passed over.
    pub depth: usize,
}

impl Default for DiscoveryLimits {
    /// 500,000 entries, 64 levels.
    fn default() -> Self {
        Self { entries: 500_000, depth: 64 }
    }
}

/// Finds every skill below `root` at any depth, in hidden folders too, without following links.
pub fn discover(root: &Path, limits: &DiscoveryLimits) -> Result<Discovery, Error> {
    let mut search = Search { found: BTreeMap::new(), passed_over: Vec::new(), limits: *limits, entries: 0 };
    search.folder(root, "", 0)?;
    Ok(search.finish())
}

/// Finds every skill among the paths of a tree that is held otherwise, for example in an archive.
pub fn discover_paths<'a>(paths: impl IntoIterator<Item = &'a str>) -> Discovery {
    let mut found = BTreeMap::new();
    for path in paths {
        if check_path(path).is_ok() && !is_left_out(path) {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            note(&mut found, folder, name);
        }
    }
    Search { found, passed_over: Vec::new(), limits: DiscoveryLimits::default(), entries: 0 }.finish()
}

/// Remembers `name` as the text of the skill in `folder` when it is one, and a better one than known so far.
fn note(found: &mut BTreeMap<String, String>, folder: &str, name: &str) {
    if !is_skill_file_name(name) {
        return;
    }
    let known = found.entry(folder.to_owned()).or_insert_with(|| name.to_owned());
    if skill_file_rank(name) < skill_file_rank(known) {
        name.clone_into(known);
    }
}

struct Search {
    found: BTreeMap<String, String>,
    passed_over: Vec<String>,
    limits: DiscoveryLimits,
    entries: usize,
}

impl Search {
    fn folder(&mut self, place: &Path, path: &str, depth: usize) -> Result<(), Error> {
        let entries = match fs::read_dir(place) {
            Ok(entries) => entries,
            Err(source) if depth == 0 => return Err(io_error(place, source)),
            Err(_) => {
                self.pass_over(path);
                return Ok(());
            }
        };
        for entry in entries {
            let Ok(entry) = entry else { continue };
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(Error::TooManyFiles { limit: self.limits.entries });
            }
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                self.pass_over(&format!("{path}/{}", name.to_string_lossy()));
                continue;
            };
            let Ok(kind) = entry.file_type() else { continue };
            let inner = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            if kind.is_symlink() {
                self.pass_over(&inner);
            } else if kind.is_file() {
                note(&mut self.found, path, name);
            } else if kind.is_dir() && !is_left_out_name(name) {
                if depth + 1 > self.limits.depth || check_path(&inner).is_err() {
                    self.pass_over(&inner);
                } else {
                    self.folder(&entry.path(), &inner, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn pass_over(&mut self, path: &str) {
        if self.passed_over.len() < 1_000 {
            self.passed_over.push(printable(path));
        }
    }

    fn finish(mut self) -> Discovery {
        self.passed_over.sort();
        let skills = self.found.into_iter().map(|(path, file)| Discovered { path, file }).collect();
        Discovery { skills, passed_over: self.passed_over }
    }
}
