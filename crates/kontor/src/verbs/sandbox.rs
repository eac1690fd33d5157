//! `kontor sandbox`: a command that nobody trusts, with what it is granted and nothing else.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args as _, Command, FromArgMatches as _};
use kontor_package::{ByteSize, WallTime};
use kontor_sandbox::{Destination, Error, Job, Limits, Outcome, Sandbox, Shown, Tier, WORK, Work};
use serde_json::json;

use crate::exit::UsageError;
use crate::terminal::plain;

/// The hidden verb by which a hub has a command held.
pub const LAUNCHER: &str = "sandbox-launcher";
const NAME: &str = "sandbox";

/// The sandbox's own failures, as other programs that start programs have it.
const NOT_SET_UP: u8 = 125;
const NO_PROGRAM: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Run a command with nothing but what you grant
///
/// Inside are the system's programs, an empty writable work folder in which the command starts, and what these options grant. The command's
/// input, output and exit code pass through. The exit code is 124 when the time was over, 125 when the sandbox could not be set up (then
/// nothing ran), 126 and 127 when the program cannot be started or is not there.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file or folder that it reads; it stands inside where it stands here, or behind a colon: `./data:/data`
    #[arg(long, value_name = "PATH", help_heading = "What it gets")]
    read: Vec<PathBuf>,
    /// A file or folder that it reads and changes
    #[arg(long, value_name = "PATH", help_heading = "What it gets")]
    write: Vec<PathBuf>,
    /// A folder of yours as its work folder, at /work inside; what it leaves there stays
    #[arg(long, value_name = "DIR", help_heading = "What it gets")]
    work: Option<PathBuf>,
    /// A skill's folder, read-only at /skill inside
    #[arg(long, value_name = "DIR", help_heading = "What it gets")]
    skill: Option<PathBuf>,
    /// A host and port that it reaches, through a proxy that its environment names; a private address is granted by writing it:
    /// `10.0.0.5:8080`, `intern.example:443=10.0.0.5`
    #[arg(long, value_name = "HOST:PORT", help_heading = "What it gets")]
    net: Vec<Destination>,
    /// A variable, with its value or with the one that it has here
    #[arg(long, value_name = "NAME[=VALUE]", help_heading = "What it gets")]
    env: Vec<String>,
    /// The folder, as seen from inside, in which it starts [default: /work]
    #[arg(long, value_name = "DIR", help_heading = "What it gets")]
    directory: Option<PathBuf>,
    /// Time on the clock, as in 500ms, 30s or 10m [default: 5m]
    #[arg(long, value_name = "TIME", help_heading = "How much it uses")]
    wall: Option<WallTime>,
    /// Time on processors, of all its processes together [default: 5m]
    #[arg(long, value_name = "TIME", help_heading = "How much it uses")]
    cpu: Option<WallTime>,
    /// Memory of all its processes together, as in 512MiB [default: 1GiB]
    #[arg(long, value_name = "SIZE", help_heading = "How much it uses")]
    memory: Option<ByteSize>,
    /// Processes and threads at once [default: 256]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(2..), help_heading = "How much it uses")]
    processes: Option<u64>,
    /// Open files of each process [default: 1024]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(8..), help_heading = "How much it uses")]
    open_files: Option<u64>,
    /// Bytes in its temporary folders and its fresh work folder, and of any file [default: 512MiB]
    #[arg(long, value_name = "SIZE", help_heading = "How much it uses")]
    disk: Option<ByteSize>,
    /// How much of the sandbox holds it: `landlock` is what a container without user namespaces has, without network, a root of
    /// its own and a limit of all that it writes
    #[arg(long, value_enum, default_value_t = Held::Full)]
    tier: Held,
    /// Run although this machine lacks a part of the sandbox
    #[arg(long)]
    accept_weaker: bool,
    /// Write what became of it, what it used and what held it, as JSON
    #[arg(long = "json", id = "json", value_name = "FILE")]
    report: Option<PathBuf>,
    /// The command, behind `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A tier that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Held {
    /// All of it
    Full,
    /// Landlock, the list of refused calls and limits, for machines without namespaces
    Landlock,
}

impl From<Held> for Tier {
    fn from(held: Held) -> Self {
        match held {
            Held::Full => Self::Full,
            Held::Landlock => Self::Landlock,
        }
    }
}

/// Does the verb if it is one of these two, before anything else of the program begins.
pub fn at_once() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let verb = arguments.next()?;
    if verb == OsStr::new(LAUNCHER) {
        kontor_sandbox::leave(kontor_sandbox::launcher());
    }
    if verb != OsStr::new(NAME) {
        let late = verb.as_encoded_bytes().starts_with(b"-") && verb_behind(verb, &mut arguments)? == OsStr::new(NAME);
        return late.then(|| {
            complain(&out_of_place().to_string(), None);
            NOT_SET_UP.into()
        });
    }
    let arguments: Vec<OsString> = arguments.collect();
    if let [first, command @ ..] = arguments.as_slice()
        && first == OsStr::new("--")
        && !command.is_empty()
    {
        // Nothing is granted, so there are no options to read.
        kontor_sandbox::leave(Args::nothing(command.to_vec()).run().into());
    }
    let command =
        crate::help::with_examples(Args::augment_args(Command::new("kontor sandbox").no_binary_name(true)), NAME);
    let read = command.try_get_matches_from(arguments).and_then(|matches| Args::from_arg_matches(&matches));
    Some(match read {
        // What the program's end would tidy up, the kernel takes back more quickly.
        Ok(args) => kontor_sandbox::leave(args.run().into()),
        Err(error) => {
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { NOT_SET_UP } else { 0 })
        }
    })
}

