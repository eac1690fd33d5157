//! The decision of the reference validator `skills-ref` 0.1.1, finding by finding.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::content::Content;
use crate::finding::{Finding, Severity};
use crate::front_matter::{StrictFront, Text, divide_strictly, in_file, line_number};
use crate::yaml::{self, Node, Place, StrictRule, Strictness, Value};

const ALLOWED_KEYS: [&str; 6] = ["name", "description", "license", "allowed-tools", "metadata", "compatibility"];
const MAX_NAME: usize = 64;
const MAX_DESCRIPTION: usize = 1_024;
const MAX_COMPATIBILITY: usize = 500;

/// Why the validator refuses the skill; nothing when it accepts it.
pub(crate) fn judge(content: &Content, file: &str, text: &Text, folder_name: Option<&str>) -> Vec<Finding> {
    let mut judge = Judge { file, findings: Vec::new() };
    judge.file_name(content);
    if let Some(root) = judge.front_matter(text) {
        judge.keys(&root);
        judge.name(&root, folder_name);
        judge.description(&root);
        judge.compatibility(&root);
    }
    judge.findings
}

struct Judge<'a> {
    file: &'a str,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn refuse(&mut self, code: &'static str, place: Place, message: impl Into<String>, remedy: &str) {
        let finding = Finding::new(code, Severity::Warning, self.file, message, remedy);
        self.findings.push(finding.at(place.line, place.column).breaking_spec());
    }

    fn file_name(&mut self, content: &Content) {
        let is_folder = |name: &str| {
            content.files().any(|(path, _)| path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
        };
        if !matches!(self.file, "SKILL.md" | "skill.md") {
            self.refuse(
                "skill_file_case",
                Place::default(),
                "many agents look for `SKILL.md` only",
                "rename it to SKILL.md",
            );
        } else if self.file == "skill.md" && is_folder("SKILL.md") {
            self.refuse("skill_file_case", Place::default(), "`SKILL.md` is a folder", "rename the folder");
        }
    }

    /// Reads the front matter as the validator does; `None` when it gives up there.
    fn front_matter(&mut self, text: &Text) -> Option<Node> {
        let top = Place { line: 1, column: 1 };
        let front = match divide_strictly(text) {
            StrictFront::Between(front) => front,
            StrictFront::NotAtStart if text.byte_order_mark => {
                self.refuse(
                    "byte_order_mark",
                    top,
                    "the file starts with a byte order mark",
                    "save it as UTF-8 without a byte order mark",
                );
                return None;
            }
            StrictFront::NotAtStart => {
                self.refuse(
                    "front_matter_missing",
                    top,
                    "the file does not start with `---`",
                    "start the file with a line `---`, `name:` and `description:`, and a line `---`",
                );
                return None;
            }
            StrictFront::Unclosed => {
                self.refuse(
                    "front_matter_unterminated",
                    top,
                    "the front matter is never closed",
                    "end it with a line `---`",
                );
                return None;
            }
        };
        let early = self.early_end(front, text);
        let document = match yaml::read(front) {
            Ok(document) => document,
            Err(broken) => {
                let place = in_file(broken.place, 1, 3);
                self.refuse(
                    "yaml_broken",
                    place,
                    format!("the front matter is not valid YAML: {}", broken.message),
                    remedy_of_broken(&broken.message),
                );
                self.findings.extend(early);
                return None;
            }
        };
        for strictness in &document.strictness {
            self.strictness(strictness);
        }
        let root = document.root.filter(|root| matches!(root.value, Value::Mapping(_)));
        if root.is_none() {
            self.refuse(
                "front_matter_not_a_map",
                in_file(top, 1, 3),
                "the front matter has no `key: value` lines",
                "write `name:` and `description:` on lines of their own",
            );
        }
        self.findings.extend(early);
        root
    }

    /// The closing `---` stands inside a line: harmless for others, but the validator stops reading there.
    fn early_end(&self, front: &str, text: &Text) -> Option<Finding> {
        let line_end = text.all.get(3 + front.len() + 3..).and_then(|rest| rest.lines().next()).unwrap_or("");
        let inside = !front.ends_with('\n') || !line_end.trim().is_empty();
        let column = front.rsplit('\n').next().map_or(0, |line| line.chars().count());
        let line = line_number(front.matches('\n').count());
        inside.then(|| {
            Finding::new(
                "front_matter_early_end",
                Severity::Note,
                self.file,
                "the reference validator takes this `---` for the end of the front matter",
                "write a single dash or another sign here",
            )
            .at(line, line_number(column))
        })
    }

    fn strictness(&mut self, strictness: &Strictness) {
        let (code, message, remedy) = match strictness.rule {
            StrictRule::FlowStyle => (
                "yaml_flow_style",
                "a list or map in brackets is not allowed here",
                "write one entry a line, or quote the value",
            ),
            StrictRule::Anchor => {
                ("yaml_anchor", "anchors `&` and aliases `*` are not allowed here", "repeat the value, or quote it")
            }
            StrictRule::Tag => ("yaml_tag", "a type `!` is not allowed here", "remove it, or quote the value"),
            StrictRule::DuplicateKey => ("key_duplicate", "this key occurs twice", "keep one of them"),
            StrictRule::Indentation => {
                ("yaml_indentation", "maps beside each other are indented differently", "indent them alike")
            }
            StrictRule::Key => ("yaml_key", "a key must be plain text", "write a word before the colon"),
            StrictRule::Comment => {
                ("yaml_comment", "the reference validator cannot read comments here", "remove the comment")
            }
        };
        self.refuse(code, in_file(strictness.place, 1, 3), message, remedy);
    }

    fn keys(&mut self, root: &Node) {
        for (key, _) in root.pairs().unwrap_or_default() {
            let Some(name) = key.text().filter(|name| !ALLOWED_KEYS.contains(name) && !key.is_merge_key()) else {
                continue;
            };
            let message = format!("the key `{}` is not part of the open format", crate::path::printable(name));
            self.refuse(
                "key_unknown",
                in_file(key.place, 1, 3),
                message,
                "move it below `metadata:`, or into kontor.toml",
            );
        }
    }

    fn name(&mut self, root: &Node, folder_name: Option<&str>) {
        let Some(node) = root.get("name") else {
            let remedy = "add a line `name:` with the folder's name";
            return self.refuse("name_missing", Place { line: 1, column: 1 }, "the front matter has no `name`", remedy);
        };
        let place = in_file(node.place, 1, 3);
        let Some(name) = node.strict_text().map(strip).filter(|name| !name.is_empty()) else {
            return self.refuse("name_missing", place, "`name` must be text", "write the folder's name behind `name:`");
        };
        let name: String = name.nfkc().collect();
        let length = name.chars().count();
        if length > MAX_NAME {
            let message = format!("`name` has {length} characters, at most {MAX_NAME} are allowed");
            self.refuse("name_too_long", place, message, "shorten it");
        }
        if name != name.to_lowercase() {
            self.refuse("name_not_lower_case", place, "`name` must be lower case", "write it in lower case");
        }
        if name.starts_with('-') || name.ends_with('-') || name.contains("--") {
            let message = "`name` may have single hyphens between words only";
            self.refuse("name_hyphens", place, message, "remove the other hyphens");
        }
        if !name.chars().all(|char| char == '-' || is_letter_or_digit(char)) {
            let message = "`name` may have letters, digits and hyphens only";
            self.refuse("name_characters", place, message, "replace the other characters by hyphens");
        }
        if let Some(folder) = folder_name
            && folder.nfkc().collect::<String>() != name
        {
            let shown = crate::path::printable(folder);
            let message = format!("`name` differs from the folder's name `{shown}`");
            self.refuse("name_not_folder", place, message, "give both the same name");
        }
    }

    fn description(&mut self, root: &Node) {
        let Some(node) = root.get("description") else {
            let remedy = "add a line `description:` that says what the skill does and when to use it";
            let message = "the front matter has no `description`";
            return self.refuse("description_missing", Place { line: 1, column: 1 }, message, remedy);
        };
        let place = in_file(node.place, 1, 3);
        let Some(text) = node.strict_text().filter(|text| !strip(text).is_empty()) else {
            let remedy = "say behind `description:` what the skill does and when to use it";
            return self.refuse("description_missing", place, "`description` must be text", remedy);
        };
        self.length("description_too_long", "description", text, MAX_DESCRIPTION, place);
    }

    fn compatibility(&mut self, root: &Node) {
        let Some(node) = root.get("compatibility") else { return };
        let place = in_file(node.place, 1, 3);
        match node.strict_text() {
            Some(text) => self.length("compatibility_too_long", "compatibility", text, MAX_COMPATIBILITY, place),
            None => {
                self.refuse("compatibility_not_text", place, "`compatibility` must be text", "write one line of text");
            }
        }
    }

    fn length(&mut self, code: &'static str, key: &str, text: &str, limit: usize, place: Place) {
        let length = text.chars().count();
        if length > limit {
            let message = format!("`{key}` has {length} characters, at most {limit} are allowed");
            self.refuse(code, place, message, "shorten it");
        }
    }
}

fn remedy_of_broken(message: &str) -> &'static str {
    if message.contains("`: `") {
        "put the value in quotes, or write it behind `|` on the next lines"
    } else if message.contains("tab") {
        "indent with spaces"
    } else {
        "mend the line, or put the value in quotes"
    }
}

/// Takes off white space at both ends, as the validator's language defines it.
fn strip(text: &str) -> &str {
    text.trim_matches(|char: char| char.is_whitespace() || matches!(char, '\u{1c}'..='\u{1f}'))
}

/// Letters of any script, and digits and numbers of any form; marks that join letters are neither.
fn is_letter_or_digit(char: char) -> bool {
    matches!(char.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number)
}
