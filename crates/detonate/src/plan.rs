//! What of a skill is started, and how.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kontor_package::{Content, MANIFEST_FILE, Manifest};
use kontor_runs::{Language, Program, language, scripts};
use kontor_scan::Unexamined;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use serde_json::Value;

use crate::Budget;
use crate::home::{HOME, PROJECT};
use crate::later;

/// Blocks of commands that are run of the instructions.
const BLOCKS: usize = 6;
/// The longest block, and the longest sample of an input.
const LONGEST: usize = 16 << 10;
const LONGEST_INPUT: usize = 1 << 20;

/// One start of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The command line for people.
    pub shown: String,
    /// The program and its arguments.
    pub words: Vec<String>,
    /// The folder in which it begins, inside.
    pub directory: String,
    /// What it reads on its standard input.
    pub input: Vec<u8>,
    /// Whether it is told a later date.
    pub late: bool,
}

/// A file of a skill with its starts, one after the other in the same home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The file.
    pub file: String,
    /// The starts.
    pub starts: Vec<Start>,
    /// Folders that the program needs and that lie outside of the system's.
    pub folders: Vec<PathBuf>,
    /// Folders for programs.
    pub path: Vec<PathBuf>,
}

/// All that is started, and what is not and why.
#[derive(Debug, Default)]
pub struct Plan {
    /// Files with their starts.
    pub scripts: Vec<Script>,
    /// What is not started.
    pub not_run: Vec<Unexamined>,
}

impl Plan {
    /// Makes it; `skill` is the folder of the skill below the home.
    pub fn of(content: &Content, skill: &str, budget: &Budget) -> Self {
        let mut maker = Maker {
            content,
            skill: format!("{HOME}/{skill}"),
            found: BTreeMap::new(),
            plan: Self::default(),
            asks_for_the_date: later::is_asked(content),
        };
        maker.scripts();
        maker.tools();
        maker.hooks();
        maker.blocks();
        let mut plan = maker.plan;
        if plan.scripts.len() > budget.scripts {
            let reason = format!("not run: only {} scripts and commands of a skill are", budget.scripts);
            let beyond = plan.scripts.split_off(budget.scripts);
            plan.not_run.extend(beyond.into_iter().map(|one| Unexamined { file: one.file, reason: reason.clone() }));
        }
        plan
    }
}

struct Maker<'c> {
    content: &'c Content,
    skill: String,
    found: BTreeMap<String, Result<Program, String>>,
    plan: Plan,
    asks_for_the_date: bool,
}

