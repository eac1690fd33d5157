//! `bench sandbox`: what holding a command costs beside the bare command and beside bubblewrap, and what is left of many.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::machine;
use crate::product::Product;
use crate::report::{Limit, Report, median};

/// Milliseconds that holding a command may add.
const ADDED: f64 = 2.5;
/// Short commands in a second, on two processors.
const RATE: f64 = 200.0;
/// What is held.
const COMMAND: &str = "/bin/true";
/// The ordinary user, when root measures.
const USER: u32 = 1000;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    product: Product,
    /// How often each way of starting is timed, one after the other in turns
    #[arg(long, default_value_t = 400)]
    rounds: usize,
    /// How many commands are run before it is looked at what is left of them
    #[arg(long, default_value_t = 10_000)]
    runs: usize,
}

impl Options {
    /// The usual measurement of a binary.
    pub fn usual(product: Product) -> Self {
        Self { product, rounds: 400, runs: 10_000 }
    }
}

/// Prints what [`measure`] finds.
pub fn run(options: &Options) -> Result<()> {
    measure(options)?.finish(options.product.json)
}

/// Times single starts, then the rate, then looks for what is left.
pub fn measure(options: &Options) -> Result<Report> {
    let binary = options.product.binary()?;
    let mut report = Report::of("sandbox");
    report.setting(machine::describe());
    report.setting(format!("{COMMAND}, each way {} times in turns, as a whole: start to end", options.rounds));
    let users: &[(&str, Option<u32>)] =
        if nix::unistd::geteuid().is_root() { &[("root", None), ("user", Some(USER))] } else { &[("user", None)] };
    for (name, user) in users {
        starts(options, &binary, name, *user, &mut report)?;
    }
    many(options, &binary, &mut report)?;
    Ok(report)
}

/// One way to start the command.
struct Way {
    program: PathBuf,
    arguments: Vec<&'static str>,
    user: Option<u32>,
}

impl Way {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.current_dir("/").env_clear();
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    fn once(&self) -> Result<f64> {
        let begun = Instant::now();
        let status = self.command().status().with_context(|| format!("{} does not start", self.program.display()))?;
        ensure!(status.success(), "{} ended with {status}", self.program.display());
        Ok(begun.elapsed().as_secs_f64() * 1e3)
    }
}

fn held(binary: &Path, user: Option<u32>) -> Way {
    Way { program: binary.to_owned(), arguments: vec!["sandbox", "--", COMMAND], user }
}

/// Bubblewrap with all that it has for such a command.
fn bubblewrap(user: Option<u32>) -> Option<Way> {
    let program = Path::new("/usr/bin/bwrap");
    let arguments = "--unshare-all --clearenv --new-session --die-with-parent --cap-drop ALL --ro-bind /usr /usr \
                     --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 --ro-bind /etc /etc \
                     --proc /proc --dev /dev --tmpfs /tmp --tmpfs /work --chdir /work -- /bin/true";
    let way = Way { program: program.to_owned(), arguments: arguments.split_whitespace().collect(), user };
    program.exists().then_some(way)
}

fn starts(options: &Options, binary: &Path, name: &str, user: Option<u32>, report: &mut Report) -> Result<()> {
    let bare = Way { program: COMMAND.into(), arguments: Vec::new(), user };
    let mut ways = vec![bare, held(binary, user)];
    ways.extend(bubblewrap(user));
    let mut times = vec![Vec::with_capacity(options.rounds); ways.len()];
    for way in &ways {
        way.once()?;
    }
    for _ in 0..options.rounds.max(1) {
        for (way, times) in ways.iter().zip(&mut times) {
            times.push(way.once()?);
        }
    }
    let late = |times: &[f64]| {
        let mut times = times.to_vec();
        times.sort_by(f64::total_cmp);
        times.get(times.len() * 99 / 100).copied().unwrap_or(f64::NAN)
    };
    let [bare, ours, rest @ ..] = times.as_slice() else { return Ok(()) };
    let bare_median = median(bare.clone());
    report.figure(format!("{name}: bare, median"), bare_median, "ms", Limit::None);
    report.figure(format!("{name}: added, median"), median(ours.clone()) - bare_median, "ms", Limit::AtMost(ADDED));
    if let [theirs, ..] = rest {
        let added = median(theirs.clone()) - bare_median;
        report.figure(format!("{name}: bubblewrap added, median"), added, "ms", Limit::None);
        report.figure(format!("{name}: held, p99"), late(ours), "ms", Limit::AtMost(late(theirs)));
    } else {
        report.setting("bubblewrap is not installed: p99 has no limit");
        report.figure(format!("{name}: held, p99"), late(ours), "ms", Limit::None);
    }
    Ok(())
}

/// What a machine has more of when something is left behind.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    mounts: usize,
    processes: usize,
    groups: usize,
    descriptors: usize,
}

impl Counts {
    fn now() -> Self {
        let entries = |path: &str| fs::read_dir(path).map_or(0, Iterator::count);
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten().filter(|entry| {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains("sandbox\0--\0")
        });
        Self {
            mounts: fs::read_to_string("/proc/self/mountinfo").map_or(0, |text| text.lines().count()),
            processes: processes.count(),
            groups: groups(Path::new("/sys/fs/cgroup"), 0),
            descriptors: entries("/proc/self/fd"),
        }
    }
}

/// Folders of ours among the machine's groups.
fn groups(folder: &Path, depth: usize) -> usize {
    let folders = fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir());
    folders
        .map(|entry| {
            let own = usize::from(entry.file_name().to_string_lossy().starts_with("kontor-run-"));
            own + if depth < 6 { groups(&entry.path(), depth + 1) } else { 0 }
        })
        .sum()
}

fn many(options: &Options, binary: &Path, report: &mut Report) -> Result<()> {
    report.setting(format!("rate and remains: {} commands, two at a time", options.runs));
    let before = Counts::now();
    let begun = Instant::now();
    let half = options.runs / 2;
    std::thread::scope(|scope| {
        let run = || -> Result<()> {
            let way = held(binary, None);
            (0..half).try_for_each(|_| way.once().map(drop))
        };
        let threads = [scope.spawn(run), scope.spawn(run)];
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| anyhow::anyhow!("a thread of the bench died"))?)
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let after = Counts::now();
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let (rate, left) = {
        let more = |before: usize, after: usize| after.saturating_sub(before) as f64;
        let left = more(before.mounts, after.mounts)
            + more(before.processes, after.processes)
            + more(before.groups, after.groups)
            + more(before.descriptors, after.descriptors);
        ((half * 2) as f64 / seconds, left)
    };
    report.figure("short commands", rate, "runs/s", Limit::AtLeast(RATE));
    report.figure("mounts, processes, groups and descriptors left", left, "", Limit::AtMost(0.0));
    Ok(())
}
