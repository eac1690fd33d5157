//! Read-only layers of packages, built once for each lock, outside of the run, in sandboxes that reach the registries only.

mod node;
mod python;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};

use kontor_sandbox::{Finished, Job, Sandbox, Work};
use kontor_types::Digest;

use crate::Error;
use crate::error::file;
use crate::lock::Lock;
use crate::program::Program;
use crate::wanted::Wanted;

/// The longest time for one package tool.
const LONGEST: std::time::Duration = std::time::Duration::from_mins(15);
/// The most memory for one package tool.
const MEMORY: u64 = 2 << 30;
/// The most bytes that a package tool may bring.
const MOST: u64 = 4 << 30;
/// Files and folders of a layer and of what is needed to build it.
const MOST_FILES: usize = 1_000_000;
/// The most that is kept of what a package tool says.
const SAID: usize = 256 << 10;

/// A folder of layers, each under the digest of its lock.
#[derive(Debug, Clone)]
pub struct Layers {
    folder: PathBuf,
    sandbox: Sandbox,
}

/// The folders of one layer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer {
    /// Packages for Python.
    pub python: Option<PathBuf>,
    /// `node_modules`.
    pub node: Option<PathBuf>,
}

/// How a layer is built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Building {
    /// Whether programs that packages bring for their own installation may run, in the sandbox of the build.
    pub install_scripts: bool,
}

impl Layers {
    /// The layers below a folder, built in these sandboxes.
    pub fn new(folder: PathBuf, sandbox: Sandbox) -> Self {
        Self { folder, sandbox }
    }

    /// The layer of a lock, if it was built before.
    pub fn find(&self, lock: &Lock) -> Option<Layer> {
        if lock.is_empty() {
            return Some(Layer::default());
        }
        let place = self.folder.join(lock.digest().hex());
        let part = |name: &str, is_there: bool| is_there.then(|| place.join(name));
        let layer =
            Layer { python: part("python", lock.python.is_some()), node: part("node_modules", lock.node.is_some()) };
        let built = layer.python.iter().chain(&layer.node).all(|folder| folder.is_dir());
        built.then_some(layer)
    }

    /// What is wanted, resolved and built; what was resolved before is taken as it was then.
    pub async fn lock(&self, wanted: &Wanted, program: &Program, building: Building) -> Result<(Lock, Layer), Error> {
        if wanted.is_empty() {
            return Ok((Lock::default(), Layer::default()));
        }
        let asked = self.folder.join("asked").join(question(wanted, program, building).hex());
        if let Some(lock) = fs::read(&asked).ok().and_then(|bytes| serde_json::from_slice::<Lock>(&bytes).ok())
            && let Some(layer) = self.find(&lock)
        {
            return Ok((lock, layer));
        }
        let draft = self.draft()?;
        let mut lock = Lock::default();
        if !wanted.python.is_empty() {
            lock.python = Some(self.resolve_python(wanted, program, building, draft.path()).await?);
        }
        if !wanted.node.is_empty() {
            lock.node = Some(self.resolve_node(wanted, program, building, draft.path()).await?);
        }
        let layer = self.keep(&lock, &draft)?;
        let parent = self.folder.join("asked");
        fs::create_dir_all(&parent).map_err(file("make", &parent))?;
        fs::write(&asked, serde_json::to_vec(&lock).unwrap_or_default()).map_err(file("write", &asked))?;
        Ok((lock, layer))
    }

    /// The layer of a lock: exactly these packages, each held to its hash.
    pub async fn build(&self, lock: &Lock, program: &Program, building: Building) -> Result<Layer, Error> {
        if let Some(layer) = self.find(lock) {
            return Ok(layer);
        }
        let draft = self.draft()?;
        if let Some(python) = &lock.python {
            self.build_python(python, program, building, draft.path()).await?;
        }
        if let Some(node) = &lock.node {
            self.build_node(node, program, building, draft.path()).await?;
        }
        self.keep(lock, &draft)
    }

