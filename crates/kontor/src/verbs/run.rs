//! `kontor run`: a script or a tool of a skill, in a sandbox, with what was confirmed for it, and a receipt.

mod consent;
mod describe;
pub mod remote;
mod show;
mod target;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kontor_client::Error as ClientError;
use kontor_crypto::{PrivateFolder, Zeroizing};
use kontor_package::{ByteSize, Manifest, NetworkGrant, WallTime};
use kontor_runs::{
    CallerGrants, Ceiling, Entry, Finished, Frame, Granted, Host, LARGEST_INPUT, Layers, Order, OverlayRef, Overlays,
    Runner, RunnerKeys, scripts,
};
use kontor_sandbox::Sandbox;
use kontor_types::{Clock as _, Handle, SystemClock};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::{Exit, Hint, UsageError};
use crate::session::{Session, settings_folder};
use crate::verbs::sandbox::{Held, LAUNCHER};

pub use target::Target;

/// What a machine's administrator lets any run on it have.
const MACHINE_CEILING: &str = "/etc/kontor/run.toml";

/// Run a skill's script or tool in a sandbox, and keep a receipt
///
/// TARGET is a skill of a hub (`@publisher/skill`, installed or not) or a folder. The program reads the skill's own files, writes
/// in a work folder of its own, and has no network, no variables and no other files unless they are granted here. The first run of
/// a version says what it may do and asks once; packages of others that it needs are brought before it starts, outside of the run.
/// Ends with 0 when the program ended well, with 8 when it failed or its answer does not fit; its own code is in the receipt.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// Which skill: `@publisher/skill`, `@publisher/skill@1.2.0`, or a folder
    target: String,
    /// A tool that the skill's `kontor.toml` declares
    #[arg(conflicts_with = "script")]
    tool: Option<String>,
    /// A script of the skill, whatever the skill declares
    #[arg(long, value_name = "PATH")]
    script: Option<String>,
    /// What the program reads on its standard input: a tool's JSON; `-` for the standard input of this command
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// A file to copy into the work folder
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Where to put the files that the program leaves in its work folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Grant connections to a host and port
    #[arg(long, value_name = "HOST:PORT")]
    allow_net: Vec<NetworkGrant>,
    /// Grant a secret: the variable of this name in your own environment
    #[arg(long, value_name = "NAME")]
    secret: Vec<String>,
    /// Grant no network, whatever was confirmed
    #[arg(long, conflicts_with = "allow_net")]
    no_network: bool,
    /// The longest time on the clock
    #[arg(long, value_name = "TIME")]
    wall: Option<WallTime>,
    /// The most memory
    #[arg(long, value_name = "BYTES")]
    memory: Option<ByteSize>,
    /// The most that it adds to its work folder
    #[arg(long, value_name = "BYTES")]
    disk: Option<ByteSize>,
    /// Confirm what is shown, for scripts
    #[arg(long)]
    yes: bool,
    /// How long what is confirmed with --yes holds: for this run, for this session of your shell, or whenever this version
    /// runs, as here unless given; on the hub for this run unless given, and a session is eight hours of your login
    #[arg(long = "for", value_name = "HOW_LONG", requires = "yes")]
    holds: Option<HowLong>,
    /// Let packages run their own installation programs, in the sandbox of the build
    #[arg(long)]
    install_scripts: bool,
    /// Run a folder although the scan finds it malicious
    #[arg(long)]
    accept_findings: bool,
    /// Run although this machine lacks a part of the sandbox
    #[arg(long)]
    accept_weaker: bool,
    /// How much of the sandbox holds it: `landlock` is for machines without user namespaces, has no network and no root of its
    /// own, and the receipt says so
    #[arg(long, value_enum, default_value_t = Held::Full)]
    tier: Held,
    /// Leave out what the hub's transparency log says; the digest is compared all the same
    #[arg(long)]
    no_verify: bool,
    /// Tell what the tool reads and answers, and run nothing
    #[arg(long, requires = "tool")]
    describe: bool,
    /// Write the receipt here too
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Where it runs: `here`, or on the `hub`, whose workers need not be this machine
    #[arg(long, value_name = "WHERE", default_value = "here")]
    on: Place,
    /// On the hub: do not wait for its end
    #[arg(long)]
    detach: bool,
    /// On the hub: in whose name it runs; your own unless given
    #[arg(long, value_name = "PUBLISHER")]
    publisher: Option<Handle>,
    /// Forget what was confirmed for this version, and run nothing
    #[arg(long)]
    forget: bool,
    /// What the program is told, behind `--`
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<OsString>,
}

