//! One run: from an order to a signed receipt.

mod end;
mod streams;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kontor_crypto::{Envelope, SigningKey};
use kontor_package::Content;
use kontor_sandbox::{Job, Outcome, Sandbox, Shown, Tier, Work};
use kontor_types::{Clock, Digest, RunId};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::Error;
use crate::disk;
use crate::entry::Entry;
use crate::error::file;
use crate::layer::Layer;
use crate::lock::Lock;
use crate::outputs::{Gathered, bring, gather, lay_out};
use crate::permissions::Granted;
use crate::program::Program;
use crate::receipt::{
    Connection, ConnectionTotal, Decision, DependencyLayers, ExitFact, OverlayRef, RanEntry, RanSkill, Receipt, Runner,
    Salts, Sealed, UsedPermissions,
};
use crate::redact::Redactor;
use crate::schema::Schema;

pub use streams::{Said, Stream, Watch};

use end::End;

/// Where a layer of Python packages stands inside.
const PYTHON_LAYER: &str = "/layer/python";
/// Where Node looks for packages of whatever stands below the root.
const NODE_LAYER: &str = "/node_modules";
/// The largest input of a tool.
pub const LARGEST_INPUT: usize = 16 << 20;

/// Everything that one run is given.
#[derive(Debug)]
pub struct Order<'o> {
    /// The skill's name and digest, and where it is from.
    pub skill: RanSkill,
    /// Its files.
    pub content: &'o Content,
    /// What of it is run.
    pub entry: Entry,
    /// The program that runs it.
    pub program: Program,
    /// What the caller says behind `--`.
    pub arguments: Vec<OsString>,
    /// What it reads on its standard input.
    pub input: Vec<u8>,
    /// Files of the caller that are copied into its work folder.
    pub files: Vec<PathBuf>,
    /// Where to put what it leaves in its work folder.
    pub out: Option<PathBuf>,
    /// What it may do.
    pub granted: Granted,
    /// Values of the secrets that were granted.
    pub secrets: BTreeMap<String, Zeroizing<String>>,
    /// The packages that it has.
    pub lock: Lock,
    /// Where they are.
    pub layer: Layer,
    /// Who let it run.
    pub decision: Decision,
    /// The overlay in force.
    pub overlay: Option<OverlayRef>,
    /// Who runs it.
    pub runner: Runner,
    /// How much of the sandbox holds it.
    pub tier: Tier,
    /// Whether it may run although the machine lacks a part of the sandbox.
    pub accept_weaker: bool,
}

/// What came of a run.
#[derive(Debug)]
pub struct Finished {
    /// What is said of it.
    pub receipt: Receipt,
    /// The same, signed.
    pub envelope: Envelope,
    /// What opens its salted digests.
    pub salts: Salts,
    /// What it said on its standard output, without secrets.
    pub stdout: Said,
    /// What it said beside that, without secrets.
    pub stderr: Said,
    /// The answer of a typed tool that fits its schema.
    pub answer: Option<Value>,
    /// Why an answer does not fit.
    pub problems: Vec<String>,
}

/// What a run needs of its surroundings.
pub struct Host<'h> {
    /// Makes sandboxes.
    pub sandbox: &'h Sandbox,
    /// Tells the time.
    pub clock: &'h dyn Clock,
    /// Signs receipts.
    pub key: &'h SigningKey,
}

/// What somebody who runs for others knows of a run before it begins.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// What the run is called; a new name unless given.
    pub id: Option<RunId>,
    /// Which attempt it is, where one may be cut off and made again.
    pub attempt: Option<u32>,
    /// Where the folders of the run are made; among the system's temporary files unless given.
    pub room: Option<PathBuf>,
    /// Ends the program early.
    pub stop: CancellationToken,
}

/// Runs an order to its end. Nothing is run when anything that was asked for cannot be given.
///
/// # Errors
/// Whatever keeps the run from beginning; a program that fails is no error, its receipt says so.
pub async fn run(order: Order<'_>, host: &Host<'_>, watch: &dyn Watch) -> Result<Finished, Error> {
    run_in(order, host, watch, &Frame::default()).await
}

