//! The rule pack: data that says what is harmful and why, embedded in the program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kontor_types::Digest;
use serde::Deserialize;

use crate::error::Error;
use crate::intent::Model;
use crate::report::Severity;

/// The files of the pack, in the order in which they are read.
const FILES: &[(&str, &str)] = &[
    ("words.toml", include_str!("../rules/words.toml")),
    ("prose.toml", include_str!("../rules/prose.toml")),
    ("deeds.toml", include_str!("../rules/deeds.toml")),
    ("intent.toml", include_str!("../rules/intent.toml")),
    ("commands.toml", include_str!("../rules/commands.toml")),
    ("settings.toml", include_str!("../rules/settings.toml")),
    ("code.toml", include_str!("../rules/code.toml")),
    ("packages.toml", include_str!("../rules/packages.toml")),
    ("declared.toml", include_str!("../rules/declared.toml")),
    ("files.toml", include_str!("../rules/files.toml")),
];

/// One rule: what it finds, how harmful that is, and why.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its stable name: the field, a dot, what it finds.
    pub id: String,
    /// How harmful a match is where nothing softens it.
    pub severity: Severity,
    /// What was found, in a sentence without a full stop.
    pub title: String,
    /// Why it is harmful.
    pub why: String,
    /// What to do about it.
    pub remedy: String,
    /// The same thing in public taxonomies, as `taxonomy:id`.
    #[serde(default)]
    pub taxonomy: Vec<String>,
    /// Whether context (a prohibition, a list of attacks) makes it weigh less.
    #[serde(default = "yes")]
    pub softens: bool,
    /// Whether a negation before the first word turns the sense around.
    #[serde(default = "yes")]
    pub negates: bool,
    /// The ways to match; none when the program itself finds it by the shape of code or bytes.
    #[serde(default)]
    pub when: Vec<When>,
    /// Texts that must match.
    pub example: Vec<Sample>,
    /// Texts that must not match.
    pub counter: Vec<Sample>,
}

/// A small file that a rule must match or must not.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Its name, which decides how it is read.
    #[serde(default = "skill_file")]
    pub file: String,
    /// Its text.
    #[serde(default)]
    pub text: String,
    /// Its bytes in hexadecimal digits, where it is no text.
    #[serde(default)]
    pub hex: String,
}

/// One way in which a rule matches: words near one another, or a pattern where one of its anchors stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Classes of words that must all be there; the first is where the finding points to.
    #[serde(default)]
    pub words: Vec<String>,
    /// Classes of words that must not be in the same sentence.
    #[serde(default)]
    pub without: Vec<String>,
    /// Whether the words must follow one another in this order.
    #[serde(default)]
    pub ordered: bool,
    /// How far the others may be from the first, in bytes.
    #[serde(default = "far")]
    pub near: usize,
    /// What the words must have in common.
    #[serde(default)]
    pub span: Span,
    /// Small texts, in lower case, of which one must stand where the pattern is tried.
    #[serde(default)]
    pub anchors: Vec<String>,
    /// The pattern, tried on text in lower case.
    #[serde(default)]
    pub pattern: String,
    /// What the matched text must not contain.
    #[serde(default)]
    pub except: String,
    /// Where it applies; everywhere when empty.
    #[serde(default)]
    pub places: Vec<PlaceName>,
    /// Another severity than the rule's.
    pub severity: Option<Severity>,
}

/// What words must have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// One sentence, or one line of code.
    #[default]
    Sentence,
    /// One paragraph, list item or block of code.
    Block,
    /// Everything under one heading.
    Section,
}

/// Parts of files that differ in what their words mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceName {
    /// Text for people and agents.
    Prose,
    /// A comment in marked-up text, which people do not see and agents do.
    Comment,
    /// The front matter.
    Front,
    /// Commands for a shell.
    Shell,
    /// Programs in other languages.
    Script,
    /// Settings and data.
    Config,
    /// Text of no known kind, decoded text among it.
    Text,
}

impl PlaceName {
    /// The place as one bit.
    pub const fn bit(self) -> u8 {
        match self {
            Self::Prose => 1,
            Self::Comment => 2,
            Self::Front => 4,
            Self::Shell => 8,
            Self::Script => 16,
            Self::Config => 32,
            Self::Text => 64,
        }
    }
}