/// How long what is confirmed holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum HowLong {
    /// For this run
    Once,
    /// As long as this session of your shell lasts
    Session,
    /// Whenever this version runs
    Always,
}

/// Where a run is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Place {
    /// On this machine.
    #[default]
    Here,
    /// By the hub's workers.
    Hub,
}

/// Where the runs of this user are kept.
pub struct Places {
    /// Settings: keys, overlays, receipts.
    root: PathBuf,
}

impl Places {
    /// The places of this user.
    pub fn own() -> anyhow::Result<Self> {
        Ok(Self { root: settings_folder()? })
    }

    /// The keys that sign receipts and overlays.
    pub fn keys(&self) -> anyhow::Result<RunnerKeys> {
        Ok(RunnerKeys::open(&self.root.join("runner"), SystemClock.now())?)
    }

    /// What was confirmed.
    pub fn overlays(&self) -> Overlays {
        Overlays::at(&self.root.join("overlays"))
    }

    /// Receipts with what opens their digests.
    pub fn runs(&self) -> anyhow::Result<PrivateFolder> {
        Ok(PrivateFolder::open(&self.root.join("runs"))?)
    }

    /// The most that any run may get: what the machine's administrator and the user both allow.
    fn ceiling(&self) -> anyhow::Result<Ceiling> {
        Ok(ceiling(Path::new(MACHINE_CEILING))?.and(ceiling(&self.root.join("run.toml"))?))
    }

    /// Where layers of packages are kept; they can be thrown away.
    fn layers() -> anyhow::Result<PathBuf> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = variable("KONTOR_CACHE_HOME")
            .or_else(|| variable("XDG_CACHE_HOME").map(|base| base.join("kontor")))
            .or_else(|| variable("HOME").map(|home| home.join(".cache/kontor")));
        let cache = cache.ok_or_else(|| {
            UsageError("there is no home folder to keep packages in; set KONTOR_CACHE_HOME".to_owned())
        })?;
        Ok(cache.join("layers"))
    }
}

