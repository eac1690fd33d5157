use kontor_types::{Digest, Slug, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::content::{Content, LeftOut};
use crate::facts::{self, Facts};
use crate::finding::{Finding, Severity};
use crate::front_matter::{Delimiters, Divided, Text, broken_in_file, divide, in_file, recover};
use crate::manifest::Manifest;
use crate::path::{is_skill_file_name, printable};
use crate::yaml::{self, Node, Place, Value};
use crate::{names, spec};

/// What a skill says about itself, and what was noticed while reading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// What the skill says about itself.
    pub facts: Facts,
    /// What its `kontor.toml` says, if it has one that can be read.
    pub manifest: Option<Manifest>,
    /// What was noticed, sorted by weight, file and line.
    pub findings: Vec<Finding>,
    /// Whether the reference validator accepts it.
    pub spec_valid: bool,
    /// Whether the hub accepts it.
    pub accepted: bool,
}

/// Reads a skill leniently and judges it strictly.
///
/// `folder_name` is the name of the skill's folder where it is known; the reference validator wants it to equal the
/// skill's name, and a skill without a name takes it.
pub fn inspect(content: &Content, folder_name: Option<&str>) -> Inspection {
    let mut inspector = Inspector { content, folder_name, findings: Vec::new(), facts: Facts::of(content) };
    inspector.run();
    let Inspector { mut findings, mut facts, .. } = inspector;
    findings.extend(content.left_out().iter().filter_map(LeftOut::finding));
    findings.extend(names::findings(content));
    let (manifest, about_manifest) = Manifest::of(content);
    findings.extend(about_manifest);
    if let Some(version) = manifest.as_ref().and_then(|manifest| manifest.version.clone()) {
        facts.version = Some(version);
    }
    findings.sort_by(|left, right| {
        (left.severity, &left.file, left.line, left.column).cmp(&(
            right.severity,
            &right.file,
            right.line,
            right.column,
        ))
    });
    let accepted = findings.iter().all(|finding| finding.severity != Severity::Error);
    let spec_valid = findings.iter().all(|finding| !finding.breaks_spec);
    Inspection { facts, manifest, findings, spec_valid, accepted }
}

struct Inspector<'a> {
    content: &'a Content,
    folder_name: Option<&'a str>,
    findings: Vec<Finding>,
    facts: Facts,
}

