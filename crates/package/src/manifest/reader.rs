use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use kontor_types::{SkillRef, VersionRange};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Dependencies, Kind, MANIFEST_FILE, Manifest, Packages, Permissions, PinnedPackage, RunLimits, Tool};
use crate::content::Content;
use crate::finding::{Finding, Severity};
use crate::front_matter::line_number;
use crate::look_alike::edits;
use crate::path::{check_path, printable};

/// A manifest is a page of text; a larger one is not read.
const MAX_BYTES: usize = 256 << 10;
const MAX_ENTRIES: usize = 200;
const MAX_FINDINGS: usize = 100;
const MAX_TEXT: usize = 2_000;

/// Reads a manifest and checks that the files it names are there.
pub(super) fn read_file(bytes: &[u8], content: &Content) -> (Option<Manifest>, Vec<Finding>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => run(text, Some(content)),
        Err(_) => (None, vec![broken("it is not UTF-8", 0, 0)]),
    }
}

/// Reads a manifest for itself.
pub(super) fn read(text: &str) -> (Option<Manifest>, Vec<Finding>) {
    run(text, None)
}

fn run(text: &str, content: Option<&Content>) -> (Option<Manifest>, Vec<Finding>) {
    if text.len() > MAX_BYTES {
        return (None, vec![broken("it is larger than 256 KiB", 0, 0)]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, content, findings: Vec::new() };
    for error in errors.iter().take(10) {
        let (line, column) = reader.place(&error.span().unwrap_or(0..0));
        reader.findings.push(broken(error.message(), line, column));
    }
    if !errors.is_empty() {
        return (None, reader.findings);
    }
    let manifest = reader.manifest(table.get_ref());
    (Some(manifest), reader.findings)
}

fn broken(reason: &str, line: u32, column: u32) -> Finding {
    let message = format!("kontor.toml is not used: {}", printable(reason));
    Finding::new("manifest_broken", Severity::Warning, MANIFEST_FILE, message, "mend the line").at(line, column)
}

struct Reader<'a> {
    text: &'a str,
    content: Option<&'a Content>,
    findings: Vec<Finding>,
}

type Entry<'a, 't> = &'a Spanned<DeValue<'t>>;