/// All rules and the words they speak of.
#[derive(Debug)]
pub struct RulePack {
    /// The rules, by file and place in it.
    pub rules: Vec<Rule>,
    /// Classes of words: name, phrases. A phrase that ends in `*` may go on; in the files `(a|b)` stands for either.
    pub words: BTreeMap<String, Vec<String>>,
    /// Verbs of orders by class, as bare forms.
    pub(crate) verbs: BTreeMap<String, Vec<String>>,
    /// Other words of orders by class.
    pub(crate) nouns: BTreeMap<String, Vec<String>>,
    /// Parts of paths and addresses by class.
    pub(crate) paths: BTreeMap<String, Vec<String>>,
    /// How much each thing that a sentence says weighs, by rule.
    pub(crate) models: Vec<Model>,
    /// Names of known packages, by language.
    pub packages: BTreeMap<String, Vec<String>>,
    /// The SHA-256 over the pack's files.
    pub digest: Digest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    words: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    packages: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    macros: BTreeMap<String, String>,
    #[serde(default)]
    verbs: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    nouns: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    paths: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    model: Vec<Model>,
    #[serde(default)]
    rule: Vec<Rule>,
}

impl RulePack {
    /// The pack that came with the program.
    pub fn embedded() -> Result<Self, Error> {
        Self::read(FILES)
    }

    /// A pack of the same files in a folder, instead of the one that came with the program.
    pub fn from_folder(folder: &Path) -> Result<Self, Error> {
        let read = |name: &'static str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).map(|text| (name, text)).map_err(|source| Error::Read { path, source })
        };
        let files = FILES.iter().map(|(name, _)| read(name)).collect::<Result<Vec<_>, _>>()?;
        Self::read(&files.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>())
    }

    fn read(files: &[(&str, &str)]) -> Result<Self, Error> {
        let mut pack = Self {
            rules: Vec::new(),
            words: BTreeMap::new(),
            verbs: BTreeMap::new(),
            nouns: BTreeMap::new(),
            paths: BTreeMap::new(),
            models: Vec::new(),
            packages: BTreeMap::new(),
            digest: Digest::of(b""),
        };
        let mut all = Vec::new();
        let mut macros = BTreeMap::new();
        for (name, text) in files {
            let file: File = toml::from_str(text).map_err(|error| Error::Rules(format!("{name}: {error}")))?;
            for (class, phrases) in file.words {
                let mut all = Vec::new();
                for phrase in &phrases {
                    all.extend(expanded(phrase).map_err(|error| Error::Rules(format!("{name}: {class}: {error}")))?);
                }
                pack.words.insert(class, all);
            }
            pack.packages.extend(file.packages);
            pack.verbs.extend(file.verbs);
            pack.nouns.extend(file.nouns);
            pack.paths.extend(file.paths);
            pack.models.extend(file.model);
            pack.rules.extend(file.rule);
            macros.extend(file.macros);
            all.extend_from_slice(name.as_bytes());
            all.push(0);
            all.extend_from_slice(text.as_bytes());
            all.push(0);
        }
        pack.digest = Digest::of(&all);
        for when in pack.rules.iter_mut().flat_map(|rule| &mut rule.when) {
            for (name, text) in &macros {
                for pattern in [&mut when.pattern, &mut when.except] {
                    *pattern = pattern.replace(&format!("@{name}"), text);
                }
            }
        }
        pack.check()?;
        Ok(pack)
    }

    /// The place of a rule in the pack.
    pub fn index(&self, id: &str) -> Option<usize> {
        self.rules.iter().position(|rule| rule.id == id)
    }

    fn check(&self) -> Result<(), Error> {
        let mut ids = BTreeSet::new();
        for rule in &self.rules {
            if !ids.insert(&rule.id) {
                return Err(Error::Rules(format!("the rule {} is there twice", rule.id)));
            }
            for when in &rule.when {
                let unknown = when.words.iter().chain(&when.without).find(|name| !self.words.contains_key(*name));
                if let Some(name) = unknown {
                    return Err(Error::Rules(format!("{}: there is no class of words `{name}`", rule.id)));
                }
                if when.words.is_empty() == (when.anchors.is_empty() || when.pattern.is_empty()) {
                    return Err(Error::Rules(format!("{}: give either words, or anchors and a pattern", rule.id)));
                }
            }
        }
        Ok(())
    }
}

/// The phrases that a template stands for: `(never|do not) tell` is two; at most 4,096.
fn expanded(template: &str) -> Result<Vec<String>, String> {
    let mut all = vec![String::new()];
    let mut rest = template;
    while let Some((before, group)) = rest.split_once('(') {
        let (choices, after) = group.split_once(')').ok_or_else(|| format!("`{template}` has an open parenthesis"))?;
        let choices: Vec<&str> = choices.split('|').collect();
        if all.len() * choices.len() > 4_096 {
            return Err(format!("`{template}` stands for too many phrases"));
        }
        all =
            all.iter().flat_map(|start| choices.iter().map(move |choice| format!("{start}{before}{choice}"))).collect();
        rest = after;
    }
    for phrase in &mut all {
        phrase.push_str(rest);
    }
    Ok(all)
}

const fn yes() -> bool {
    true
}

const fn far() -> usize {
    240
}

fn skill_file() -> String {
    "SKILL.md".to_owned()
}