impl Maker<'_> {
    /// Everything that is a script by its name or its first line, compiled Python too.
    fn scripts(&mut self) {
        let mut files = scripts(self.content);
        files.extend(
            self.content.files().map(|(path, _)| path).filter(|path| is_packed_python(path)).map(str::to_owned),
        );
        for file in files {
            if file.ends_with(".d.ts") {
                continue;
            }
            let bytes = self.content.get(&file).unwrap_or_default();
            let asked = if is_packed_python(&file) {
                Some((Language::Python, "python3".to_owned()))
            } else {
                language(&file, bytes)
            };
            let Some((language, name)) = asked else { continue };
            let inside = format!("{}/{file}", self.skill);
            let arguments: &[&[&str]] = if file.ends_with("setup.py") {
                // Once more at the end: some do their work at the second time only.
                &[&["egg_info"], &["--help"], &[]]
            } else {
                &[&["--help"], &[], &[]]
            };
            let lines = arguments.iter().map(|arguments| {
                let mut words = vec![inside.clone()];
                words.extend(arguments.iter().map(|word| (*word).to_owned()));
                (words, Vec::new())
            });
            let lines = lines.collect();
            self.add(&file, language, &name, lines, false);
        }
        let native = self.content.files().filter(|(_, bytes)| bytes.starts_with(b"\x7fELF"));
        let reason = "not run: compiled programs are judged by what they are".to_owned();
        let native: Vec<_> =
            native.map(|(path, _)| Unexamined { file: path.to_owned(), reason: reason.clone() }).collect();
        self.plan.not_run.extend(native);
    }

    /// Tools of the manifest, with the first examples that are named after them.
    fn tools(&mut self) {
        let text = self.content.get(MANIFEST_FILE).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let Some(manifest) = text.and_then(|text| Manifest::read(text).0) else { return };
        for tool in manifest.tools {
            let Some(first) = tool.command.first() else { continue };
            let own = self.content.get(first.trim_start_matches("./"));
            let asked = own.and_then(|bytes| language(first, bytes));
            let (language, name) = asked.unwrap_or((Language::Other, first.clone()));
            let skipped = usize::from(own.is_none());
            let words: Vec<String> = tool.command.iter().skip(skipped).map(|word| self.inside(word)).collect();
            let examples = self.content.files().filter(|(path, bytes)| {
                let name = path.rsplit('/').next().unwrap_or(path);
                name.starts_with(&tool.name) && name.ends_with(".in.json") && bytes.len() <= LONGEST_INPUT
            });
            let mut lines: Vec<_> = examples.take(2).map(|(_, bytes)| (words.clone(), bytes.to_vec())).collect();
            if lines.is_empty() {
                lines.push((words, b"{}\n".to_vec()));
            }
            let file = tool.command.iter().map(|word| word.trim_start_matches("./"));
            let file =
                file.into_iter().find(|word| self.content.get(word).is_some()).unwrap_or(MANIFEST_FILE).to_owned();
            self.add(&file, language, &name, lines, true);
        }
    }

    /// What package managers run by themselves.
    fn hooks(&mut self) {
        let packages: Vec<String> = self
            .content
            .files()
            .map(|(path, _)| path)
            .filter(|path| path.rsplit('/').next() == Some("package.json"))
            .map(str::to_owned)
            .collect();
        for file in packages {
            let parsed = serde_json::from_slice::<Value>(self.content.get(&file).unwrap_or_default());
            let Ok(package) = parsed else { continue };
            for name in ["preinstall", "install", "postinstall", "prepare"] {
                if let Some(command) = package["scripts"][name].as_str().filter(|text| text.len() <= LONGEST) {
                    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
                    let directory = format!("{}/{folder}", self.skill);
                    self.command(&file, command, directory.trim_end_matches('/'));
                }
            }
        }
    }

    /// Commands that the instructions tell to run, where they name a file of the skill.
    fn blocks(&mut self) {
        let Some(file) = self.content.skill_file().map(str::to_owned) else { return };
        let text = String::from_utf8_lossy(self.content.get(&file).unwrap_or_default()).into_owned();
        let own: Vec<String> =
            self.content.files().map(|(path, _)| path.to_owned()).filter(|path| *path != file).collect();
        let named = |block: &String| block.len() <= LONGEST && own.iter().any(|path| block.contains(path.as_str()));
        let blocks: Vec<String> = shell_blocks(&text).into_iter().filter(named).collect();
        if blocks.len() > BLOCKS {
            let reason = format!("not run: {} more blocks of commands", blocks.len() - BLOCKS);
            self.plan.not_run.push(Unexamined { file: file.clone(), reason });
        }
        for block in blocks.into_iter().take(BLOCKS) {
            let directory = self.skill.clone();
            self.command(&file, &block, &directory);
        }
    }

    fn command(&mut self, file: &str, command: &str, directory: &str) {
        let words = vec!["-c".to_owned(), command.to_owned()];
        self.add(file, Language::Shell, "bash", vec![(words, Vec::new())], false);
        for start in self.plan.scripts.last_mut().into_iter().flat_map(|script| &mut script.starts) {
            directory.clone_into(&mut start.directory);
        }
    }

    fn inside(&self, word: &str) -> String {
        let plain = word.trim_start_matches("./");
        if self.content.get(plain).is_some() { format!("{}/{plain}", self.skill) } else { word.to_owned() }
    }

    fn add(&mut self, file: &str, language: Language, name: &str, lines: Vec<(Vec<String>, Vec<u8>)>, tool: bool) {
        let found = self
            .found
            .entry(format!("{language:?} {name}"))
            .or_insert_with(|| Program::find(name, language, &format!("`{file}`")).map_err(|error| error.to_string()));
        let program = match found {
            Ok(program) => program.clone(),
            Err(reason) => {
                let reason = format!("not run: {reason}");
                self.plan.not_run.push(Unexamined { file: file.to_owned(), reason });
                return;
            }
        };
        let starts = lines.into_iter().map(|(words, input)| {
            let short: Vec<&str> = words.iter().map(|word| word.strip_prefix(&self.skill).unwrap_or(word)).collect();
            let note = if tool { " < example" } else { "" };
            let shown =
                format!("{} {}{note}", program.name, short.join(" ").replace('\n', " ; ").trim_start_matches('/'));
            let mut all = vec![program.path.display().to_string()];
            all.extend(program.arguments.iter().cloned());
            all.extend(words);
            Start {
                shown: shown.chars().take(160).collect(),
                words: all,
                directory: format!("{HOME}/{PROJECT}"),
                input,
                late: false,
            }
        });
        let path = program.path.parent().map(PathBuf::from).into_iter().collect();
        let mut starts: Vec<Start> = starts.collect();
        if self.asks_for_the_date
            && let Some(last) = starts.last().cloned()
        {
            starts.push(Start { shown: format!("{}{}", last.shown, later::NOTE), late: true, ..last });
        }
        self.plan.scripts.push(Script { file: file.to_owned(), starts, folders: program.folders, path });
    }
}

/// Whether a file is compiled Python or an archive of it, by its name.
fn is_packed_python(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["pyc", "pyz"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The blocks of shell commands in a text.
fn shell_blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(word))) => {
                let word = word.split([' ', ',', '{']).next().unwrap_or_default().to_ascii_lowercase();
                let shell = ["sh", "bash", "shell", "zsh", "console", "shell-session", "terminal"];
                open = shell.contains(&word.as_str()).then(String::new);
            }
            Event::Text(part) => {
                if let Some(block) = &mut open {
                    block.push_str(&part);
                }
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            _ => {}
        }
    }
    // What a prompt stands before is the command, and what stands under it is its answer.
    blocks
        .into_iter()
        .map(|block| {
            let prompts: Vec<&str> = block.lines().filter_map(|line| line.trim_start().strip_prefix("$ ")).collect();
            if prompts.is_empty() { block } else { prompts.join("\n") }
        })
        .collect()
}