impl Inspector<'_> {
    fn run(&mut self) {
        let Some(file) = self.content.skill_file().map(str::to_owned) else {
            let remedy = "add a SKILL.md with a name, a description and instructions";
            return self.refuse("skill_file_missing", "", 0, "there is no SKILL.md", remedy);
        };
        let text = match Text::decode(self.content.get(&file).unwrap_or_default()) {
            Ok(text) => text,
            Err(line) => {
                return self.refuse("not_utf8", &file, line, "the text is not UTF-8", "save the file as UTF-8");
            }
        };
        if text.all.trim().is_empty() {
            return self.refuse("no_text", &file, 0, "there is no text", "write what the skill does and how");
        }
        self.findings.extend(spec::judge(self.content, &file, &text, self.folder_name));
        self.note_form(&file, &text);
        let divided = divide(&text.all);
        let root = self.front_matter(&file, &divided);
        if divided.body.trim().is_empty() && root.as_ref().is_none_or(|root| root.get("description").is_none()) {
            return self.refuse("no_text", &file, 0, "there is no text", "write what the skill does and how");
        }
        self.note_length(&file, &divided);
        facts::fill(&mut self.facts, &divided, root.as_ref(), self.folder_name);
        self.version(&file, root.as_ref());
    }

    fn refuse(&mut self, code: &'static str, file: &str, line: u32, message: &str, remedy: &str) {
        let finding = Finding::new(code, Severity::Error, file, message, remedy);
        self.findings.push(finding.at(line, 0).breaking_spec());
    }

    fn warn(&mut self, severity: Severity, code: &'static str, file: &str, place: Place, text: [&str; 2]) {
        let [message, remedy] = text;
        self.findings.push(Finding::new(code, severity, file, message, remedy).at(place.line, place.column));
    }

    fn note_form(&mut self, file: &str, text: &Text) {
        let at_root = self.content.files().map(|(path, _)| path).filter(|path| is_skill_file_name(path));
        let others: Vec<String> = at_root.filter(|path| *path != file).map(str::to_owned).collect();
        for other in others {
            let message = format!("`{file}` is read instead of this file");
            self.warn(Severity::Warning, "skill_file_twice", &other, Place::default(), [&message, "keep one of them"]);
        }
        if file == "skill.md" {
            let text = ["the usual name is SKILL.md", "rename it to SKILL.md"];
            self.warn(Severity::Note, "skill_file_case", file, Place::default(), text);
        }
        if text.carriage_returns {
            let text = ["lines end in carriage returns (Windows)", "save it with line feeds only"];
            self.warn(Severity::Note, "carriage_returns", file, Place::default(), text);
        }
    }

    fn note_length(&mut self, file: &str, divided: &Divided<'_>) {
        let lines = divided.body.lines().count();
        if lines > 500 {
            let message = format!("the instructions have {lines} lines; agents load all of them at once");
            let place = Place { line: divided.body_line, column: 0 };
            let remedy = "move details into files below references/ and name them";
            self.warn(Severity::Note, "body_long", file, place, [&message, remedy]);
        }
    }

    /// The front matter as a map with places in the file; recovered line by line where it is no YAML.
    fn front_matter(&mut self, file: &str, divided: &Divided<'_>) -> Option<Node> {
        if divided.delimiters == Delimiters::None {
            return None;
        }
        match yaml::read(divided.front) {
            Ok(document) => {
                let root = document.root?;
                let root = moved(root, divided.front_line);
                self.facts.front_matter = Some(root.to_json());
                matches!(root.value, Value::Mapping(_)).then_some(root)
            }
            Err(broken) => {
                let broken = broken_in_file(broken, divided.front_line, 0);
                let known = self.findings.iter().any(|finding| finding.code == "yaml_broken");
                if !known {
                    let message = format!("the front matter is not valid YAML: {}", broken.message);
                    let text = [message.as_str(), "mend the line, or put the value in quotes"];
                    self.warn(Severity::Warning, "yaml_broken", file, broken.place, text);
                }
                let root = recover(divided.front, divided.front_line);
                self.facts.front_matter = Some(root.to_json());
                self.facts.front_matter_recovered = true;
                Some(root)
            }
        }
    }

    fn version(&mut self, file: &str, root: Option<&Node>) {
        let nested = |root: &Node| root.get("metadata").and_then(|metadata| metadata.get("version")).cloned();
        let node = root.and_then(|root| root.get("version").cloned().or_else(|| nested(root)));
        let Some((node, text)) = node.as_ref().and_then(|node| Some((node, node.text()?.trim()))) else { return };
        if text.is_empty() {
            return;
        }
        if let Ok(version) = text.parse::<Version>() {
            self.facts.version = Some(version);
            return;
        }
        let message = format!("`{}` is not a version of the form 1.2.3, so it is not used", printable(text));
        let remedy = "write three numbers, for example 1.0.0";
        self.warn(Severity::Note, "version_not_semantic", file, node.place, [&message, remedy]);
    }
}

/// The same tree with places counted in the file.
fn moved(mut node: Node, front_line: u32) -> Node {
    node.place = in_file(node.place, front_line, 0);
    node.value = match node.value {
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(|item| moved(item, front_line)).collect()),
        Value::Mapping(pairs) => Value::Mapping(
            pairs.into_iter().map(|(key, value)| (moved(key, front_line), moved(value, front_line))).collect(),
        ),
        scalar @ Value::Scalar(..) => scalar,
    };
    node
}

impl Inspection {
    /// The skill's name within its publisher, folded from the name as written; `digest` names one that folds to nothing.
    pub fn slug(&self, digest: &Digest) -> Slug {
        Slug::fold(&self.facts.display_name, digest)
    }

    /// The findings that refuse the skill.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// The front matter as JSON, as written.
    pub fn front_matter(&self) -> Option<&Json> {
        self.facts.front_matter.as_ref()
    }
}
