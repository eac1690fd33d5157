//! `bench errands`: the hub is killed with signal 9 at every entry of an errand's journal, again and again, and each errand ends
//! with one order and one charge, its books in order.
//!
//! Everything is the real binary: the hub, two simulated merchants, a reader by rules in the place of a model, and the command
//! that asks.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::product::Product;

const REQUEST: &str = "order me a milk tea under ¥20 to the office";
/// What the cheapest milk tea of the simulated merchants costs with its delivery.
const COSTS: i64 = 1_500;
/// Longest time that one errand may take with everything that happens to it.
const PATIENCE: Duration = Duration::from_mins(2);
/// Entries at which hubs die, one after the other, and from the first again.
const ENTRIES: u64 = 34;

/// How much to kill.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How often the hub dies
    #[arg(long, default_value_t = 300)]
    kills: u64,
    #[command(flatten)]
    product: Product,
}

/// A process that ends with the value, and what it printed first.
struct Going {
    process: Child,
    said: Value,
}

impl Going {
    fn start(mut command: Command) -> Result<Self> {
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start a process")?;
        let out = process.stdout.take().context("a process has no output")?;
        let mut text = String::new();
        for line in BufReader::new(out).lines() {
            text.push_str(&line?);
            if let Ok(said) = serde_json::from_str(&text) {
                return Ok(Self { process, said });
            }
        }
        bail!("a process ended before it was ready: {text}");
    }

    fn kill(&mut self) -> Result<()> {
        self.process.kill().context("cannot kill a process")?;
        self.process.wait().context("cannot wait for a process")?;
        Ok(())
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

struct Place<'p> {
    program: &'p Path,
    folder: &'p Path,
    url: String,
    token: String,
}

impl Place<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KONTOR_")) {
            command.env_remove(name);
        }
        command.args(arguments).arg("--json").env("KONTOR_CONFIG_HOME", self.folder.join("settings"));
        command.env("KONTOR_REGISTRY", &self.url).env("KONTOR_TOKEN", &self.token);
        command
    }

    fn ask(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.command(arguments).stdin(Stdio::null()).output()?;
        let said = || format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), said());
        serde_json::from_slice(&output.stdout).with_context(said)
    }

    fn hub(&mut self) -> Result<Going> {
        let mut command = self.command(&["up", "--listen", "127.0.0.1:0"]);
        command.arg("--data").arg(self.folder.join("data")).env("KONTOR_OUTBOUND_ALLOW", "127.0.0.1");
        command.stderr(File::options().create(true).append(true).open(self.folder.join("log"))?);
        let hub = Going::start(command)?;
        hub.said["url"].as_str().context("the hub names no address")?.clone_into(&mut self.url);
        let file = hub.said["token_file"].as_str().context("the hub names no token")?;
        std::fs::read_to_string(file)?.trim().clone_into(&mut self.token);
        Ok(hub)
    }

    fn free(&self) -> Result<i64> {
        let purse = self.ask(&["purse", "show"])?;
        purse["items"][0]["free"]["minor"].as_i64().context("the purse says nothing")
    }
}

/// Kills, checks, and says what was not once.
pub fn run(options: &Options) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let begun = Instant::now();
    let program = options.product.binary()?;
    let mut place = Place { program: &program, folder: folder.path(), url: String::new(), token: String::new() };
    let model = Going::start(place.command(&["demo", "model", "--port", "0"]))?;
    let text = |value: &Value| value.as_str().map(str::to_owned).context("no text");
    let (url, name) = (text(&model.said["url"])?, text(&model.said["model"])?);
    std::fs::create_dir_all(folder.path().join("data"))?;
    let settings = format!("[[provider]]\nname = \"demo\"\nurl = \"{url}\"\nmodels = [\"{name}\"]\n");
    std::fs::write(folder.path().join("data/kontor.toml"), settings)?;
    let mut hub = place.hub()?;
    let _merchants = Going::start(place.command(&["demo", "merchants", "--port", "0", "--register"]))?;
    place.ask(&["purse", "top-up", "¥100000"])?;
    let mandate = place.ask(&["mandate", "new", "--total", "¥90000", "--hours", "24", "--count", "10000", "--yes"])?;
    let mandate = text(&mandate["id"])?;
    let (first, mut deaths) = (place.free()?, 0);
    for number in 0..options.kills {
        let asked = place.ask(&["ask", REQUEST, "--mandate", &mandate, "--yes", "--detach"])?;
        let id = text(&asked["id"])?;
        if until(&place, &id, |steps, over| over || steps > number % ENTRIES)?.1 {
            deaths += 1;
        }
        hub.kill()?;
        hub = place.hub()?;
        let (errand, _) = until(&place, &id, |_, over| over)?;
        ensure!(errand["state"] == "finished", "errand {id}, killed at {}: {errand:#}", number % ENTRIES + 1);
        let paid = first - place.free()?;
        let due = COSTS * i64::try_from(number + 1)?;
        ensure!(paid == due, "after {} errands {paid} was paid in place of {due}", number + 1);
    }
    let data = folder.path().join("data");
    let checked = place.ask(&["ledger", "check", "--data", &data.display().to_string()])?;
    ensure!(checked["agrees"] == true, "the books do not agree: {checked:#}");
    let seconds = begun.elapsed().as_secs();
    if options.product.json {
        println!(
            "{}",
            serde_json::json!({"kills": options.kills, "under_way": deaths, "seconds": seconds, "wrong": 0})
        );
    } else {
        println!(
            "errands: {} kills, {deaths} while the errand was under way, each with one charge; books agree; {seconds} s",
            options.kills
        );
    }
    Ok(())
}

/// Waits until an errand is as it should be; the errand, and whether it was still under way.
fn until(place: &Place<'_>, id: &str, is: impl Fn(u64, bool) -> bool) -> Result<(Value, bool)> {
    let begun = Instant::now();
    loop {
        let errand = place.ask(&["errand", "show", id])?;
        let steps = errand["steps"].as_array().map_or(0, Vec::len);
        let over = ["finished", "failed", "cancelled", "stalled"].iter().any(|state| errand["state"] == *state);
        if is(u64::try_from(steps)?, over) {
            return Ok((errand, !over));
        }
        ensure!(begun.elapsed() < PATIENCE, "errand {id} takes for ever: {errand:#}");
    }
}