fn ceiling(path: &Path) -> anyhow::Result<Ceiling> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(toml::from_str(&text).map_err(|error| UsageError(format!("{}: {error}", path.display())))?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Ceiling::default()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Runs.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    if args.on == Place::Hub {
        return remote::run(&args, session).await;
    }
    if args.detach || args.publisher.is_some() {
        return Err(UsageError("--detach and --publisher are for runs on the hub: add --on hub".to_owned()).into());
    }
    if !cfg!(target_os = "linux") {
        let wrong = UsageError("this system has no sandbox for programs of skills".to_owned());
        return Err(anyhow::Error::from(wrong).context(Hint("run it on a hub: add --on hub".to_owned())));
    }
    if args.tier == Held::Landlock && !args.allow_net.is_empty() {
        let wrong = UsageError("in the tier `landlock` no network can be granted".to_owned());
        return Err(anyhow::Error::from(wrong).context(Hint("leave out --allow-net, or --tier".to_owned())));
    }
    let places = Places::own()?;
    let target = target::find(&args, session).await?;
    if args.forget {
        return forget(&target, &places, session);
    }
    let manifest = target.manifest();
    let entry = entry(&args, &target, &manifest)?;
    if let (true, Entry::Tool(tool)) = (args.describe, &entry) {
        describe::tool(tool, &target.content, session);
        return Ok(Exit::Done);
    }
    let input = input(&args, &entry)?;
    given(&args.file)?;
    let program = entry.program(&target.content)?;
    let sandbox = sandboxes()?;
    let keys = places.keys()?;
    let layers = Layers::new(Places::layers()?, sandbox.clone());
    let secrets = secrets(&args)?;
    let ceiling = places.ceiling()?;
    let asking = consent::Asking {
        args: &args,
        session,
        target: &target,
        places: &places,
        keys: &keys,
        layers: &layers,
        ceiling: &ceiling,
    };
    let agreed = asking.agree(&manifest, &entry, &program).await?;
    let overlay = &agreed.stored.overlay;
    let caller = CallerGrants {
        network: if args.no_network || args.tier == Held::Landlock {
            Vec::new()
        } else {
            named(&overlay.permissions.network, &args.allow_net)
        },
        secrets: args.secret.clone(),
        wall: args.wall,
        memory: args.memory,
        disk: args.disk,
    };
    let granted = Granted::of(&overlay.permissions, &overlay.limits, &ceiling, &caller);
    let secrets = secrets.into_iter().filter(|(name, _)| granted.secrets.contains(name)).collect();
    let order = Order {
        skill: target.skill.clone(),
        content: &target.content,
        entry,
        program,
        arguments: args.arguments.clone(),
        input,
        files: args.file.clone(),
        out: args.out.clone(),
        granted,
        secrets,
        lock: agreed.lock,
        layer: agreed.layer,
        decision: kontor_runs::Decision { consent: agreed.consent.to_owned(), ..target.decision.clone() },
        overlay: Some(OverlayRef { digest: agreed.stored.digest, number: overlay.number }),
        runner: Runner {
            person: target.person.clone(),
            program: format!("kontor {}", env!("CARGO_PKG_VERSION")),
            machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        },
        tier: args.tier.into(),
        accept_weaker: args.accept_weaker,
    };
    let key = keys.receipts()?;
    let host = Host { sandbox: &sandbox, clock: &SystemClock, key: &key };
    let watch = show::Live::new(session, holds_back(&order.entry));
    let frame = Frame { stop: interrupted()?, ..Frame::default() };
    let finished = kontor_runs::run_in(order, &host, &watch, &frame).await?;
    keep(&finished, &places, args.receipt.as_deref())?;
    watch.answered(&finished);
    show::finished(&finished, &args, session);
    Ok(if finished.receipt.exit.outcome == "done" { Exit::Done } else { Exit::ProgramFailed })
}

/// Ready when somebody wants the program to end: it is ended, and its receipt says so.
fn interrupted() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut signal = signal(kind).context("cannot listen for the request to end")?;
        let stop = stop.clone();
        tokio::spawn(async move {
            signal.recv().await;
            stop.cancel();
        });
    }
    Ok(stop)
}

/// The hosts that were confirmed, and those that this run names: a name that stands for many hosts grants none of them.
fn named(confirmed: &[NetworkGrant], now: &[NetworkGrant]) -> Vec<NetworkGrant> {
    confirmed.iter().chain(now).filter(|grant| !grant.host().starts_with("*.")).cloned().collect()
}

/// Whether what a program says is shown only when it is known to fit.
fn holds_back(entry: &Entry) -> bool {
    matches!(entry, Entry::Tool(tool) if tool.output.is_some())
}

/// Sandboxes that are set up by the program that runs now, even when its file was replaced since it started.
fn sandboxes() -> std::io::Result<Sandbox> {
    let running = Path::new("/proc/self/exe");
    let program = if running.exists() { running.to_owned() } else { std::env::current_exe()? };
    Ok(Sandbox::new(program, vec![LAUNCHER.to_owned()]))
}

fn forget(target: &Target, places: &Places, session: &Session) -> anyhow::Result<Exit> {
    let there = places.overlays().forget(&target.skill.digest)?;
    let name = &target.skill.name;
    session.terminal.note(&if there {
        format!("forgot what was confirmed for {name}")
    } else {
        format!("nothing was confirmed for {name}")
    });
    Ok(Exit::Done)
}