/// The same, for somebody who runs for others.
///
/// # Errors
/// As [`run`].
pub async fn run_in(order: Order<'_>, host: &Host<'_>, watch: &dyn Watch, frame: &Frame) -> Result<Finished, Error> {
    let schemas = Schemas::of(&order)?;
    if order.input.len() > LARGEST_INPUT {
        return Err(Error::InputFile { name: "the input".to_owned(), reason: "it is larger than 16 MiB" });
    }
    let redactor = Redactor::new(order.secrets.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    let mut salts = Salts::default();
    let mut room = Room::new(&order, frame)?;
    let (given, inputs) = seal_inputs(&order, &room, &mut salts)?;
    room.given = disk::used(&room.work, disk::MOST_FILES).unwrap_or_default();
    let job = job(&order, &room)?;
    let started_at = host.clock.now();
    let begun = Instant::now();
    let (end, stdout, stderr) =
        streams::perform(host.sandbox, &job, order.input.as_slice(), &redactor, watch, &frame.stop).await?;
    let wall_ms = milliseconds(begun.elapsed());
    let ended_at = host.clock.now();
    let full = end.is_cancelled() && room.is_full(order.granted.disk);
    // It ran: whatever cannot be collected is said in a receipt, and is no reason to have none.
    let gathered = gather(&room.work, &given, order.out.as_deref(), &redactor).unwrap_or_else(|error| Gathered {
        left: vec![("the work folder".to_owned(), error.to_string())],
        ..Gathered::default()
    });
    let mut exit = end.exit();
    if full {
        "disk_limit".clone_into(&mut exit.outcome);
    }
    let (answer, problems) = schemas.judge(&stdout, &mut exit);
    let mut outputs = vec![seal_stream(&mut salts, "stdout", &stdout), seal_stream(&mut salts, "stderr", &stderr)];
    outputs.extend(gathered.files.iter().map(|one| salts.seal("out", &told(&one.path), one.size, &one.digest)));
    let mut alarms: BTreeSet<_> = stdout.alarms.iter().chain(&stderr.alarms).chain(&gathered.alarms).cloned().collect();
    let mut clean = |text: &str| {
        let (text, found) = redactor.text("a connection", text);
        alarms.extend(found);
        text
    };
    let connections = end.connections(&mut clean);
    let (totals, listed) = end.totals(&mut clean);
    let network_used = used(&connections, &totals);
    let receipt = Receipt {
        run: frame.id.unwrap_or_else(|| RunId::new(started_at)),
        attempt: frame.attempt,
        entry: RanEntry {
            name: order.entry.name().to_owned(),
            tool: order.entry.is_tool(),
            program: order.program.name.clone(),
            program_version: order.program.version.clone(),
            arguments: order.arguments.len(),
        },
        started_at,
        ended_at,
        permissions: UsedPermissions { network_used, granted: order.granted },
        dependencies: DependencyLayers::of(&order.lock),
        inputs,
        outputs,
        left_behind: end.left_behind(&stdout, &stderr, gathered),
        resources: end.resources(wall_ms),
        exit,
        connections,
        connection_totals: if listed { Vec::new() } else { totals },
        alarms: alarms.into_iter().collect(),
        sandbox: end.sandbox(&order.program, order.tier),
        skill: order.skill,
        runner: order.runner,
        decision: order.decision,
        overlay: order.overlay,
    };
    let envelope = receipt.sign(host.key)?;
    Ok(Finished { receipt, envelope, salts, stdout, stderr, answer, problems })
}

/// Runs a script with nothing granted and nothing given but arguments, to see what it would need.
pub async fn observe(
    content: &Content,
    entry: &Entry,
    program: &Program,
    layer: &Layer,
    arguments: &[OsString],
    (wall, tier): (Duration, Tier),
    sandbox: &Sandbox,
) -> Result<(Outcome, Said, Said), Error> {
    let skill = tempfile::tempdir().map_err(file("make", Path::new("a folder for the skill")))?;
    lay_out(content, skill.path(), |_| true)?;
    let empty = tempfile::tempdir().map_err(file("make", Path::new("an empty folder")))?;
    let mut job = Job::new(entry.command(content, program, arguments));
    job.tier = tier;
    job.skill = Some(skill.path().to_path_buf());
    job.limits.wall = wall;
    job.limits.cpu = wall;
    furnish(&mut job, program, layer, empty.path())?;
    let redactor = Redactor::new([])?;
    let (end, stdout, stderr) = streams::perform(sandbox, &job, b"", &redactor, &(), &CancellationToken::new()).await?;
    match end {
        End::Told(outcome) => Ok((*outcome, stdout, stderr)),
        End::Lost(reason) => Err(Error::Sandbox { reason }),
    }
}

/// The schemas of a tool.
struct Schemas {
    output: Option<Schema>,
}

impl Schemas {
    /// Reads both, and holds the input to its own.
    fn of(order: &Order<'_>) -> Result<Self, Error> {
        let Entry::Tool(tool) = &order.entry else { return Ok(Self { output: None }) };
        if let Some(path) = &tool.input {
            let schema = Schema::of(order.content, path)?;
            let broken = |reason: String| Error::Input { schema: path.clone(), problems: vec![reason] };
            let input: Value =
                serde_json::from_slice(&order.input).map_err(|error| broken(format!("it is no JSON: {error}")))?;
            schema.check(&input)?;
        }
        let output = tool.output.as_ref().map(|path| Schema::of(order.content, path)).transpose()?;
        Ok(Self { output })
    }

    /// The answer, if it fits; a program that failed owes none.
    fn judge(&self, stdout: &Said, exit: &mut ExitFact) -> (Option<Value>, Vec<String>) {
        let Some(schema) = &self.output else { return (None, Vec::new()) };
        let answer: Result<Value, _> = serde_json::from_slice(&stdout.bytes);
        let problems = match &answer {
            Ok(answer) => schema.problems(answer),
            Err(error) => vec![format!("it is no JSON: {error}")],
        };
        if problems.is_empty() {
            return (answer.ok(), problems);
        }
        if exit.outcome == "done" {
            "output_refused".clone_into(&mut exit.outcome);
            return (None, problems);
        }
        (None, Vec::new())
    }
}

/// Folders that live as long as the run.
struct Room {
    skill: PathBuf,
    work: PathBuf,
    empty: PathBuf,
    given: u64,
    _whole: tempfile::TempDir,
}

impl Room {
    fn new(order: &Order<'_>, frame: &Frame) -> Result<Self, Error> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("kontor-run-");
        let whole = match &frame.room {
            Some(parent) => builder.tempdir_in(parent),
            None => builder.tempdir(),
        };
        let whole = whole.map_err(file("make", Path::new("a folder for the run")))?;
        let make = |name: &str| {
            let path = whole.path().join(name);
            std::fs::create_dir(&path).map_err(file("make", &path)).map(|()| path)
        };
        let room = Self { skill: make("skill")?, work: make("work")?, empty: make("empty")?, given: 0, _whole: whole };
        let shown = |path: &str| order.entry.shows(order.content, &order.granted.read, path);
        lay_out(order.content, &room.skill, shown)?;
        Ok(room)
    }

    /// Whether more was added to the work folder than may be.
    fn is_full(&self, most: u64) -> bool {
        disk::is_over(&self.work, self.given.saturating_add(most), disk::MOST_FILES)
    }
}

fn seal_inputs(
    order: &Order<'_>,
    room: &Room,
    salts: &mut Salts,
) -> Result<(BTreeMap<String, Digest>, Vec<Sealed>), Error> {
    let mut given = BTreeMap::new();
    let mut inputs = Vec::new();
    if !order.arguments.is_empty() {
        let joined = order.arguments.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join("\0");
        inputs.push(salts.seal("in", "arguments", joined.len() as u64, &Digest::of(joined.as_bytes())));
    }
    if !order.input.is_empty() {
        inputs.push(salts.seal("in", "input", order.input.len() as u64, &Digest::of(&order.input)));
    }
    for source in &order.files {
        let brought = bring(source, &room.work)?;
        inputs.push(salts.seal("in", &told(&brought.path), brought.size, &brought.digest));
        given.insert(brought.path, brought.digest);
    }
    Ok((given, inputs))
}

fn job(order: &Order<'_>, room: &Room) -> Result<Job, Error> {
    let mut job = Job::new(order.entry.command(order.content, &order.program, &order.arguments));
    job.skill = Some(room.skill.clone());
    job.work = Work::Folder(room.work.clone());
    job.accept_weaker = order.accept_weaker;
    job.tier = order.tier;
    job.limits.wall = Duration::from_millis(order.granted.wall_ms);
    // As many processors as there are may work for the whole time.
    let processors = std::thread::available_parallelism().map_or(2, |count| u32::try_from(count.get()).unwrap_or(2));
    job.limits.cpu = job.limits.wall.saturating_mul(processors.max(2));
    job.limits.memory = order.granted.memory;
    job.limits.disk = order.granted.disk;
    for grant in &order.granted.network {
        let refused = |reason: String| Error::Sandbox { reason: format!("{grant} cannot be granted: {reason}") };
        if grant.host().starts_with("*.") {
            return Err(refused("grant the hosts below it by name, with --allow-net".to_owned()));
        }
        let destination =
            grant.to_string().parse().map_err(|error: kontor_sandbox::DestinationError| refused(error.to_string()))?;
        job.permissions.network.push(destination);
    }
    furnish(&mut job, &order.program, &order.layer, &room.empty)?;
    for (name, value) in &order.secrets {
        job.permissions.environment.set(name, value.as_str());
    }
    Ok(job)
}

/// What every run has beside the skill: the program, the packages of its lock and none of the machine's. Without a root of its
/// own everything stands where it stands outside, so packages of the machine cannot be covered, and Node's have no place.
fn furnish(job: &mut Job, program: &Program, layer: &Layer, empty: &Path) -> Result<(), Error> {
    let own_root = job.tier != Tier::Landlock;
    let read = &mut job.permissions.read;
    read.extend(program.folders.iter().map(|folder| Shown::in_place(folder)));
    if own_root {
        read.extend(program.hidden.iter().map(|folder| Shown { from: empty.to_path_buf(), at: folder.clone() }));
    }
    let environment = &mut job.permissions.environment;
    let mut path = Vec::new();
    if let Some(folder) = program.path.parent() {
        path.push(folder.display().to_string());
    }
    if let Some(python) = &layer.python {
        let at = if own_root { Path::new(PYTHON_LAYER) } else { python.as_path() };
        read.push(Shown { from: python.clone(), at: at.to_owned() });
        environment.set("PYTHONPATH", at.display().to_string());
        path.push(at.join("bin").display().to_string());
    }
    if let Some(node) = &layer.node {
        if !own_root {
            let reason =
                "packages of Node have no place in the tier `landlock`; run it in the full sandbox, or on a hub";
            return Err(Error::Sandbox { reason: reason.to_owned() });
        }
        read.push(Shown { from: node.clone(), at: NODE_LAYER.into() });
        path.push(format!("{NODE_LAYER}/.bin"));
    }
    path.extend(["/usr/local/bin", "/usr/bin", "/bin"].map(str::to_owned));
    let mut seen = BTreeSet::new();
    path.retain(|folder| seen.insert(folder.clone()));
    environment.set("PATH", path.join(":"));
    environment.set("PYTHONDONTWRITEBYTECODE", "1");
    environment.set("PYTHONUNBUFFERED", "1");
    Ok(())
}

/// What was kept of a stream: that is what somebody can hold against a receipt.
fn seal_stream(salts: &mut Salts, name: &str, said: &Said) -> Sealed {
    salts.seal("out", name, said.bytes.len() as u64, &Digest::of(&said.bytes))
}

/// A file's name in a receipt, which is none of those that mean something else there.
fn told(path: &str) -> String {
    if ["arguments", "input", "stdout", "stderr"].contains(&path) { format!("./{path}") } else { path.to_owned() }
}

/// What was reached, also by connections that are not listed.
fn used(connections: &[Connection], totals: &[ConnectionTotal]) -> Vec<String> {
    let granted = connections.iter().filter(|connection| connection.decision == "granted");
    let listed = granted.map(|connection| format!("{}:{}", connection.host, connection.port));
    let counted = totals.iter().filter(|total| total.decision == "granted" && !total.destination.is_empty());
    let names: BTreeSet<String> = listed.chain(counted.map(|total| total.destination.clone())).collect();
    names.into_iter().collect()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
