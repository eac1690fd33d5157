//! Programs by their shape: where data comes from, where it goes, and what is started.

mod keys;
pub mod known;
mod powershell;
mod program;
mod shell;
mod values;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use kontor_package::Permissions;
use tree_sitter::{ParseOptions, Parser, Tree};

use crate::capability::Capabilities;
use crate::declared::Declared;
use crate::dependencies::{self, Ecosystem};
use crate::document::{Document, Region};
use crate::error::Error;
use crate::examine::Origin;
use crate::kind::{Kind, Language};
use crate::matcher::{CodeMatch, Matcher};
use crate::report::Severity;
use crate::rules::RulePack;

pub use values::Labels;

/// The places of the rules that are found by shape.
#[derive(Debug)]
pub struct CodeRules {
    places: BTreeMap<String, usize>,
    packages: BTreeMap<String, Vec<String>>,
}

/// What a function does with what it is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Where its result comes from; parameters are labels of their own.
    pub returns: Labels,
    /// Parameters that are sent away.
    pub sends: Labels,
    /// Parameters that are run.
    pub runs: Labels,
}

/// A use of another file's function that can only be judged when that file was read.
#[derive(Debug, Clone)]
pub struct Pending {
    file: String,
    line: u32,
    module: String,
    function: String,
    /// What flows into its parameters, by their number.
    arguments: Vec<Labels>,
    /// Whether its result is sent away here.
    sent: bool,
    /// Whether its result is run here.
    run: bool,
}

/// Content of files that a program sends away.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The program.
    pub file: String,
    /// The line of the call.
    pub line: u32,
    /// The hosts that the program names.
    pub hosts: Vec<String>,
    /// Whether the program looked for the files itself.
    pub gathered: bool,
}

/// What is known about a unit's programs across its files.
#[derive(Debug, Default)]
pub struct Facts {
    /// Compiled Python files and the size of the source that they claim.
    pub compiled: Vec<(String, Option<u32>)>,
    /// What the skills of the unit declare.
    pub declared: Vec<Declared>,
    /// What `kontor.toml` grants.
    pub permissions: Option<Permissions>,
    /// What the scripts alone can do, without the texts.
    pub scripted: Capabilities,
    /// Files with code that could not be parsed within bounds.
    pub unparsed: Vec<String>,
    /// Content of files that programs send away.
    pub sent: Vec<Sent>,
    modules: BTreeMap<String, BTreeMap<String, Summary>>,
    pending: Vec<Pending>,
}

impl Facts {
    /// What follows from all files together: rule, place, message, excerpt.
    pub fn conclude(&self, _capabilities: &Capabilities) -> Vec<(&'static str, Origin, String, String)> {
        self.pending.iter().filter_map(|pending| self.judge(pending)).collect()
    }

    fn judge(&self, pending: &Pending) -> Option<(&'static str, Origin, String, String)> {
        let summary = self.modules.get(&pending.module)?.get(&pending.function)?;
        let through = |parameters: Labels| {
            pending
                .arguments
                .iter()
                .enumerate()
                .filter(|(place, _)| parameters.has(Labels::parameter(*place)))
                .fold(Labels::NONE, |all, (_, labels)| all | *labels)
        };
        let given_out = through(summary.sends);
        let given_run = through(summary.runs);
        let sent = given_out | if pending.sent { summary.returns } else { Labels::NONE };
        let run = given_run | if pending.run { summary.returns } else { Labels::NONE };
        let rule = if sent.has(Labels::SECRET) {
            "code.secret-to-network"
        } else if sent.has(Labels::ENVIRONMENT) {
            "code.environment-to-network"
        } else if run.has(Labels::NETWORK) {
            "code.download-to-exec"
        } else if run.has(Labels::DECODED) {
            "code.decoded-to-exec"
        } else {
            return None;
        };
        let origin = Origin { file: pending.file.clone(), place: Some((pending.line, 0)), ..Origin::default() };
        Some((rule, origin, String::new(), format!("{}.{}", pending.module, pending.function)))
    }
}

/// What an analysis of one program has at hand.
pub struct Bench<'a> {
    pub rules: &'a CodeRules,
    pub matcher: &'a Matcher,
    pub file: &'a str,
    pub capabilities: &'a mut Capabilities,
    pub found: Vec<CodeMatch>,
}

