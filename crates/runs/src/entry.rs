//! What of a skill is run, as a command inside the sandbox.

use std::ffi::OsString;

use kontor_package::{Content, MANIFEST_FILE, Manifest, Tool};
use kontor_sandbox::SKILL;

use crate::Error;
use crate::program::{Language, Program, language};

/// A script of a skill, or a tool that its manifest declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The script at this path.
    Script(String),
    /// This tool.
    Tool(Tool),
}

impl Entry {
    /// The script at `path`.
    ///
    /// # Errors
    /// [`Error::NoScript`] with the scripts there are.
    pub fn script(content: &Content, path: &str) -> Result<Self, Error> {
        let path = path.trim_start_matches("./");
        if content.get(path).is_some() {
            return Ok(Self::Script(path.to_owned()));
        }
        Err(Error::NoScript { path: path.to_owned(), known: scripts(content) })
    }

    /// The tool of this name.
    ///
    /// # Errors
    /// [`Error::NoTool`] with the tools there are.
    pub fn tool(manifest: &Manifest, name: &str) -> Result<Self, Error> {
        let found = manifest.tools.iter().find(|tool| tool.name == name);
        let known = || manifest.tools.iter().map(|tool| tool.name.clone()).collect();
        found.cloned().map(Self::Tool).ok_or_else(|| Error::NoTool { name: name.to_owned(), known: known() })
    }

    /// The script's path or the tool's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Script(path) => path,
            Self::Tool(tool) => &tool.name,
        }
    }

    /// Whether it is a typed tool.
    pub const fn is_tool(&self) -> bool {
        matches!(self, Self::Tool(_))
    }

    /// The script that is started, where it is one of the skill.
    pub fn file<'e>(&'e self, content: &Content) -> Option<&'e str> {
        match self {
            Self::Script(path) => Some(path),
            Self::Tool(tool) => tool.command.iter().map(|word| plain(word)).find(|word| content.get(word).is_some()),
        }
    }

    /// Whether a run sees this file of the skill, where its manifest names what it reads: that, the skill's own texts, and the
    /// folder of the program with what lies below it.
    pub fn shows(&self, content: &Content, read: &[String], path: &str) -> bool {
        if read.is_empty() || ["SKILL.md", MANIFEST_FILE].contains(&path) {
            return true;
        }
        let named = |entry: &String| path == entry.as_str() || (entry.ends_with('/') && path.starts_with(entry));
        let beside = |file: &str| match file.rsplit_once('/') {
            Some((folder, _)) => path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
            None => !path.contains('/'),
        };
        let schema = |tool: &Tool| [&tool.input, &tool.output].into_iter().flatten().any(|schema| schema == path);
        read.iter().any(named)
            || self.file(content).is_some_and(beside)
            || matches!(self, Self::Tool(tool) if schema(tool))
    }

    /// Finds the program that runs it.
    pub fn program(&self, content: &Content) -> Result<Program, Error> {
        match self {
            Self::Script(path) => Program::for_script(path, content.get(path).unwrap_or_default()),
            Self::Tool(tool) => {
                let first = tool.command.first().map_or("", |word| plain(word));
                if let Some(bytes) = content.get(first) {
                    return Program::for_script(first, bytes);
                }
                let shebang = format!("#!{first}\n");
                let (language, name) = language("", shebang.as_bytes()).unwrap_or((Language::Other, first.to_owned()));
                Program::find(&name, language, &format!("the tool `{}`", tool.name))
            }
        }
    }

    /// The command inside: the skill stands at its own place, and words that name its files lead there.
    pub fn command(&self, content: &Content, program: &Program, arguments: &[OsString]) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![program.path.clone().into()];
        words.extend(program.arguments.iter().map(OsString::from));
        let inside = |word: &str| OsString::from(format!("{SKILL}/{}", plain(word)));
        match self {
            Self::Script(path) => words.push(inside(path)),
            Self::Tool(tool) => {
                let own = tool.command.first().is_some_and(|word| content.get(plain(word)).is_some());
                let skipped = usize::from(!own);
                words.extend(
                    tool.command.iter().skip(skipped).map(|word| {
                        if content.get(plain(word)).is_some() { inside(word) } else { OsString::from(word) }
                    }),
                );
            }
        }
        words.extend(arguments.iter().cloned());
        words
    }
}

fn plain(word: &str) -> &str {
    word.trim_start_matches("./")
}

/// The files of a skill that are scripts, by path.
pub fn scripts(content: &Content) -> Vec<String> {
    let script = |(path, bytes): (&str, &[u8])| {
        let known =
            matches!(language(path, bytes), Some((known, _)) if known != Language::Other || bytes.starts_with(b"#!"));
        known.then(|| path.to_owned())
    };
    content.files().filter_map(script).collect()
}