/// What is to be run: what was named, else the only tool.
fn entry(args: &Args, target: &Target, manifest: &Manifest) -> anyhow::Result<Entry> {
    if let Some(path) = &args.script {
        return Ok(Entry::script(&target.content, path)?);
    }
    if let Some(name) = &args.tool {
        return Ok(Entry::tool(manifest, name)?);
    }
    if let [tool] = manifest.tools.as_slice() {
        return Ok(Entry::Tool(tool.clone()));
    }
    let tools: Vec<&str> = manifest.tools.iter().map(|tool| tool.name.as_str()).collect();
    let known = scripts(&target.content);
    let text = match (tools.is_empty(), known.is_empty()) {
        (false, _) => format!("name a tool: {}; --describe behind it tells what it takes", tools.join(", ")),
        (true, false) => {
            format!("name a script with --script: {}", known.iter().take(20).cloned().collect::<Vec<_>>().join(", "))
        }
        (true, true) => "this skill has no tools and no scripts, only texts for an agent to read".to_owned(),
    };
    Err(UsageError(text).into())
}

/// The values of the secrets that are granted, from the caller's own environment.
fn secrets(args: &Args) -> anyhow::Result<BTreeMap<String, Zeroizing<String>>> {
    let mut values = BTreeMap::new();
    for name in &args.secret {
        let word = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let own = name.starts_with("KONTOR_")
            || ["PATH", "HOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "NODE_OPTIONS"].contains(&name.as_str());
        if name.is_empty() || !name.bytes().all(word) || own {
            return Err(UsageError(format!(
                "`{name}` cannot be granted as a secret; its name is of capitals, digits and `_`"
            ))
            .into());
        }
        let value = std::env::var(name)
            .map_err(|_| UsageError(format!("the variable {name} is not set, so there is nothing to grant")))?;
        values.insert(name.clone(), Zeroizing::new(value));
    }
    Ok(values)
}

/// What the program reads; for a tool that takes JSON, it must be some.
fn input(args: &Args, entry: &Entry) -> anyhow::Result<Vec<u8>> {
    let wants =
        |tool: &str| format!("the tool `{tool}` reads JSON: give it with --input FILE; --describe tells what it takes");
    let Some(path) = args.input.as_deref() else {
        return match entry {
            Entry::Tool(tool) if tool.input.is_some() => Err(UsageError(wants(&tool.name)).into()),
            _ => Ok(Vec::new()),
        };
    };
    let bytes = read_input(path)?;
    match entry {
        Entry::Tool(tool) if tool.input.is_some() => match serde_json::from_slice::<serde::de::IgnoredAny>(&bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => {
                let message = format!("{} is no JSON: {error}", path.display());
                Err(ClientError::refused(message, wants(&tool.name)).into())
            }
        },
        _ => Ok(bytes),
    }
}

/// Looks for files before anybody is asked.
fn given(files: &[PathBuf]) -> anyhow::Result<()> {
    for path in files {
        std::fs::metadata(path).map_err(|error| ClientError::io("read", path, error))?;
    }
    Ok(())
}

fn read_input(path: &Path) -> anyhow::Result<Vec<u8>> {
    let most = LARGEST_INPUT as u64 + 1;
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().take(most).read_to_end(&mut bytes).context("cannot read standard input")?;
    } else {
        let failed = |error| ClientError::io("read", path, error);
        std::fs::File::open(path).map_err(failed)?.take(most).read_to_end(&mut bytes).map_err(failed)?;
    }
    Ok(bytes)
}

/// Keeps the receipt with what opens its digests, and a copy where it is wanted.
fn keep(finished: &Finished, places: &Places, copy: Option<&Path>) -> anyhow::Result<()> {
    let bytes = finished.envelope.to_json();
    let runs = places.runs()?;
    let id = finished.receipt.run;
    runs.write(&format!("{id}.receipt.json"), &bytes)?;
    runs.write(&format!("{id}.salts.json"), &serde_json::to_vec(&finished.salts)?)?;
    if let Some(copy) = copy {
        std::fs::write(copy, &bytes).map_err(|error| ClientError::io("write", copy, error))?;
    }
    Ok(())
}
