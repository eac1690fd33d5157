//! What the machine is, as far as figures depend on it.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};
use nix::time::{ClockId, clock_gettime};

/// How often the disk is asked.
const SYNCS: usize = 40;

/// A line about processors and memory.
pub fn describe() -> String {
    let model = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("machine: {cores} cores, {}", model.unwrap_or_else(|| "unknown processor".to_owned()))
}

/// A line about a folder's file system, and how long an fsync of 4 KiB takes there.
pub fn disk(folder: &Path) -> Result<String> {
    let said = Command::new("stat").args(["-f", "-c", "%T"]).arg(folder).output();
    let kind = said.ok().map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned()).unwrap_or_default();
    let mut file = tempfile::tempfile_in(folder).context("cannot write where data is kept")?;
    let mut times: Vec<Duration> = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let started = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_all()?;
        times.push(started.elapsed());
    }
    times.sort();
    Ok(format!("disk: {kind}, an fsync of 4 KiB takes {:.2?} (median)", times[SYNCS / 2]))
}

/// A number in KiB from `/proc/PID/status`, as megabytes; nothing when the process has gone.
pub fn megabytes(process: u32, name: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

/// The processor seconds that a process has used.
pub fn seconds_of(process: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may hold anything but ends with the last bracket; user and system time are the 12th and 13th after it.
    let mut fields = text.get(text.rfind(')')? + 2..)?.split(' ').skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let ticks = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok()??;
    #[expect(clippy::cast_precision_loss, reason = "a hundred ticks a second")]
    let seconds = (user + system) / ticks as f64;
    Some(seconds)
}

/// The processor seconds of all commands that this process has waited for.
pub fn seconds_of_ended() -> Option<f64> {
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of some hours")]
    let seconds = |time: TimeVal| time.num_microseconds() as f64 / 1e6;
    Some(seconds(used.user_time()) + seconds(used.system_time()))
}

/// The processor time of the calling thread, to the nanosecond.
pub fn time_of_thread() -> Result<Duration> {
    let used = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).context("the system tells no times")?;
    Ok(used.into())
}

/// A command that runs on two processors, where the machine has more and `taskset` is here.
pub fn on_two_cores(program: &Path) -> Command {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let pinned = cores > 2 && Command::new("taskset").arg("--version").output().is_ok();
    if !pinned {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0,1"]).arg(program);
    command
}