impl Reader<'_> {
    fn place(&self, span: &Range<usize>) -> (u32, u32) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (line_number(before.matches('\n').count()), line_number(before[line_start..].chars().count()))
    }

    fn report(&mut self, code: &'static str, span: &Range<usize>, message: String, remedy: &str) {
        if self.findings.len() < MAX_FINDINGS {
            let (line, column) = self.place(span);
            let finding = Finding::new(code, Severity::Warning, MANIFEST_FILE, message, remedy);
            self.findings.push(finding.at(line, column));
        }
    }

    fn wrong(&mut self, span: &Range<usize>, name: &str, wanted: &str) {
        let message = format!("`{name}` is not used: it must be {wanted}");
        self.report("manifest_value", span, message, "write it in the form that the message names");
    }

    /// Reports every key of `table` that is not known, with the nearest one that is.
    fn known(&mut self, table: &DeTable<'_>, section: &str, known: &[&str]) {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let nearest = known.iter().map(|other| (edits(name, other), other)).min();
            let nearest = nearest.filter(|(edits, other)| *edits <= 2 && *edits < other.len()).map(|(_, other)| other);
            let place = if section.is_empty() { String::new() } else { format!(" in [{section}]") };
            let message = format!("the key `{}` is not known{place}", printable(name));
            let remedy = nearest.map_or_else(
                || format!("remove it; known keys are {}", known.join(", ")),
                |nearest| format!("write `{nearest}`"),
            );
            self.report("manifest_unknown_key", &key.span(), message, &remedy);
        }
    }

    fn text(&mut self, entry: Entry<'_, '_>, name: &str) -> Option<String> {
        let text = entry.get_ref().as_str().filter(|text| !text.is_empty() && text.len() <= MAX_TEXT);
        if text.is_none() {
            self.wrong(&entry.span(), name, "a text");
        }
        text.map(str::to_owned)
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, entry: Entry<'_, '_>, name: &str) -> Option<T> {
        match self.text(entry, name)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let message = format!("`{name}` is not used: {}", printable(&T::Err::to_string(&error)));
                self.report("manifest_value", &entry.span(), message, "mend the value");
                None
            }
        }
    }

    fn table<'a, 't>(&mut self, entry: Entry<'a, 't>, name: &str) -> Option<&'a DeTable<'t>> {
        let table = entry.get_ref().as_table();
        if table.is_none() {
            self.wrong(&entry.span(), name, "a section");
        }
        table
    }

    fn list<'a, 't>(&mut self, entry: Entry<'a, 't>, name: &str) -> Vec<Entry<'a, 't>> {
        let Some(list) = entry.get_ref().as_array() else {
            self.wrong(&entry.span(), name, "a list");
            return Vec::new();
        };
        if list.len() > MAX_ENTRIES {
            self.wrong(&entry.span(), name, "a list of at most 200 entries");
        }
        list.iter().take(MAX_ENTRIES).collect()
    }

    fn texts(&mut self, entry: Entry<'_, '_>, name: &str) -> Vec<String> {
        self.list(entry, name).into_iter().filter_map(|entry| self.text(entry, name)).collect()
    }

    fn manifest(&mut self, table: &DeTable<'_>) -> Manifest {
        const KEYS: [&str; 7] = ["version", "kind", "permissions", "tool", "limits", "requires", "dependencies"];
        self.known(table, "", &KEYS);
        Manifest {
            version: table.get("version").and_then(|entry| self.parsed(entry, "version")),
            kind: table.get("kind").and_then(|entry| self.kind(entry)).unwrap_or_default(),
            permissions: self.section(table, "permissions", Self::permissions),
            tools: table.get("tool").map(|entry| self.tools(entry)).unwrap_or_default(),
            limits: self.section(table, "limits", Self::limits),
            requires: self.section(table, "requires", Self::requires),
            dependencies: self.section(table, "dependencies", Self::dependencies),
        }
    }

    fn section<T: Default>(
        &mut self,
        table: &DeTable<'_>,
        name: &str,
        read: impl Fn(&mut Self, &DeTable<'_>) -> T,
    ) -> T {
        let section = table.get(name).and_then(|entry| self.table(entry, name));
        section.map(|section| read(self, section)).unwrap_or_default()
    }

    fn kind(&mut self, entry: Entry<'_, '_>) -> Option<Kind> {
        let kind = match entry.get_ref().as_str() {
            Some("instructions") => Kind::Instructions,
            Some("workflow") => Kind::Workflow,
            Some("agent") => Kind::Agent,
            Some("model") => Kind::Model,
            _ => {
                self.wrong(&entry.span(), "kind", "instructions, workflow, agent or model");
                return None;
            }
        };
        Some(kind)
    }

    fn permissions(&mut self, table: &DeTable<'_>) -> Permissions {
        self.known(table, "permissions", &["network", "secrets", "read"]);
        let mut permissions = Permissions::default();
        if let Some(entry) = table.get("network") {
            let entries = self.list(entry, "network");
            permissions.network = entries.into_iter().filter_map(|entry| self.parsed(entry, "network")).collect();
        }
        if let Some(entry) = table.get("secrets") {
            let entries = self.list(entry, "secrets");
            permissions.secrets = entries.into_iter().filter_map(|entry| self.secret(entry)).collect();
        }
        if let Some(entry) = table.get("read") {
            let entries = self.list(entry, "read");
            permissions.read = entries.into_iter().filter_map(|entry| self.path(entry, "read", true)).collect();
        }
        permissions
    }

    fn secret(&mut self, entry: Entry<'_, '_>) -> Option<String> {
        let name = self.text(entry, "secrets")?;
        let word = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if name.len() <= 128 && name.bytes().all(word) && !name.starts_with(|char: char| char.is_ascii_digit()) {
            return Some(name);
        }
        self.wrong(&entry.span(), "secrets", "names of capitals, digits and `_`");
        None
    }

    /// A path inside the skill, to a file, or to a folder that ends in `/`.
    fn path(&mut self, entry: Entry<'_, '_>, name: &str, folder_allowed: bool) -> Option<String> {
        let path = self.text(entry, name)?;
        let (plain, is_folder) = path.strip_suffix('/').map_or((path.as_str(), false), |folder| (folder, true));
        if check_path(plain).is_err() || (is_folder && !folder_allowed) {
            self.wrong(&entry.span(), name, "a path inside the skill");
            return None;
        }
        let there = self.content.is_none_or(|content| {
            let inside = |file: &str| file.strip_prefix(plain).is_some_and(|rest| rest.starts_with('/'));
            if is_folder { content.files().any(|(file, _)| inside(file)) } else { content.get(plain).is_some() }
        });
        if !there {
            let message = format!("`{name}` names `{}`, which is not in the skill", printable(&path));
            self.report("manifest_file_missing", &entry.span(), message, "add it, or mend the path");
        }
        Some(path)
    }

    fn tools(&mut self, entry: Entry<'_, '_>) -> Vec<Tool> {
        let mut names = BTreeSet::new();
        let mut tools = Vec::new();
        for entry in self.list(entry, "tool") {
            let Some(tool) = self.table(entry, "tool").and_then(|table| self.tool(entry, table)) else { continue };
            if names.insert(tool.name.clone()) {
                tools.push(tool);
            } else {
                self.wrong(&entry.span(), "name", "unique among the tools");
            }
        }
        tools
    }

    fn tool(&mut self, entry: Entry<'_, '_>, table: &DeTable<'_>) -> Option<Tool> {
        self.known(table, "[tool]", &["name", "description", "command", "input", "output"]);
        let name = table.get("name").and_then(|entry| self.text(entry, "name"));
        let command = table.get("command").map(|entry| self.texts(entry, "command")).unwrap_or_default();
        let word = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
        let name = name.filter(|name| name.len() <= 64 && name.chars().all(word));
        let (Some(name), false) = (name, command.is_empty()) else {
            let wanted = "given a `name` of letters, digits, `_` and `-`, and a `command` with at least a program";
            self.wrong(&entry.span(), "tool", wanted);
            return None;
        };
        let description = table.get("description").and_then(|entry| self.text(entry, "description"));
        let mut schema = |key: &str| table.get(key).and_then(|entry| self.path(entry, key, false));
        let (input, output) = (schema("input"), schema("output"));
        Some(Tool { name, description, command, input, output })
    }

    fn limits(&mut self, table: &DeTable<'_>) -> RunLimits {
        self.known(table, "limits", &["wall", "memory"]);
        RunLimits {
            wall: table.get("wall").and_then(|entry| self.parsed(entry, "wall")),
            memory: table.get("memory").and_then(|entry| self.parsed(entry, "memory")),
        }
    }

    fn requires(&mut self, table: &DeTable<'_>) -> std::collections::BTreeMap<String, VersionRange> {
        let mut requires = std::collections::BTreeMap::new();
        for (key, entry) in table.iter().take(MAX_ENTRIES) {
            let name: &str = key.get_ref();
            let reference = name.parse::<SkillRef>().ok().filter(|reference| reference.version.is_none());
            if reference.is_none() {
                self.wrong(&key.span(), &printable(name), "named @publisher/skill, its range behind the `=`");
            } else if let Some(range) = self.parsed(entry, name) {
                requires.insert(name.to_owned(), range);
            }
        }
        requires
    }

    fn dependencies(&mut self, table: &DeTable<'_>) -> Dependencies {
        self.known(table, "dependencies", &["pip", "npm"]);
        Dependencies {
            pip: table.get("pip").and_then(|entry| self.packages(entry, "pip")),
            npm: table.get("npm").and_then(|entry| self.packages(entry, "npm")),
        }
    }

    fn packages(&mut self, entry: Entry<'_, '_>, name: &str) -> Option<Packages> {
        if let Some(text) = entry.get_ref().as_str() {
            if name == "pip" && text.eq_ignore_ascii_case("pep723") {
                return Some(Packages::Inline);
            }
            return self.path(entry, name, false).map(Packages::File);
        }
        if !entry.get_ref().is_array() {
            self.wrong(&entry.span(), name, "a file of the skill, or a list of packages with name, version and hashes");
            return None;
        }
        let entries = self.list(entry, name);
        Some(Packages::Pinned(entries.into_iter().filter_map(|entry| self.pinned(entry, name)).collect()))
    }

    fn pinned(&mut self, entry: Entry<'_, '_>, section: &str) -> Option<PinnedPackage> {
        let table = self.table(entry, section)?;
        self.known(table, &format!("dependencies.{section}"), &["name", "version", "hashes"]);
        let mut text = |key: &str| table.get(key).and_then(|entry| self.text(entry, key));
        let (name, version) = (text("name"), text("version"));
        let hashes = table.get("hashes").map(|entry| self.texts(entry, "hashes")).unwrap_or_default();
        let (Some(name), Some(version), false) = (name, version, hashes.is_empty()) else {
            self.wrong(&entry.span(), section, "given `name`, `version` and `hashes`");
            return None;
        };
        Some(PinnedPackage { name, version, hashes })
    }
}
