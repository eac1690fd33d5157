//! `dev`: a hub from the working tree with something in it, on a data folder that the next start throws away.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::shell;

/// What the hub holds besides the starter skills: another publisher, and one skill in each state that pages must show.
const SEEDS: &[&[&str]] = &[
    &["publisher", "create", "acme", "--name", "Acme Ltd"],
    &["import", "skills", "--publisher", "acme"],
    &["visibility", "@acme/video-editor", "private"],
    &["visibility", "@acme/financial-report", "organisation"],
    &["star", "@acme/meeting-minutes"],
    &["deprecate", "@acme/ad-copywriter", "--message", "it moved", "--successor", "@kontor/ad-copywriter"],
    &["report", "@acme/shopping-advisor", "--reason", "an example of a report"],
];

/// How to run it.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:7878")]
    listen: String,
    /// Go on with the data of the last time
    #[arg(long)]
    keep: bool,
    /// Build and start again whenever a source file changes
    #[arg(long)]
    watch: bool,
}

/// Builds, starts, fills, and stays until the hub ends.
pub fn run(options: &Options) -> Result<()> {
    let data = shell::target().join("dev");
    if !options.keep && data.exists() {
        fs::remove_dir_all(&data)?;
    }
    loop {
        let built_from = newest()?;
        let hub = build().and_then(|program| start(&program, &data, &options.listen));
        match hub {
            Ok(mut hub) if !options.watch => return hub.wait().map(drop).context("cannot wait for the hub"),
            Ok(mut hub) => {
                wait_for_change(built_from)?;
                kill(Pid::from_raw(i32::try_from(hub.id())?), Signal::SIGINT)?;
                hub.wait()?;
            }
            Err(error) if options.watch => {
                println!("{error:#}");
                wait_for_change(built_from)?;
            }
            Err(error) => return Err(error),
        }
    }
}

fn build() -> Result<PathBuf> {
    shell::run(shell::cargo().args(["build", "--workspace", "--bin", "kontor", "--locked"]))?;
    Ok(shell::target().join("debug/kontor"))
}

/// Starts the hub and, where it has no data yet, fills it.
fn start(program: &Path, data: &Path, listen: &str) -> Result<Child> {
    let is_new = !data.exists();
    let mut hub = shell::command(program);
    hub.args(["up", "--json", "--listen", listen, "--data"]).arg(data).stdout(Stdio::piped());
    let mut hub = hub.spawn().context("cannot start the hub")?;
    let stdout = hub.stdout.take().context("the hub has no standard output")?;
    // The hub says where it is once it is ready.
    let said: Option<serde_json::Value> =
        serde_json::Deserializer::from_reader(stdout).into_iter().next().transpose()?;
    let url = said.as_ref().and_then(|said| said["url"].as_str()).context("the hub ended before it was ready")?;
    let seed = |arguments: &&[&str]| {
        let mut client = shell::command(program);
        client.args(*arguments).arg("--quiet").env("KONTOR_REGISTRY", url).stdout(Stdio::null());
        shell::run(client.arg("--token-file").arg(data.join("admin.token")))
    };
    SEEDS.iter().filter(|_| is_new).try_for_each(seed)?;
    Ok(hub)
}

fn wait_for_change(since: SystemTime) -> Result<()> {
    while newest()? <= since {
        sleep(Duration::from_secs(1));
    }
    Ok(())
}

/// When the youngest source file was changed.
fn newest() -> Result<SystemTime> {
    let files = shell::files()?.into_iter().filter(|path| path.starts_with("crates/") || path.starts_with("skills/"));
    let changed = files.filter_map(|path| fs::metadata(shell::root().join(path)).and_then(|file| file.modified()).ok());
    Ok(changed.max().unwrap_or(SystemTime::UNIX_EPOCH))
}
