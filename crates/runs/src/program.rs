//! The programs of this machine that run scripts.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::Error;

/// Folders that every sandbox shows, so that what lies in them needs no grant.
const SYSTEM: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/// Node strips types by itself from here on.
const NODE_STRIPS: (u32, u32) = (22, 18);
/// From here on it does when it is asked to.
const NODE_CAN_STRIP: (u32, u32) = (22, 6);

/// What a script is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Python 3.
    Python,
    /// A shell.
    Shell,
    /// JavaScript.
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// Anything else: the program's name says it.
    Other,
}

/// A program of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What it is called.
    pub name: String,
    /// The file to start.
    pub path: PathBuf,
    /// Arguments that come before all others.
    pub arguments: Vec<String>,
    /// Its version, where it is known.
    pub version: Option<String>,
    /// Files and folders that it needs and that lie outside of the system's: its own file, and what belongs to it alone.
    pub folders: Vec<PathBuf>,
    /// What it is written for.
    pub language: Language,
    /// Names of modules that come with it.
    pub modules: BTreeSet<String>,
    /// Folders with packages of this machine, which a run does not see: it has those that its lock names.
    pub hidden: Vec<PathBuf>,
    /// For which builds of packages it is; empty where that does not matter.
    pub tag: String,
}

/// The language of a script and the program that it asks for, by its first line, else by its name.
pub fn language(path: &str, bytes: &[u8]) -> Option<(Language, String)> {
    let asked = shebang(bytes);
    let extension = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension);
    let by_name = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("py") => Some((Language::Python, "python3")),
        Some("sh" | "bash") => Some((Language::Shell, "bash")),
        Some("js" | "mjs" | "cjs") => Some((Language::JavaScript, "node")),
        Some("ts" | "mts" | "cts") => Some((Language::TypeScript, "node")),
        Some("rb") => Some((Language::Other, "ruby")),
        Some("pl") => Some((Language::Other, "perl")),
        Some("php") => Some((Language::Other, "php")),
        Some("r" | "R") => Some((Language::Other, "Rscript")),
        Some("ps1") => Some((Language::Other, "pwsh")),
        Some("zsh") => Some((Language::Shell, "zsh")),
        _ => None,
    };
    match asked {
        Some(name) => Some(named(&name, by_name.map(|(language, _)| language))),
        None => by_name.map(|(language, name)| (language, name.to_owned())),
    }
}

/// What a program's name means.
fn named(name: &str, by_name: Option<Language>) -> (Language, String) {
    let is_python = name == "python" || name == "python3" || name.starts_with("python3.");
    match name {
        // Tools that would fetch packages themselves: the layer brings those.
        "uv" | "uvx" | "pipx" => (Language::Python, "python3".to_owned()),
        _ if is_python => (Language::Python, "python3".to_owned()),
        "bash" | "sh" | "dash" | "ash" => (Language::Shell, if name == "bash" { "bash" } else { "sh" }.to_owned()),
        "zsh" | "ksh" => (Language::Shell, name.to_owned()),
        "node" | "nodejs" if by_name == Some(Language::TypeScript) => (Language::TypeScript, "node".to_owned()),
        "node" | "nodejs" => (Language::JavaScript, "node".to_owned()),
        "tsx" | "ts-node" => (Language::TypeScript, "node".to_owned()),
        other => (Language::Other, other.to_owned()),
    }
}

/// The program's name in a first line that begins with `#!`.
fn shebang(bytes: &[u8]) -> Option<String> {
    let line = bytes.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line.get(..line.len().min(200))?).ok()?.trim();
    let mut words = line.split_whitespace();
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let first = name(words.next()?);
    if first != "env" {
        return Some(first);
    }
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(name)
}

impl Program {
    /// Finds the program for a script.
    ///
    /// # Errors
    /// [`Error::NoProgram`] when it is not here, [`Error::Program`] when it is too old.
    pub fn for_script(path: &str, bytes: &[u8]) -> Result<Self, Error> {
        let unknown = || Error::Program {
            program: "nothing here".to_owned(),
            what: format!("`{path}`"),
            reason: "neither its name nor its first line says which program it is for".to_owned(),
        };
        let (language, name) = language(path, bytes).ok_or_else(unknown)?;
        Self::find(&name, language, &format!("`{path}`"))
    }

    /// What a script sees of this machine because its program needs it, for people; a user's own folder is `~`.
    pub fn shown(&self) -> Vec<String> {
        let home = env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        let name = |path: &PathBuf| match home.as_ref().and_then(|home| path.strip_prefix(home).ok()) {
            Some(below) => format!("~/{}", below.display()),
            None => path.display().to_string(),
        };
        self.folders.iter().map(name).collect()
    }

    /// Finds a program by its name, as the user's own shell would.
    pub fn find(name: &str, language: Language, wanted_by: &str) -> Result<Self, Error> {
        let missing = || Error::NoProgram { program: name.to_owned(), wanted_by: wanted_by.to_owned() };
        let found = which(name).ok_or_else(missing)?;
        let program = match language {
            Language::Python => python(&found).ok_or_else(missing)?,
            Language::JavaScript | Language::TypeScript => node(name, &found, language)?,
            Language::Shell | Language::Other => plain(name, &found, language),
        };
        Ok(program)
    }
}

fn plain(name: &str, found: &Path, language: Language) -> Program {
    let real = found.canonicalize().unwrap_or_else(|_| found.to_path_buf());
    // Never the folder that it lies in: `~/bin` and what is beside it are somebody's own.
    let folders = if is_system(&real) { Vec::new() } else { vec![real.clone()] };
    Program {
        name: name.to_owned(),
        path: if is_system(found) { found.to_path_buf() } else { real },
        arguments: Vec::new(),
        version: None,
        folders,
        language,
        modules: BTreeSet::new(),
        hidden: Vec::new(),
        tag: String::new(),
    }
}

