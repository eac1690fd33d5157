use std::collections::BTreeMap;

use kontor_types::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::content::Content;
use crate::front_matter::Divided;
use crate::license::License;
use crate::prose::{first_heading, first_paragraph, writing_systems};
use crate::yaml::{Node, Value};

/// What a skill says about itself, in front matter and text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The name of the file with the text: `SKILL.md` or another case of letters; empty when there is none.
    pub skill_file: String,
    /// `name` as written.
    pub name: Option<String>,
    /// What people see: the name as written, else the folder's name, else the first heading.
    pub display_name: String,
    /// What the skill does and when to use it.
    pub description: String,
    /// Which fields were derived because the author wrote none; they are shown as such and rank below written ones.
    pub derived: Vec<DerivedField>,
    /// The licence.
    pub license: Option<License>,
    /// What the skill needs of an agent or a machine, in words.
    pub compatibility: Option<String>,
    /// `metadata` as JSON.
    pub metadata: Option<Json>,
    /// The tools an agent may use for it without asking, as written.
    pub allowed_tools: Vec<String>,
    /// `keywords` and `tags`, also below `metadata`.
    pub keywords: Vec<String>,
    /// `category` and `categories`, also below `metadata`.
    pub categories: Vec<String>,
    /// Who wrote it, as written.
    pub author: Option<String>,
    /// Where it lives on the web, as written.
    pub homepage: Option<String>,
    /// The version in `kontor.toml`, else a semantic version in the front matter.
    pub version: Option<Version>,
    /// The whole front matter as JSON, unknown keys included.
    pub front_matter: Option<Json>,
    /// Whether the front matter was no valid YAML and was read line by line.
    pub front_matter_recovered: bool,
    /// The instructions: everything behind the front matter.
    pub body: String,
    /// The line on which `body` starts, counted from 1.
    pub body_line: u32,
    /// Writing systems of name, description and body, the most used first.
    pub writing: Vec<String>,
    /// Files with a program, by language.
    pub programs: BTreeMap<String, u32>,
    /// How large it is.
    pub sizes: Sizes,
}

/// A field that was derived rather than written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DerivedField {
    /// The name is the folder's name or the first heading.
    Name,
    /// The description is the first paragraph or the first heading.
    Description,
}

/// How large a skill is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Files.
    pub files: u32,
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes of the file with the text.
    pub text_bytes: u64,
    /// Lines of the instructions.
    pub body_lines: u32,
}

/// Longer descriptions are cut; the reference validator allows 1,024, the longest seen had 4,069.
const MAX_DESCRIPTION: usize = 8_192;
const MAX_LABELS: usize = 50;
const MAX_LABEL: usize = 64;

impl Facts {
    pub(crate) fn of(content: &Content) -> Self {
        let skill_file = content.skill_file().unwrap_or_default().to_owned();
        let text_bytes = content.get(&skill_file).map_or(0, |bytes| bytes.len() as u64);
        let sizes = Sizes { files: count(content.len()), bytes: content.size(), text_bytes, body_lines: 0 };
        let mut programs = BTreeMap::new();
        for (path, _) in content.files() {
            if let Some(language) = language_of(path) {
                let files: &mut u32 = programs.entry(language.to_owned()).or_default();
                *files = files.saturating_add(1);
            }
        }
        Self { skill_file, programs, sizes, ..Self::default() }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn language_of(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "py" => "python",
        "js" | "mjs" | "cjs" => "javascript",
        "ts" | "mts" | "tsx" => "typescript",
        "sh" | "bash" | "zsh" => "shell",
        "ps1" | "psm1" => "powershell",
        "bat" | "cmd" => "batch",
        "rb" => "ruby",
        "go" => "go",
        "rs" => "rust",
        "r" => "r",
        "pl" => "perl",
        "php" => "php",
        "lua" => "lua",
        "jl" => "julia",
        "java" => "java",
        "swift" => "swift",
        "kt" | "kts" => "kotlin",
        "cs" => "csharp",
        "c" | "h" => "c",
        "cc" | "cpp" | "hpp" => "cpp",
        _ => return None,
    })
}

