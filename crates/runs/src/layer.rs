//! Read-only layers of packages, built once for each lock, outside of the run, in sandboxes that reach the registries only.

mod node;
mod python;
mod seal;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};

use kontor_sandbox::{Finished, Job, Sandbox, Shown, Work};
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
/// How the names of drafts begin.
const DRAFT: &str = "draft-";
/// Where a package tool finds what was written for it.
const GIVEN: &str = "/given";

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

    /// The layer of a lock, if it was built before and holds what was built. One that does not is removed.
    pub fn find(&self, lock: &Lock) -> Option<Layer> {
        if lock.is_empty() {
            return Some(Layer::default());
        }
        let place = self.folder.join(lock.digest().hex());
        if !is_folder(&place) {
            return None;
        }
        let part = |name: &str, is_there: bool| is_there.then(|| place.join(name));
        let layer =
            Layer { python: part("python", lock.python.is_some()), node: part("node_modules", lock.node.is_some()) };
        let parts: Vec<&Path> = layer.python.iter().chain(&layer.node).map(PathBuf::as_path).collect();
        if parts.iter().all(|folder| is_folder(folder)) && seal::holds(&place, &parts) {
            return Some(layer);
        }
        self.remove(&place);
        None
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
        let mut lock = Lock { install_scripts: building.install_scripts, ..Lock::default() };
        let mut trees = Vec::new();
        if !wanted.python.is_empty() {
            let (python, tree) = self.resolve_python(wanted, program, building, &draft).await?;
            lock.python = Some(python);
            trees.push(("python", tree));
        }
        if !wanted.node.is_empty() {
            let (node, tree) = self.resolve_node(wanted, program, building, &draft).await?;
            lock.node = Some(node);
            trees.push(("node_modules", tree));
        }
        let layer = self.keep(&lock, &draft, &trees)?;
        let parent = self.folder.join("asked");
        fs::create_dir_all(&parent).map_err(file("make", &parent))?;
        fs::write(&asked, serde_json::to_vec(&lock).unwrap_or_default()).map_err(file("write", &asked))?;
        Ok((lock, layer))
    }

    /// The layer of a lock: exactly these packages, each held to its hash. Whether programs of packages run for it was decided
    /// when it was locked.
    pub async fn build(&self, lock: &Lock, program: &Program, building: Building) -> Result<Layer, Error> {
        if let Some(layer) = self.find(lock) {
            return Ok(layer);
        }
        if lock.install_scripts && !building.install_scripts {
            let reason =
                "programs of its packages ran when they were locked, and would again; allow it with --install-scripts";
            return Err(Error::Layer { tool: "the package tool", reason: reason.to_owned() });
        }
        let building = Building { install_scripts: lock.install_scripts };
        let draft = self.draft()?;
        let mut trees = Vec::new();
        if let Some(python) = &lock.python {
            trees.push(("python", self.build_python(python, program, building, &draft).await?));
        }
        if let Some(node) = &lock.node {
            trees.push(("node_modules", self.build_node(node, program, building, &draft).await?));
        }
        self.keep(lock, &draft, &trees)
    }

    /// Takes a layer away that is not what was built; whoever looks next builds it anew from the hashes of its lock.
    fn remove(&self, place: &Path) {
        let aside = tempfile::Builder::new().prefix(DRAFT).tempdir_in(&self.folder);
        // Where it cannot be moved there is none, or it cannot be built anew either, which is said then.
        if let Ok(aside) = aside {
            let _ = fs::rename(place, aside.path().join("removed"));
        }
    }

    fn draft(&self) -> Result<Draft, Error> {
        fs::create_dir_all(&self.folder).map_err(file("make", &self.folder))?;
        sweep(&self.folder);
        let draft = tempfile::Builder::new().prefix(DRAFT).tempdir_in(&self.folder);
        Ok(Draft(draft.map_err(file("make", &self.folder))?))
    }

    /// Gives a layer its name, in one step; whoever was first has it.
    fn keep(&self, lock: &Lock, draft: &Draft, trees: &[(&str, PathBuf)]) -> Result<Layer, Error> {
        let place = self.folder.join(lock.digest().hex());
        let whole = draft.folder("layer")?;
        for (name, tree) in trees {
            fs::rename(a_folder(tree)?, whole.join(name)).map_err(file("move", tree))?;
        }
        let text = whole.join("lock.json");
        fs::write(&text, serde_json::to_vec_pretty(lock).unwrap_or_default()).map_err(file("write", &text))?;
        let parts: Vec<PathBuf> = trees.iter().map(|(name, _)| whole.join(name)).collect();
        seal::write(&whole, &parts.iter().map(PathBuf::as_path).collect::<Vec<_>>()).map_err(file("read", &whole))?;
        if let Err(error) = fs::rename(&whole, &place)
            && !is_folder(&place)
        {
            return Err(file("make", &place)(error));
        }
        self.find(lock).ok_or_else(|| Error::Layer { tool: "the package tool", reason: "it built nothing".to_owned() })
    }

    /// Runs a package tool in a folder of its own, with nothing but what the job names.
    async fn run(&self, tool: &'static str, mut job: Job, work: &Path) -> Result<Finished, Error> {
        for folder in ["home", "tmp"] {
            let path = work.join(folder);
            fs::create_dir(&path).map_err(file("make", &path))?;
        }
        job.work = Work::Folder(work.to_path_buf());
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
            () = crate::disk::over(work, MOST, MOST_FILES) => return Err(full()),
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

/// Where a layer is built. Each tool writes in a folder of its own below it, and with leave foreign programs do. What is written
/// for them stands in other folders, which they only read: nothing is written into a folder that a foreign program had, and what
/// is taken from it is a file or a folder itself, never what a link leads to.
struct Draft(tempfile::TempDir);

impl Draft {
    /// A new folder.
    fn folder(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.0.path().join(name);
        fs::create_dir(&path).map_err(file("make", &path)).map(|()| path)
    }

    /// A new folder with one file, shown at [`GIVEN`].
    fn given(&self, folder: &str, name: &str, text: &str) -> Result<Shown, Error> {
        let from = self.folder(folder)?;
        let path = from.join(name);
        fs::write(&path, text).map_err(file("write", &path))?;
        Ok(Shown { from, at: GIVEN.into() })
    }
}

/// Whether this is a folder itself, and no link to one.
fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// What a package tool has made, when it is a folder itself.
fn a_folder(path: &Path) -> Result<&Path, Error> {
    let reason = "it made no folder of packages, or put something else in its place";
    is_folder(path).then_some(path).ok_or_else(|| Error::Layer { tool: "the package tool", reason: reason.to_owned() })
}

/// Removes what was left by builds that were cut off.
fn sweep(folder: &Path) {
    let old = |path: &Path| {
        let changed = fs::symlink_metadata(path).and_then(|metadata| metadata.modified()).ok();
        changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > LONGEST * 8)
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(DRAFT) && old(&entry.path()) {
            // Whoever else removes it meanwhile does the same.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// What names a question to the package tools.
fn question(wanted: &Wanted, program: &Program, building: Building) -> Digest {
    let mut texts: Vec<&str> = wanted.python.iter().chain(&wanted.node).map(|asked| asked.text.as_str()).collect();
    texts.sort_unstable();
    let whole = format!(
        "{}\n{}\n{}\n{}\n{:?}",
        program.tag,
        building.install_scripts,
        texts.join("\n"),
        wanted.node_lock.as_deref().unwrap_or(""),
        wanted.node_hashes
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
