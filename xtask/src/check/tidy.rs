//! House rules that no compiler knows.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::shell;

const LONGEST_FILE: usize = 600;
const CODE: &[&str] = &["rs", "mjs", "js", "py", "sh"];
const DATABASE: &str = "crates/db";

/// Signs of unfinished work that count in a comment. Each pattern here is written in parts, or this file would match.
const COMMENT_MARKERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX:")];
/// Signs of unfinished work that count anywhere.
const CODE_MARKERS: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("#[ig", "nore"),
    concat!("not yet imple", "mented"),
];
/// Where package registries live: the user's own client knows that, not we.
const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("py", "pi.org"),
    concat!("python", "hosted.org"),
    concat!("npm", "js.org"),
    concat!("npm", "js.com"),
    concat!("deb.", "debian.org"),
];
/// Paths that exist on one developer's machine only.
const PATHS: &[&str] = &[
    concat!("/wo", "rk/main"),
    concat!("/wo", "rk/shared"),
    concat!("/wo", "rk/wt-"),
    concat!("/wo", "rk/bin"),
    concat!("/wo", "rk/."),
    concat!("/ro", "ot/."),
];

/// Fails with one line for each place that breaks a rule.
pub fn check() -> Result<()> {
    let files = shell::files()?;
    let mut complaints = migrations(&files);
    complaints.extend(untested_queries(&files));
    for path in &files {
        if let Ok(text) = fs::read_to_string(shell::root().join(path)) {
            complaints.extend(file(path, &text));
        }
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

fn file(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let is_code = extension(path).is_some_and(|extension| CODE.contains(&extension));
    let lines = text.lines().count();
    if is_code && lines > LONGEST_FILE && !path.contains("/generated/") {
        complaints.push(format!("{path}: {lines} lines; split it by what the parts own (limit {LONGEST_FILE})"));
    }
    if extension(path) == Some("lock") || path.ends_with("package-lock.json") {
        return complaints;
    }
    for (number, line) in (1..).zip(text.lines()) {
        if is_code && let Some(marker) = marker(line) {
            complaints.push(format!("{path}:{number}: finish what `{marker}` announces"));
        }
        if let Some(host) = HOSTS.iter().find(|host| line.contains(**host)) {
            complaints.push(format!("{path}:{number}: name the registry, not its host `{host}`"));
        }
        if let Some(place) = PATHS.iter().find(|place| line.contains(**place)) {
            complaints.push(format!("{path}:{number}: `{place}` exists on one machine only"));
        }
    }
    complaints
}

fn marker(line: &str) -> Option<&'static str> {
    let comment = ["//", "#", "/*", "<!--"].iter().filter_map(|start| line.find(start)).min();
    let in_comment = comment.and_then(|start| line.get(start..)).unwrap_or_default();
    let said = COMMENT_MARKERS.iter().find(|marker| in_comment.contains(**marker));
    said.or_else(|| CODE_MARKERS.iter().find(|marker| line.contains(**marker))).copied()
}

/// Both databases have a migration of each name.
fn migrations(files: &[String]) -> Vec<String> {
    let names = |database: &str| -> BTreeSet<String> {
        let folder = format!("{DATABASE}/migrations/{database}/");
        files.iter().filter_map(|path| path.strip_prefix(&folder)).map(str::to_owned).collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    let lonely = |names: &BTreeSet<String>, others: &BTreeSet<String>, database: &str| -> Vec<String> {
        names.difference(others).map(|name| format!("migration {name}: {database} has none of this name")).collect()
    };
    [lonely(&sqlite, &postgres, "postgres"), lonely(&postgres, &sqlite, "sqlite")].concat()
}

/// Each module of the database crate that holds SQL has a test file of its name.
fn untested_queries(files: &[String]) -> Vec<String> {
    let tested: BTreeSet<&str> = files
        .iter()
        .filter(|path| path.starts_with(&format!("{DATABASE}/tests/")))
        .filter_map(|path| stem(path))
        .collect();
    let modules =
        files.iter().filter(|path| path.starts_with(&format!("{DATABASE}/src/")) && extension(path) == Some("rs"));
    // `testing.rs` is itself part of the tests.
    let modules = modules.filter(|path| !path.ends_with("/testing.rs"));
    let bearing = modules.filter(|path| fs::read_to_string(shell::root().join(path)).is_ok_and(|text| has_sql(&text)));
    bearing
        .filter(|path| !owners(path).any(|name| tested.contains(name)))
        .map(|path| format!("{path}: holds SQL, so {DATABASE}/tests needs a file of the same name"))
        .collect()
}

/// The names under which a module may be tested: its own, and those of the modules it is part of.
fn owners(path: &str) -> impl Iterator<Item = &str> {
    let inside = path.strip_prefix(DATABASE).and_then(|path| path.strip_prefix("/src/")).unwrap_or(path);
    inside.split('/').map(|part| part.strip_suffix(".rs").unwrap_or(part))
}

fn has_sql(text: &str) -> bool {
    ["\"select ", "\"insert into ", "\"update ", "\"delete from ", "\"with "].iter().any(|start| text.contains(start))
}

fn extension(path: &str) -> Option<&str> {
    Path::new(path).extension()?.to_str()
}

fn stem(path: &str) -> Option<&str> {
    Path::new(path).file_stem()?.to_str()
}

#[cfg(test)]
mod tests {
    use super::{CODE_MARKERS, COMMENT_MARKERS, HOSTS, LONGEST_FILE, file, marker, migrations};

    #[test]
    fn unfinished_work_is_seen_in_comments_and_code() {
        let word = COMMENT_MARKERS[0];
        assert!(marker(&format!("// {word}: later")).is_some());
        assert!(marker(&format!("let text = \"{word}\";")).is_none(), "a word in a string is data");
        assert!(marker(&format!("    {}\"later\")", CODE_MARKERS[0])).is_some());
    }

    #[test]
    fn hosts_and_length_are_seen_but_not_in_lock_files() {
        let text = format!("see {}", HOSTS[0]);
        assert_eq!(file("docs/a.md", &text).len(), 1);
        assert!(file("Cargo.lock", &text).is_empty());
        assert_eq!(file("a.rs", &"\n".repeat(LONGEST_FILE + 1)).len(), 1);
        assert!(file("a.md", &"\n".repeat(LONGEST_FILE + 1)).is_empty());
    }

    #[test]
    fn a_migration_needs_its_twin() {
        let files = ["crates/db/migrations/sqlite/0001_a.sql", "crates/db/migrations/postgres/0002_b.sql"];
        assert_eq!(migrations(&files.map(str::to_owned)).len(), 2);
    }
}
