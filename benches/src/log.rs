//! `bench log`: how fast the transparency log takes entries in, and how long a proof takes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use kontor_crypto::{Keyring, NoteVerifier, PrivateFolder, Purpose, SigningKey, Statement, Subject};
use kontor_db::Db;
use kontor_translog::{Entry, Log, Sequencer, Signer, audit};
use kontor_types::{Clock as _, Digest, LogEntryId, SystemClock};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::report::{Limit, Report};

const ORIGIN: &str = "bench.example/log";
/// Entries a second.
const RATE: f64 = 2_000.0;
/// Milliseconds.
const PROOF: f64 = 1.0;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many entries the log has when proofs are made
    #[arg(long, default_value_t = 100_000)]
    entries: u64,
    /// How many callers append at a time; each waits for its entry before it appends the next
    #[arg(long, default_value_t = 512)]
    callers: u64,
    /// How many proofs are made
    #[arg(long, default_value_t = 2_000)]
    proofs: usize,
    /// The database; an SQLite file in the folder unless given
    #[arg(long)]
    database: Option<String>,
    /// An existing folder on the disk to be measured
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Options {
    /// The usual measurement.
    pub const fn usual() -> Self {
        Self { entries: 100_000, callers: 512, proofs: 2_000, database: None, folder: None, json: false }
    }
}

/// Appends signed statements from many callers, each acknowledged when it is on the disk, signed and published; then
/// proves some of them one after another.
pub fn run(options: &Options) -> Result<()> {
    measure(options)?.finish(options.json)
}

/// Appends to a log of its own and has proofs made of it.
pub fn measure(options: &Options) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(append_and_prove(options))
}

async fn append_and_prove(options: &Options) -> Result<Report> {
    let folder = tempfile::tempdir_in(options.folder.clone().unwrap_or_else(crate::target))?;
    let address = format!("sqlite:{}", folder.path().join("log.db").display());
    let database = kontor_db::Options::url(options.database.clone().unwrap_or(address));
    let db = Db::open(&database).await.context("cannot open the database; an earlier run's must be emptied first")?;
    let log = Log::new(db, Arc::new(SystemClock), kontor_translog::Options::new(folder.path().join("tiles"), "bench"));
    log.begin(ORIGIN).await?;
    let keys = folder.path().join("keys");
    let mut ring = Keyring::open(&keys)?;
    ring.ensure(&[Purpose::Log, Purpose::Attestation], SystemClock.now())?;
    let signer = Signer::new(PrivateFolder::open(&keys)?, ORIGIN, ring.signing_key(Purpose::Log)?)?;
    let known = vec![signer.verifier().clone()];
    let sequencer = Sequencer::new(log.clone(), signer, Vec::new()).await?;
    let (stop, stopped) = watch::channel(false);
    let sequencing = tokio::spawn(sequencer.run(stopped));

    let key = Arc::new(ring.signing_key(Purpose::Attestation)?);
    let (ids, took, mut waits) = append(options, &log, &key).await?;
    stop.send(true)?;
    sequencing.await??;
    let rate = f64::from(u32::try_from(ids.len())?) / took.as_secs_f64();
    waits.sort();
    let mut proofs = prove(options, &log, &ids, &known).await?;
    proofs.sort();
    let started = Instant::now();
    let audited = audit(&log.tiles(1), &known, None)?.checkpoint.size;
    let mut report = Report::of("log");
    report.figure("append", rate, "entries/s", Limit::AtLeast(RATE));
    report.figure("append, wait p50", millis(&waits, 50), "ms", Limit::None);
    report.figure("append, wait p99", millis(&waits, 99), "ms", Limit::None);
    report.figure("proof, p50", millis(&proofs, 50), "ms", Limit::AtMost(PROOF));
    report.figure("proof, p99", millis(&proofs, 99), "ms", Limit::None);
    report.figure("audit of the whole log", started.elapsed().as_secs_f64() * 1000.0, "ms", Limit::None);
    report.setting(format!("{audited} entries, {} callers, {} proofs", options.callers, proofs.len()));
    Ok(report)
}

async fn append(
    options: &Options,
    log: &Log,
    key: &Arc<SigningKey>,
) -> Result<(Vec<LogEntryId>, Duration, Vec<Duration>)> {
    let share = options.entries.div_ceil(options.callers.max(1));
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..options.callers {
        let (log, key) = (log.clone(), Arc::clone(key));
        let numbers = caller * share..((caller + 1) * share).min(options.entries);
        callers.spawn(async move {
            let mut placed = Vec::new();
            for number in numbers {
                let entry = statement(number, &key);
                let started = Instant::now();
                placed.push((log.append(entry).await?.id, started.elapsed()));
            }
            Ok::<_, kontor_translog::Error>(placed)
        });
    }
    let (mut ids, mut waits) = (Vec::new(), Vec::new());
    while let Some(placed) = callers.join_next().await {
        for (id, wait) in placed?? {
            ids.push(id);
            waits.push(wait);
        }
    }
    Ok((ids, started.elapsed(), waits))
}

/// A statement like those that a hub makes of a scan.
fn statement(number: u64, key: &SigningKey) -> Entry {
    let digest = Digest::of(&number.to_be_bytes());
    let subject = Subject::new(format!("@bench/skill-{number}@1.0.0"), &digest);
    let predicate = serde_json::json!({ "verdict": "clean", "severity": "none", "rules": 120, "findings": [] });
    let statement = Statement::new(vec![subject], "https://example.com/scan/v1", predicate);
    Entry { kind: "scan".to_owned(), subject: Some(digest), version: None, statement: statement.sign(&[key]).to_json() }
}

async fn prove(options: &Options, log: &Log, ids: &[LogEntryId], known: &[NoteVerifier]) -> Result<Vec<Duration>> {
    let step = (ids.len() / options.proofs.max(1)).max(1);
    let mut times = Vec::new();
    for id in ids.iter().step_by(step) {
        let started = Instant::now();
        log.prove(*id, known).await?;
        times.push(started.elapsed());
    }
    Ok(times)
}

fn millis(times: &[Duration], share: usize) -> f64 {
    let time = times.get(times.len() * share / 100).or(times.last()).copied().unwrap_or_default();
    time.as_secs_f64() * 1000.0
}
