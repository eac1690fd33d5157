//! `bench workflow`: workflows of three steps that do nothing, a second: on SQLite beside a bare group commit, on Postgres beside
//! DBOS for Python.

mod peer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use kontor_db::persons::Person;
use kontor_db::{Db, persons, testing};
use kontor_types::{Clock as _, PersonId, SystemClock};
use kontor_workflow::{
    Definition, Journal, Owner, Parts, Settings, Start, StepError, WorkflowState, Workflows, define, verify,
};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::report::{Limit, Report, median};

/// The variable that names a server whose commits reach the disk; `cargo xtask bench` sets it.
const SERVER: &str = "KONTOR_TEST_POSTGRES";
/// How much faster than DBOS for Python on the same server.
const BESIDE_PEER: f64 = 10.0;
/// How much faster than a bare group commit.
const BESIDE_FLOOR: f64 = 1.5;
/// Workflows whose journals are checked afterwards.
const CHECKED: u64 = 200;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many workflows each round makes
    #[arg(long, default_value_t = 20_000)]
    workflows: u64,
    /// How many callers ask at a time; each waits for the end of its workflow before it asks for the next
    #[arg(long, default_value_t = 1_024)]
    callers: u64,
    /// How often each round is measured; the middle counts
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// How many workflows DBOS makes, with 8 threads and with 32
    #[arg(long, default_value_t = 1_000)]
    peers: u32,
    /// An existing folder on the disk to be measured, for SQLite
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Measures, prints, and fails when a limit is missed.
pub fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(options))?.finish(options.json)
}

async fn measure(options: &Options) -> Result<Report> {
    let mut report = Report::of("workflow");
    let folder = tempfile::tempdir_in(options.folder.clone().unwrap_or_else(crate::target))?;
    let floor = peer::floor(folder.path())?;
    let address = format!("sqlite:{}", folder.path().join("workflow.db").display());
    let [few, many] = compare(&mut report, options, "sqlite", &address).await?;
    report.figure("bare sqlite, commits of 16 writes", floor, "workflows/s", Limit::None);
    report.figure("sqlite beside bare sqlite, 16 callers", few / floor, "×", Limit::None);
    report.figure("sqlite beside bare sqlite", many / floor, "×", Limit::AtLeast(BESIDE_FLOOR));
    let Ok(server) = std::env::var(SERVER) else {
        bail!("{SERVER} names no server: start this with `cargo xtask bench workflow`");
    };
    durable(&server).await?;
    let [few, many] = compare(&mut report, options, "postgres", &testing::create_database(&server).await?).await?;
    match peer::Dbos::install() {
        Ok(dbos) => {
            let mut best: f64 = 0.0;
            for threads in [8, 32] {
                let address = testing::create_database(&server).await?;
                let rate = dbos.measure(&address, options.peers, threads)?;
                report.figure(format!("dbos, {threads} threads"), rate, "workflows/s", Limit::None);
                best = best.max(rate);
            }
            report.figure("postgres beside dbos, 16 callers", few / best, "×", Limit::None);
            report.figure("postgres beside dbos", many / best, "×", Limit::AtLeast(BESIDE_PEER));
        }
        Err(error) => report.setting(format!("DBOS could not be installed, so it is not beside: {error:#}")),
    }
    report.setting(format!(
        "{} workflows a round, {} callers, middle of {} rounds; each is begun, does three steps and ends, and its caller waits for that",
        options.workflows, options.callers, options.rounds
    ));
    report.setting("each start, step and end was on the disk (fsync) before anything followed from it");
    Ok(report)
}

/// A server that acknowledges before the disk has it would measure nothing.
async fn durable(server: &str) -> Result<()> {
    let db = Db::open(&kontor_db::Options::url(testing::create_database(server).await?)).await?;
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value = testing::server_setting(&mut db.read().await?, name).await?;
        if value != "on" {
            bail!("the server has {name} = {value}: start this with `cargo xtask bench workflow`");
        }
    }
    Ok(())
}