    fn draft(&self) -> Result<tempfile::TempDir, Error> {
        fs::create_dir_all(&self.folder).map_err(file("make", &self.folder))?;
        let draft =
            tempfile::Builder::new().prefix("draft-").tempdir_in(&self.folder).map_err(file("make", &self.folder))?;
        for folder in ["home", "tmp"] {
            let path = draft.path().join(folder);
            fs::create_dir(&path).map_err(file("make", &path))?;
        }
        Ok(draft)
    }

    /// Gives a layer its name, in one step; whoever was first has it.
    fn keep(&self, lock: &Lock, draft: &tempfile::TempDir) -> Result<Layer, Error> {
        let place = self.folder.join(lock.digest().hex());
        let whole = draft.path().join("layer");
        fs::create_dir(&whole).map_err(file("make", &whole))?;
        for part in ["python", "node_modules"] {
            let from = draft.path().join(part);
            if from.is_dir() {
                fs::rename(&from, whole.join(part)).map_err(file("move", &from))?;
            }
        }
        let text = whole.join("lock.json");
        fs::write(&text, serde_json::to_vec_pretty(lock).unwrap_or_default()).map_err(file("write", &text))?;
        if let Err(error) = fs::rename(&whole, &place)
            && !place.is_dir()
        {
            return Err(file("make", &place)(error));
        }
        self.find(lock).ok_or_else(|| Error::Layer { tool: "the package tool", reason: "it built nothing".to_owned() })
    }

    /// Runs a package tool on a draft, with nothing but what the job names.
    async fn run(&self, tool: &'static str, mut job: Job, draft: &Path) -> Result<Finished, Error> {
        job.work = Work::Folder(draft.to_path_buf());
        job.limits.wall = LONGEST;
        job.limits.cpu = LONGEST;
        job.limits.memory = MEMORY;
        job.limits.disk = MOST;
        job.limits.open_files = 4_096;
        let environment = &mut job.permissions.environment;
        environment.set("HOME", "/work/home");
        environment.set("TMPDIR", "/work/tmp");
        let running = self.sandbox.spawn(&job).map_err(|error| Error::Sandbox { reason: error.to_string() })?;
        let full = || Error::Layer { tool, reason: format!("it takes more than {}", crate::explain::bytes(MOST)) };
        let finished = tokio::select! {
            finished = running.finish(b"", SAID) => finished.map_err(|error| Error::Sandbox { reason: error.to_string() })?,
            () = crate::disk::over(draft, MOST, MOST_FILES) => return Err(full()),
        };
        if finished.outcome.code() == 0 {
            return Ok(finished);
        }
        let refused = finished.outcome.connections.iter().find_map(|connection| {
            let reason = connection.refused.as_ref()?;
            Some(format!("; it wanted to reach {}: {reason}", connection.asked))
        });
        let said = if finished.stderr.bytes.is_empty() { &finished.stdout.bytes } else { &finished.stderr.bytes };
        let reason = format!("{}{}", last_lines(&String::from_utf8_lossy(said)), refused.unwrap_or_default());
        Err(Error::Layer { tool, reason })
    }
}

/// What names a question to the package tools.
fn question(wanted: &Wanted, program: &Program, building: Building) -> Digest {
    let mut texts: Vec<&str> = wanted.python.iter().chain(&wanted.node).map(|asked| asked.text.as_str()).collect();
    texts.sort_unstable();
    let whole = format!(
        "{}\n{}\n{}\n{}",
        program.tag,
        building.install_scripts,
        texts.join("\n"),
        wanted.node_lock.as_deref().unwrap_or("")
    );
    Digest::of(whole.as_bytes())
}

/// The end of what a program said.
fn last_lines(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let told = lines.get(lines.len().saturating_sub(4)..).unwrap_or_default().join("; ");
    let told: String = told.chars().filter(|char| !char.is_control()).take(600).collect();
    if told.is_empty() { "it said nothing".to_owned() } else { told }
}
