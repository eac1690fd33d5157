//! `kontor new`: begin a skill that is valid from its first line.

use std::fs;
use std::path::{Path, PathBuf};

use kontor_package::{Content, License, Limits, inspect};
use kontor_types::{Digest, Slug};
use serde::Serialize;

use crate::exit::{Exit, UsageError};
use crate::session::Session;
use crate::terminal::{Style, plain};

/// Begin a new skill
///
/// Makes a folder with a SKILL.md that is valid by the open format. What is not given is asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The skill's name: lower-case letters, digits and single hyphens; a path before it says where the folder goes
    path: Option<PathBuf>,
    /// What the skill does and when to use it, in one or two sentences
    #[arg(long, short, value_name = "TEXT", allow_hyphen_values = true)]
    description: Option<String>,
    /// Its licence, for example MIT or Apache-2.0
    #[arg(long, value_name = "NAME")]
    license: Option<String>,
    /// Add a kontor.toml: version, permissions, typed tools
    #[arg(long)]
    manifest: bool,
}

/// What was made, in the form of `--json`.
#[derive(Debug, Serialize)]
struct Made {
    path: String,
    name: Slug,
    files: Vec<&'static str>,
}

/// Asks for what is missing, makes the folder, and checks it as `kontor check --strict` would.
pub fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let terminal = &session.terminal;
    let missing = |what: &str| UsageError(format!("{what}; nobody can be asked here"));
    let path = args.path.or_else(|| terminal.prompt("Name (lower-case letters, digits, hyphens):").map(PathBuf::from));
    let path = path.ok_or_else(|| missing("name the skill: `kontor new NAME --description TEXT`"))?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name: Slug = name.parse().map_err(|error| wrong_name(name, &error))?;
    require_free(&path)?;
    let ask = || terminal.prompt("What does it do, and when should an agent use it?");
    let description = args.description.or_else(ask).ok_or_else(|| missing("say what it does: `--description TEXT`"))?;
    let description = checked_description(&description)?;
    let license = args.license.as_deref().map(checked_license).transpose()?;
    let mut files = vec![("SKILL.md", skill_text(&name, &description, license.as_deref()))];
    if args.manifest {
        files.push(("kontor.toml", MANIFEST.to_owned()));
    }
    prove_valid(&name, &files)?;
    write(&path, &files)?;
    let shown = path.display().to_string();
    if terminal.json {
        let files = files.iter().map(|(file, _)| *file).collect();
        terminal.json(&Made { path: shown, name, files });
        return Ok(Exit::Done);
    }
    let place = plain(&path.join("SKILL.md").display().to_string());
    terminal.data(&terminal.paint(Style::Bold, &place));
    terminal.note(&format!("Write the instructions, then `kontor check {0}` and `kontor publish {0}`.", plain(&shown)));
    Ok(Exit::Done)
}

fn wrong_name(name: &str, error: &impl std::fmt::Display) -> UsageError {
    let folded = Slug::fold(name, &Digest::of(name.as_bytes()));
    UsageError(format!("{error}; for example `{folded}`"))
}

fn checked_description(text: &str) -> Result<String, UsageError> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = text.chars().count();
    if text.is_empty() || length > 1_024 || text.chars().any(char::is_control) {
        let text = format!("the description must have 1 to 1,024 printable characters; this one has {length}");
        return Err(UsageError(text));
    }
    Ok(text)
}

fn checked_license(name: &str) -> Result<String, UsageError> {
    let license = License::read(name);
    license.spdx.ok_or_else(|| UsageError(format!("`{}` is no SPDX licence, for example MIT", plain(name))))
}

/// A SKILL.md whose description is quoted, so that any text may stand in it.
fn skill_text(name: &Slug, description: &str, license: Option<&str>) -> String {
    let quoted = description.replace('\\', "\\\\").replace('"', "\\\"");
    let license = license.map(|license| format!("license: {license}\n")).unwrap_or_default();
    let title = name.as_str().replace('-', " ");
    let name = if reads_as_text(name.as_str()) { name.to_string() } else { format!("\"{name}\"") };
    format!(
        "---\nname: {name}\ndescription: \"{quoted}\"\n{license}---\n\n# {title}\n\n\
        ## When to use this\n\nSay what a person asks for when this skill fits, and when it does not.\n\n\
        ## Steps\n\n1. Say what to look at first.\n2. Say what to do, one step a line.\n3. Say how to tell that it worked.\n\n\
        ## Examples\n\nShow one request and the answer it should get.\n"
    )
}

/// Whether YAML readers that know numbers and truth values take the name for text without quotes.
fn reads_as_text(name: &str) -> bool {
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&name);
    !word && !name.starts_with(|char: char| char.is_ascii_digit())
}

const MANIFEST: &str = "version = \"0.1.0\"\n\n# What a run may do. What is not named is not granted.\n[permissions]\n\
    network = []\nsecrets = []\nread = []\n\n[limits]\nwall = \"30s\"\nmemory = \"512MiB\"\n";

/// Nothing that `check` would find stays in a new skill.
fn prove_valid(name: &Slug, files: &[(&str, String)]) -> anyhow::Result<()> {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    let content = Content::from_files(files, &Limits::default())?;
    let inspection = inspect(&content, Some(name.as_str()));
    match inspection.findings.first() {
        None => Ok(()),
        Some(finding) => Err(UsageError(format!("{}; {}", finding.message, finding.remedy)).into()),
    }
}

/// Whoever has chosen a name that is taken is not asked for anything else first.
fn require_free(folder: &Path) -> Result<(), UsageError> {
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        return Err(UsageError(format!("{} exists already; choose another name", folder.display())));
    }
    Ok(())
}

fn write(folder: &Path, files: &[(&str, String)]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).map_err(|error| kontor_client::Error::io("make", folder, error))?;
    for (file, text) in files {
        let place = folder.join(file);
        fs::write(&place, text).map_err(|error| kontor_client::Error::io("write", &place, error))?;
    }
    Ok(())
}