/// The verb behind options that every verb has; this one's own are read without them.
fn verb_behind(first: OsString, rest: &mut impl Iterator<Item = OsString>) -> Option<OsString> {
    let mut word = first;
    while word.as_encoded_bytes().starts_with(b"-") {
        if ["--registry", "--token", "--token-file"].iter().any(|option| word == OsStr::new(option)) {
            rest.next()?;
        }
        word = rest.next()?;
    }
    Some(word)
}

/// Holds commands by processes of the program that runs now.
pub fn sandbox() -> Sandbox {
    let running = Path::new("/proc/self/exe");
    let program = if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() };
    Sandbox::new(program.unwrap_or_else(|_| "kontor".into()), vec![LAUNCHER.to_owned()])
}

/// What is said when other options stand before the verb.
pub fn out_of_place() -> UsageError {
    UsageError("write `kontor sandbox` first and its options after it".to_owned())
}

impl Args {
    /// What the command alone says.
    const fn nothing(command: Vec<OsString>) -> Self {
        Self {
            read: Vec::new(),
            write: Vec::new(),
            work: None,
            skill: None,
            net: Vec::new(),
            env: Vec::new(),
            directory: None,
            wall: None,
            cpu: None,
            memory: None,
            processes: None,
            open_files: None,
            disk: None,
            tier: Held::Full,
            accept_weaker: false,
            report: None,
            command,
        }
    }

    fn run(self) -> u8 {
        // Opened before the command begins: later the name may be a link of its making.
        let report = match self.report.as_deref().map(open).transpose() {
            Ok(report) => report,
            Err(error) => {
                complain(&error, None);
                return NOT_SET_UP;
            }
        };
        let outcome = self.job().and_then(|job| kontor_sandbox::run(&job));
        let written = report.map_or(Ok(()), |file| write(file, &outcome));
        if let Err(error) = &written {
            complain(error, None);
        }
        match outcome {
            Ok(_) if written.is_err() => NOT_SET_UP,
            Ok(outcome) => u8::try_from(outcome.code()).unwrap_or(u8::MAX),
            Err(error) => {
                complain(&format!("{error} ({})", error.code()), error.hint());
                match error {
                    Error::Command { missing: true, .. } => NOT_FOUND,
                    Error::Command { .. } => NO_PROGRAM,
                    _ => NOT_SET_UP,
                }
            }
        }
    }

    fn job(self) -> Result<Job, Error> {
        let mut job = Job::new(self.command);
        let usual = Limits::default();
        job.limits = Limits {
            wall: self.wall.map_or(usual.wall, WallTime::duration),
            cpu: self.cpu.map_or(usual.cpu, WallTime::duration),
            linger: usual.linger,
            memory: self.memory.map_or(usual.memory, ByteSize::bytes),
            processes: self.processes.unwrap_or(usual.processes),
            open_files: self.open_files.unwrap_or(usual.open_files),
            disk: self.disk.map_or(usual.disk, ByteSize::bytes),
            files: usual.files,
        };
        job.directory = self.directory.unwrap_or_else(|| WORK.into());
        job.skill = self.skill;
        job.work = self.work.map_or(Work::Fresh, Work::Folder);
        job.accept_weaker = self.accept_weaker;
        job.tier = self.tier.into();
        job.permissions.network = self.net;
        job.permissions.read = self.read.iter().map(|path| shown(path)).collect::<Result<_, _>>()?;
        job.permissions.write = self.write.iter().map(|path| shown(path)).collect::<Result<_, _>>()?;
        for variable in self.env {
            let (name, value) = match variable.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (variable.clone(), of_caller(&variable)?),
            };
            job.permissions.environment.set(name, value);
        }
        Ok(job)
    }
}

/// `PATH` or `PATH:/INSIDE`.
fn shown(argument: &Path) -> Result<Shown, Error> {
    if let Some((from, at)) = argument.to_str().and_then(|text| text.rsplit_once(":/"))
        && !from.is_empty()
        && !argument.exists()
    {
        return Ok(Shown { from: from.into(), at: Path::new("/").join(at) });
    }
    let real = std::fs::canonicalize(argument)
        .map_err(|error| Error::Refused { reason: format!("{}: {error}", argument.display()) })?;
    Ok(Shown::in_place(&real))
}

fn of_caller(name: &str) -> Result<String, Error> {
    std::env::var(name)
        .map_err(|_| Error::Refused { reason: format!("`{}` has no value here; write --env {0}=VALUE", plain(name)) })
}

/// Opens the file for the report; a link in its place is refused.
fn open(file: &Path) -> Result<(PathBuf, File), String> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, nix::fcntl::OFlag::O_NOFOLLOW.bits());
    options.open(file).map(|opened| (file.to_owned(), opened)).map_err(|error| cannot_write(file, &error))
}

fn write((path, mut file): (PathBuf, File), outcome: &Result<Outcome, Error>) -> Result<(), String> {
    let value = match outcome {
        Ok(outcome) => json!({ "code": outcome.code(), "outcome": outcome }),
        Err(error) => json!({
            "error": { "code": error.code(), "message": error.to_string(), "hint": error.hint(), "detail": error },
        }),
    };
    let text = format!("{value:#}\n");
    file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(|error| cannot_write(&path, &error))
}

fn cannot_write(file: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be written: {error}", file.display())
}

#[expect(
    clippy::print_stderr,
    reason = "the verb runs before the program's terminal exists, and says only why nothing ran"
)]
fn complain(text: &str, hint: Option<&str>) {
    eprintln!("error: {}", plain(text));
    if let Some(hint) = hint {
        eprintln!("hint: {}", plain(hint));
    }
}