/// Measures one database with 16 callers and with many.
async fn compare(report: &mut Report, options: &Options, name: &str, address: &str) -> Result<[f64; 2]> {
    let db = Db::open(&kontor_db::Options::url(address)).await.context("cannot open the database")?;
    let owner = Owner { person: person(&db).await?, publisher: None };
    let parts = Parts { db, clock: Arc::new(SystemClock), settings: Settings::default(), worker: "bench".to_owned() };
    let flows = Workflows::new(parts);
    flows.define(three());
    let (stop, working) = (CancellationToken::new(), flows.clone());
    let (ends, parallel) = (stop.clone(), usize::try_from(options.callers)?.saturating_mul(2));
    let workers = tokio::spawn(async move { working.run(parallel, ends).await });
    let mut rates = [const { Vec::new() }; 2];
    for number in 0..options.rounds {
        for (callers, rates) in [16, options.callers].into_iter().zip(&mut rates) {
            let workflows = if callers == 16 { options.workflows / 8 } else { options.workflows };
            rates.push(round(&flows, owner, workflows, callers, number).await?);
        }
    }
    check(&flows, owner, options).await?;
    stop.cancel();
    workers.await?;
    let [few, many] = rates.map(median);
    report.figure(format!("{name}, 16 callers"), few, "workflows/s", Limit::None);
    report.figure(name, many, "workflows/s", Limit::None);
    Ok([few, many])
}

/// Three steps that do nothing.
fn three() -> impl Definition {
    define("three", 1, |journal: Journal, input: u64| async move {
        let more = |number: u64| async move { Ok::<_, StepError>(number + 1) };
        let one = journal.step("one", &input, |_| more(input)).await?;
        let two = journal.step("two", &one, |_| more(one)).await?;
        journal.step("three", &two, |_| more(two)).await
    })
}

async fn person(db: &Db) -> Result<PersonId> {
    let now = SystemClock.now();
    let person = Person {
        id: PersonId::new(now),
        handle: "bench".parse()?,
        display_name: "bench".to_owned(),
        administrator: false,
        created_at: now,
        disabled_at: None,
    };
    let id = person.id;
    db.write(move |tx| Box::pin(async move { persons::insert(tx, &person).await })).await?;
    Ok(id)
}

fn start(owner: Owner, callers: u64, round: u32, number: u64) -> Start {
    let (key, title) = (format!("{callers} {round} {number}"), "a measure".to_owned());
    Start { key, kind: "three".to_owned(), owner, title, input: json!(number) }
}

async fn round(flows: &Workflows, owner: Owner, workflows: u64, callers: u64, round: u32) -> Result<f64> {
    let asked = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (flows, asked) = (flows.clone(), Arc::clone(&asked));
        tasks.spawn(async move {
            loop {
                let number = asked.fetch_add(1, Ordering::Relaxed);
                if number >= workflows {
                    return Ok::<_, anyhow::Error>(());
                }
                let outcome = flows.call(&start(owner, callers, round, number)).await?;
                if outcome.output != Some((number + 3).to_string()) {
                    bail!("workflow {number} ended with {outcome:?}");
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(f64::from(u32::try_from(workflows)?) / started.elapsed().as_secs_f64())
}

/// Asks some of them again, under their keys, and checks their journals.
async fn check(flows: &Workflows, owner: Owner, options: &Options) -> Result<()> {
    let handle = "bench".parse()?;
    let caller = kontor_access::Caller::person((owner.person, handle), false, Vec::new(), Vec::new(), None);
    for number in (0..options.workflows).step_by(usize::try_from(options.workflows / CHECKED + 1)?) {
        let again = flows.start(start(owner, options.callers, 0, number)).await?;
        let shown = flows.result(&caller, again.id, Duration::from_secs(1)).await?;
        let entries = flows.entries(&caller, again.id, 0, 100).await?;
        let whole = verify(again.id, &entries)? == shown.head && entries.len() == 5;
        if again.fresh || shown.state != WorkflowState::Finished || !whole {
            bail!("workflow {number} is not as it was told: {shown:?}");
        }
    }
    Ok(())
}
