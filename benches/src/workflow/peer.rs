//! What stands beside: SQLite alone in Python, and DBOS for Python in an environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// What pip calls them.
const PACKAGES: [&str; 2] = ["dbos==3.4.0", "psycopg2-binary"];

/// Five rows a workflow are written, in commits of 16 rows, each synced.
const FLOOR: &str = r#"
import sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("pragma journal_mode = wal"); c.execute("pragma synchronous = full")
c.execute("create table flow (id integer primary key, state text, input text)")
c.execute("create table step (flow integer, number integer, output text, primary key (flow, number))")
text, rows, n = "x" * 100, 0, 0
def wrote():
    global rows
    rows += 1
    if rows % 16 == 0: c.execute("commit"); c.execute("begin")
c.execute("begin")
began = time.perf_counter()
while time.perf_counter() - began < 4:
    n += 1
    c.execute("insert into flow values (?, 'running', ?)", (n, text)); wrote()
    for s in (1, 2, 3): c.execute("insert into step values (?, ?, ?)", (n, s, text)); wrote()
    c.execute("update flow set state = 'finished' where id = ?", (n,)); wrote()
c.execute("commit")
print(n / (time.perf_counter() - began))
"#;

/// Three steps that do nothing, asked for by threads of which each waits for the end.
const DBOS: &str = r#"
import os, sys, time
from concurrent.futures import ThreadPoolExecutor
from dbos import DBOS
url, count, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
DBOS(config={"name": "bench", "system_database_url": url, "run_admin_server": False, "log_level": "WARNING"})
@DBOS.step()
def more(number): return number + 1
@DBOS.workflow()
def three(number): return more(more(more(number)))
DBOS.launch()
for number in range(20): three(number)
began = time.perf_counter()
with ThreadPoolExecutor(threads) as pool:
    assert list(pool.map(three, range(count))) == [number + 3 for number in range(count)]
print("rate", count / (time.perf_counter() - began), flush=True)
os._exit(0)
"#;

/// Workflows a second that SQLite alone would bear.
pub fn floor(folder: &Path) -> Result<f64> {
    let place = folder.join("floor.db");
    let told = capture(Command::new("python3").args(["-c", FLOOR]).arg(place))?;
    told.trim().parse().with_context(|| format!("the floor told {told}"))
}

/// DBOS for Python.
pub struct Dbos(PathBuf);

impl Dbos {
    /// Installs it once.
    pub fn install() -> Result<Self> {
        let place = crate::target().join("tools/dbos");
        let (program, done) = (place.join("bin/python"), place.join("installed"));
        if !done.exists() {
            eprintln!("installing {} (once)", PACKAGES.join(" and "));
            capture(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&place))?;
            let mut pip = Command::new(place.join("bin/pip"));
            capture(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES))?;
            std::fs::write(done, "")?;
        }
        Ok(Self(program))
    }

    /// Workflows a second in this empty database.
    pub fn measure(&self, address: &str, count: u32, threads: u32) -> Result<f64> {
        let mut command = Command::new(&self.0);
        command.args(["-c", DBOS, &in_python(address), &count.to_string(), &threads.to_string()]);
        let told = capture(&mut command)?;
        let rate = told.lines().find_map(|line| line.strip_prefix("rate ")?.parse().ok());
        rate.with_context(|| format!("DBOS does not tell its rate: {told}"))
    }
}

/// The address as SQLAlchemy reads it.
fn in_python(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    format!("postgresql://{rest}")
}

fn capture(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{name}: {}", said.lines().last().unwrap_or_default());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