#[derive(Deserialize)]
struct PythonSays {
    executable: PathBuf,
    prefix: PathBuf,
    library: BTreeSet<PathBuf>,
    shared: Option<PathBuf>,
    version: String,
    tag: String,
    modules: BTreeSet<String>,
    sites: Vec<PathBuf>,
}

impl PythonSays {
    /// Asks an interpreter about itself; it runs nothing but this line.
    fn of(interpreter: &Path) -> Option<Self> {
        const ASK: &str = "import os,sys,site,sysconfig,json;v=sysconfig.get_config_var;print(json.dumps({'executable':\
                           sys.executable,'prefix':sys.base_prefix,'library':[sysconfig.get_path('stdlib'),\
                           sysconfig.get_path('platstdlib')],'shared':os.path.join(v('LIBDIR') or '/',v('INSTSONAME') or ''),\
                           'version':sys.version.split()[0],'tag':sys.implementation.cache_tag+' '+\
                           sysconfig.get_platform(),'modules':sorted(getattr(sys,'stdlib_module_names',())),\
                           'sites':site.getsitepackages()}))";
        let said = ask(Command::new(interpreter).args(["-I", "-c", ASK]))?;
        serde_json::from_str(said.trim()).ok()
    }

    /// What it needs of this machine beside the system's folders. The folder that it was installed in is often shared with much
    /// that is none of a script's business, so of that at most `lib` is shown.
    fn folders(&self, executable: &Path) -> Vec<PathBuf> {
        let mut folders = vec![executable.to_path_buf()];
        folders.extend(self.library.iter().cloned());
        folders.extend(self.shared.iter().filter(|shared| shared.is_file()).cloned());
        if is_of_its_own(&self.prefix) {
            folders.push(self.prefix.join("lib"));
        }
        let mut seen = BTreeSet::new();
        folders.retain(|path| path.exists() && !is_system(path) && seen.insert(path.clone()));
        let every = folders.clone();
        folders.retain(|path| !every.iter().any(|other| other != path && path.starts_with(other)));
        folders
    }
}

fn python(found: &Path) -> Option<Program> {
    // What was found may be a virtual environment's, whose packages are not the machine's: a run starts the interpreter behind
    // it, so that one is asked what belongs to it.
    let executable = PythonSays::of(found)?.executable.canonicalize().ok()?;
    let says = PythonSays::of(&executable)?;
    let folders = says.folders(&executable);
    Some(Program {
        name: "python3".to_owned(),
        path: executable,
        arguments: Vec::new(),
        version: Some(says.version),
        folders,
        language: Language::Python,
        modules: says.modules,
        hidden: says.sites.into_iter().filter(|folder| folder.is_dir()).collect(),
        tag: says.tag,
    })
}

fn node(name: &str, found: &Path, language: Language) -> Result<Program, Error> {
    let real = found.canonicalize().unwrap_or_else(|_| found.to_path_buf());
    let version = ask(Command::new(&real).arg("--version")).map(|said| said.trim().trim_start_matches('v').to_owned());
    let mut program = Program { version, tag: "node".to_owned(), ..plain(name, &real, language) };
    // Some builds have most of it in a library beside their `bin`.
    if let Some(library) = real.parent().and_then(Path::parent).filter(|_| !is_system(&real)).map(|at| at.join("lib")) {
        let entries = fs::read_dir(library).into_iter().flatten().flatten();
        let is_its = |path: &PathBuf| {
            path.is_file() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libnode.so"))
        };
        program.folders.extend(entries.map(|entry| entry.path()).filter(is_its));
    }
    if language == Language::TypeScript {
        let mut numbers = program.version.as_deref().unwrap_or("0").split('.').map(|part| part.parse().unwrap_or(0));
        let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if version < NODE_CAN_STRIP {
            return Err(Error::Program {
                program: format!("node {}", program.version.as_deref().unwrap_or("of an unknown version")),
                what: "TypeScript".to_owned(),
                reason: "it runs TypeScript from version 22.6 on; install a newer one".to_owned(),
            });
        }
        if version < NODE_STRIPS {
            program.arguments = vec!["--experimental-strip-types".to_owned(), "--no-warnings".to_owned()];
        }
    }
    Ok(program)
}

/// The first file of this name that can be started, in the user's search path.
pub fn which(name: &str) -> Option<PathBuf> {
    if name.is_empty() || name.contains('/') {
        return None;
    }
    let starts = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    env::split_paths(&env::var_os("PATH")?)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(starts)
}

/// Whether every sandbox shows this path.
pub fn is_system(path: &Path) -> bool {
    SYSTEM.iter().any(|folder| path.starts_with(folder))
}

/// Whether a program that was installed in this folder has it for itself: not when it is the user's own folder, holds it, or is
/// the one that all of a user's programs share.
pub(crate) fn is_of_its_own(prefix: &Path) -> bool {
    let Some(home) = env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute()) else { return false };
    let home = home.canonicalize().unwrap_or(home);
    let prefix = prefix.canonicalize().unwrap_or_else(|_| prefix.to_path_buf());
    !home.starts_with(&prefix) && prefix != home.join(".local")
}

/// What one of the user's programs answers. It is asked from the root folder: many programs take modules and settings from the
/// folder that they are started in, and in that may be what somebody else wrote.
pub(crate) fn ask(command: &mut Command) -> Option<String> {
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KONTOR_")) {
        command.env_remove(name);
    }
    // Programs that choose among versions look here first.
    command.env_remove("PWD").env_remove("OLDPWD").env_remove("PYENV_DIR");
    let output = command.current_dir("/").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