/// Fills in what front matter and body say.
pub(crate) fn fill(facts: &mut Facts, divided: &Divided<'_>, root: Option<&Node>, folder_name: Option<&str>) {
    divided.body.trim_end().clone_into(&mut facts.body);
    facts.body_line = divided.body_line;
    facts.sizes.body_lines = count(facts.body.lines().count());
    if let Some(root) = root {
        read_front_matter(facts, root);
    }
    derive(facts, folder_name);
    facts.writing = writing_systems([facts.display_name.as_str(), &facts.description, &facts.body]);
}

fn read_front_matter(facts: &mut Facts, root: &Node) {
    let metadata = root.get("metadata");
    let text = |key: &str| root.get(key).and_then(written_text);
    let anywhere = |key: &str| text(key).or_else(|| metadata.and_then(|map| map.get(key)).and_then(written_text));
    facts.name = text("name");
    facts.description = clip(&text("description").unwrap_or_default(), MAX_DESCRIPTION);
    facts.license = anywhere("license").or_else(|| anywhere("licence")).map(|written| License::read(&written));
    facts.compatibility = text("compatibility");
    facts.author = anywhere("author").or_else(|| named(root.get("author")));
    facts.homepage = ["homepage", "repository", "url"].iter().find_map(|key| anywhere(key));
    facts.metadata = metadata.map(Node::to_json).filter(|json| !json.is_null());
    let tools = ["allowed-tools", "allowed_tools", "tools"].iter().find_map(|key| root.get(key));
    facts.allowed_tools = tools.map(tools_of).unwrap_or_default();
    facts.keywords = labels(root, metadata, &["keywords", "tags"]);
    facts.categories = labels(root, metadata, &["category", "categories"]);
}

/// Text as written, with runs of white space folded; nothing for an empty text or another type.
fn written_text(node: &Node) -> Option<String> {
    let text = node.text()?;
    let folded: Vec<&str> = text.split_whitespace().collect();
    (!folded.is_empty()).then(|| folded.join(" "))
}

/// The name in a map such as `author: {name: …}`.
fn named(node: Option<&Node>) -> Option<String> {
    node?.get("name").and_then(written_text)
}

fn clip(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

/// The entries of a list, or of a text separated by commas, of every key in `keys`, each once.
fn labels(root: &Node, metadata: Option<&Node>, keys: &[&str]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for node in [Some(root), metadata].into_iter().flatten() {
        for value in keys.iter().filter_map(|key| node.get(key)) {
            let texts: Vec<String> = match &value.value {
                Value::Sequence(items) => items.iter().filter_map(written_text).collect(),
                Value::Scalar(text, _) => text
                    .trim_matches(['[', ']'])
                    .split([',', ';'])
                    .map(|part| part.trim_matches(['"', '\'', ' ', '\n']).to_owned())
                    .collect(),
                Value::Mapping(_) => Vec::new(),
            };
            for label in texts.iter().map(|text| clip(text, MAX_LABEL)) {
                if !label.is_empty() && labels.len() < MAX_LABELS && !labels.contains(&label) {
                    labels.push(label);
                }
            }
        }
    }
    labels
}

/// The tools of a list, or of a text separated by blanks or commas outside of parentheses.
fn tools_of(node: &Node) -> Vec<String> {
    match &node.value {
        Value::Sequence(items) => items.iter().filter_map(written_text).take(MAX_LABELS).collect(),
        Value::Scalar(text, _) => {
            let mut depth = 0_u32;
            let parts = text.split(|char: char| {
                match char {
                    '(' => depth = depth.saturating_add(1),
                    ')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && (char == ',' || char.is_whitespace())
            });
            parts.filter(|part| !part.is_empty()).take(MAX_LABELS).map(str::to_owned).collect()
        }
        Value::Mapping(_) => Vec::new(),
    }
}

fn derive(facts: &mut Facts, folder_name: Option<&str>) {
    let heading = first_heading(&facts.body);
    facts.display_name = if let Some(name) = &facts.name {
        name.clone()
    } else {
        facts.derived.push(DerivedField::Name);
        let folder = folder_name.map(str::trim).filter(|name| !name.is_empty());
        clip(folder.or(heading.as_deref()).unwrap_or_default(), 200)
    };
    if facts.description.is_empty() {
        facts.derived.push(DerivedField::Description);
        let derived = first_paragraph(&facts.body).or(heading);
        facts.description = derived.unwrap_or_else(|| facts.display_name.clone());
    }
}