impl Bench<'_> {
    /// Adds a finding.
    pub fn find(&mut self, rule: &str, at: usize, length: usize, detail: &str) {
        if let Some(place) = self.rules.places.get(rule)
            && !self.found.iter().any(|found| found.rule == *place && found.at == at)
        {
            self.found.push(CodeMatch { rule: *place, severity: None, at, length, detail: detail.to_owned() });
        }
    }

    /// Judges the names of packages that a command installs.
    pub fn installs(&mut self, ecosystem: Ecosystem, words: &[String], at: usize, length: usize) {
        for word in words.iter().filter(|word| !word.starts_with(['-', '.', '/', '$', '<'])).take(100) {
            let name = match ecosystem {
                Ecosystem::Python => dependencies::python(word, 0).map(|dependency| dependency.name),
                Ecosystem::JavaScript => word.split('@').next().map(|name| dependencies::fold(ecosystem, name)),
            };
            let Some(name) = name else { continue };
            if let Some(known) = dependencies::look_alike(&name, &self.rules.packages, ecosystem) {
                let detail = format!("the package `{name}` has almost the name of `{known}`");
                self.find("package.look-alike", at, length, &detail);
            }
        }
    }

    /// Judges a text that is handed to a shell as the command that it is.
    pub fn command(&mut self, command: &str, at: usize, length: usize) {
        let document = Document::new(command, Kind::Script(Language::Shell));
        for matched in self.matcher.find(&document, |_, _| Vec::new()) {
            if matched.severity >= Severity::Medium
                && !self.found.iter().any(|found| found.rule == matched.rule && found.at == at)
            {
                self.found.push(CodeMatch {
                    rule: matched.rule,
                    severity: Some(matched.severity),
                    at,
                    length,
                    detail: String::new(),
                });
            }
        }
        shell::note(command, self.capabilities);
    }
}

impl CodeRules {
    /// Finds the places of the rules.
    pub fn new(pack: &RulePack) -> Result<Self, Error> {
        let places = pack.rules.iter().enumerate().map(|(place, rule)| (rule.id.clone(), place)).collect();
        let rules = Self { places, packages: pack.packages.clone() };
        for language in [Language::Python, Language::JavaScript, Language::TypeScript, Language::Shell] {
            parser(language).ok_or_else(|| Error::Rules(format!("there is no grammar for {language:?}")))?;
        }
        Ok(rules)
    }

    /// What the shape of a region's code gives.
    pub fn examine(
        &self,
        matcher: &Matcher,
        region: &Region,
        code: &str,
        file: &str,
        facts: &mut Facts,
        capabilities: &mut Capabilities,
    ) -> Vec<CodeMatch> {
        let Some(language) = region.language else { return Vec::new() };
        let mut bench = Bench { rules: self, matcher, file, capabilities, found: Vec::new() };
        let parsed = match language {
            Language::Python | Language::JavaScript | Language::TypeScript if known::worth_parsing(code) => {
                let whole = region.start == 0;
                let tree = parse(language, code);
                tree.map(|tree| program::examine(&tree, code, language, whole, facts, &mut bench))
            }
            Language::PowerShell => {
                powershell::examine(code, &mut bench);
                Some(())
            }
            Language::Shell if known::worth_parsing_shell(code) => {
                let tree = if pipes_end(code) { parse(language, code) } else { None };
                tree.map(|tree| shell::examine(&tree, code, &mut bench))
            }
            _ => Some(()),
        };
        if parsed.is_none() {
            facts.unparsed.push(file.to_owned());
        }
        bench.found
    }
}

fn parser(language: Language) -> Option<Parser> {
    let grammar = match language {
        Language::Python => tree_sitter_python::LANGUAGE.into(),
        Language::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
        Language::TypeScript => tree_sitter_typescript::LANGUAGE_TSX.into(),
        Language::Shell => tree_sitter_bash::LANGUAGE.into(),
        _ => return None,
    };
    let mut parser = Parser::new();
    parser.set_language(&grammar).ok()?;
    Some(parser)
}

/// Commands in one pipe that the parser is asked to read: for one that has no end it needs time by the square of their number.
const LONGEST_PIPE: usize = 4_000;

/// Whether no pipe in a script is longer than the parser can bear. A pipe goes on over the end of a line that it ends.
fn pipes_end(code: &str) -> bool {
    let (mut commands, mut goes_on) = (0_usize, false);
    for byte in code.bytes() {
        match byte {
            b'|' => (commands, goes_on) = (commands.saturating_add(1), true),
            b';' | b'&' => (commands, goes_on) = (0, false),
            b'\n' if !goes_on => commands = 0,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => goes_on = false,
        }
        if commands > LONGEST_PIPE {
            return false;
        }
    }
    true
}

/// Parses with a bound on the parser's steps, so that no text holds it up; equal text gives an equal end.
fn parse(language: Language, code: &str) -> Option<Tree> {
    let mut steps = 0usize;
    let most = 20_000 + code.len() / 4;
    let mut watch = |_: &tree_sitter::ParseState| {
        steps += 1;
        if steps > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let bytes = code.as_bytes();
    let options = ParseOptions::new().progress_callback(&mut watch);
    parser(language)?.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options))
}
