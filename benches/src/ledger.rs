//! `bench ledger`: durable transfers a second on SQLite and Postgres, over many accounts and with one hot account, beside a plain
//! Postgres that makes one transaction of each.

mod plain;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use kontor_db::{Db, testing};
use kontor_ledger::{Amounts, Key, Ledger, Leg, NewAccount, Order, Request, Side, split};
use kontor_types::{Clock as _, Currency, SystemClock, TransferId};
use rand::RngExt as _;
use tokio::task::JoinSet;

use crate::report::{Limit, Report, median};

/// The variable that names a server whose commits reach the disk; `cargo xtask bench` sets it.
const SERVER: &str = "KONTOR_TEST_POSTGRES";
/// Transfers a second.
const SQLITE: f64 = 40_000.0;
const POSTGRES: f64 = 10_000.0;
/// Legs of one transfer that fills purses.
const LEGS: usize = 64;
/// Accounts that are opened in one commit.
const OPENED: usize = 500;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many transfers each round makes
    #[arg(long, default_value_t = 200_000)]
    transfers: u64,
    /// How many callers ask at a time; each waits for its transfer before it asks for the next
    #[arg(long, default_value_t = 4_096)]
    callers: u64,
    /// How many accounts there are
    #[arg(long, default_value_t = 10_000)]
    accounts: u64,
    /// How often each round is measured; the middle counts
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Seconds of each round of the plain Postgres
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// An existing folder on the disk to be measured, for SQLite
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Which accounts and keys the transfers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Uniform,
    Hot,
    /// As uniform, with keys in no order, which touch the index of keys all over.
    Scattered,
    /// As money is used: a guarded purse reserves for three who share, and the reservation is posted; two transfers.
    Sales,
}

/// Measures, prints, and fails when a limit is missed.
pub fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(options))?.finish(options.json)
}

async fn measure(options: &Options) -> Result<Report> {
    let mut report = Report::of("ledger");
    let folder = tempfile::tempdir_in(options.folder.clone().unwrap_or_else(crate::target))?;
    let address = format!("sqlite:{}", folder.path().join("ledger.db").display());
    compare(&mut report, options, "sqlite", address, SQLITE).await?;
    let Ok(server) = std::env::var(SERVER) else {
        bail!("{SERVER} names no server: start this with `cargo xtask bench ledger`");
    };
    durable(&server).await?;
    let ours = compare(&mut report, options, "postgres", testing::create_database(&server).await?, POSTGRES).await?;
    for (name, hot, ours) in [("uniform", false, ours.0), ("one hot account", true, ours.1)] {
        let address = testing::create_database(&server).await?;
        let rate = plain::measure(&address, options.accounts, hot, options.seconds)?;
        report.figure(format!("plain postgres, {name}"), rate, "transfers/s", Limit::None);
        report.figure(format!("postgres beside plain, {name}"), ours / rate, "×", Limit::None);
    }
    let Options { transfers, callers, accounts, rounds, .. } = options;
    report.setting(format!(
        "{transfers} transfers a round, {callers} callers, {accounts} accounts, middle of {rounds} rounds"
    ));
    report.setting("each acknowledged after its commit was synced; afterwards all books were checked");
    Ok(report)
}

/// A server that acknowledges before the disk has it would measure nothing.
async fn durable(server: &str) -> Result<()> {
    let db = Db::open(&kontor_db::Options::url(testing::create_database(server).await?)).await?;
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value = testing::server_setting(&mut db.read().await?, name).await?;
        if value != "on" {
            bail!("the server has {name} = {value}: start this with `cargo xtask bench ledger`");
        }
    }
    Ok(())
}

/// Measures one database; the rates of the uniform and the hot rounds.
async fn compare(
    report: &mut Report,
    options: &Options,
    name: &str,
    address: String,
    least: f64,
) -> Result<(f64, f64)> {
    let db = Db::open(&kontor_db::Options::url(address)).await.context("cannot open the database")?;
    let ledger = Ledger::start(db, Arc::new(SystemClock));
    let accounts = Arc::new(open(&ledger, options.accounts, false).await?);
    let purses = Arc::new(open(&ledger, options.accounts, true).await?);
    fill(&ledger, accounts.first().copied().unwrap_or(0), &purses).await?;
    let mut rates = [const { Vec::new() }; 4];
    for _ in 0..options.rounds {
        for (shape, rates) in [Shape::Uniform, Shape::Hot, Shape::Scattered, Shape::Sales].into_iter().zip(&mut rates) {
            let rate = match shape {
                Shape::Sales => sales(options, &ledger, &purses, &accounts).await?,
                shape => round(options, &ledger, &accounts, shape).await?,
            };
            rates.push(rate);
        }
    }
    let findings = ledger.check().await?;
    if !findings.are_clean() {
        bail!("the books are wrong: {:?}", findings.complaints);
    }
    let [uniform, hot, scattered, sales] = rates.map(median);
    report.figure(format!("{name}, uniform"), uniform, "transfers/s", Limit::AtLeast(least));
    report.figure(format!("{name}, one hot account"), hot, "transfers/s", Limit::AtLeast(least));
    report.figure(format!("{name}, hot beside uniform"), hot / uniform, "×", Limit::AtLeast(1.0));
    report.figure(format!("{name}, uniform with keys in no order"), scattered, "transfers/s", Limit::None);
    report.figure(
        format!("{name}, reserved from guarded purses for three, and posted"),
        sales,
        "transfers/s",
        Limit::None,
    );
    Ok((uniform, hot))
}

async fn open(ledger: &Ledger, count: u64, guarded: bool) -> Result<Vec<i64>> {
    let currency: Currency = "CNY".parse()?;
    let wanted: Vec<NewAccount> = (0..count)
        .map(|number| NewAccount {
            owner_kind: "bench".to_owned(),
            owner: number.to_string(),
            code: if guarded { "purse" } else { "account" }.to_owned(),
            currency,
            side: Side::Credit,
            guarded,
        })
        .collect();
    let mut numbers = Vec::new();
    for some in wanted.chunks(OPENED) {
        numbers.extend(ledger.open_all(some.to_vec()).await?.iter().map(|account| account.number));
    }
    Ok(numbers)
}

/// Puts into every purse more than is spent from it.
async fn fill(ledger: &Ledger, bank: i64, purses: &[i64]) -> Result<()> {
    let currency: Currency = "CNY".parse()?;
    for some in purses.chunks(LEGS) {
        let amount = currency.minor(1_000_000_000_000);
        let legs = some.iter().map(|purse| Leg { debit: bank, credit: *purse, amount }).collect();
        ledger.transfer(Request::new(key()?, Order::Move(legs))).await?;
    }
    Ok(())
}

fn key() -> Result<Key, kontor_ledger::Refusal> {
    Key::new("bench", &TransferId::new(SystemClock.now()).to_string())
}

async fn sales(options: &Options, ledger: &Ledger, purses: &Arc<Vec<i64>>, accounts: &Arc<Vec<i64>>) -> Result<f64> {
    let asked = Arc::new(AtomicU64::new(0));
    let (transfers, currency) = (options.transfers, "CNY".parse::<Currency>()?);
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..options.callers {
        let (ledger, asked) = (ledger.clone(), Arc::clone(&asked));
        let (purses, accounts) = (Arc::clone(purses), Arc::clone(accounts));
        callers.spawn(async move {
            while asked.fetch_add(2, Ordering::Relaxed) < transfers {
                let any = |list: &[i64]| list.get(rand::rng().random_range(0..list.len())).copied().unwrap_or(0);
                let first = rand::rng().random_range(0..accounts.len());
                let of = |place: usize| accounts.get((first + place) % accounts.len()).copied().unwrap_or(0);
                let parts = [(of(0), 8_000), (of(1), 500), (of(2), 1_500)];
                let legs = split(any(&purses), currency.minor(1_999), &parts)?;
                let reserve = Order::Reserve { legs, expires_at: None };
                let reservation = ledger.transfer(Request::new(key()?, reserve)).await?.transfer.number;
                let post = Order::Post { reservation, amounts: Amounts::Full };
                ledger.transfer(Request::new(key()?, post)).await?;
            }
            Ok::<_, kontor_ledger::Error>(())
        });
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(f64::from(u32::try_from(transfers)?) / started.elapsed().as_secs_f64())
}

async fn round(options: &Options, ledger: &Ledger, accounts: &Arc<Vec<i64>>, shape: Shape) -> Result<f64> {
    let asked = Arc::new(AtomicU64::new(0));
    let (transfers, currency) = (options.transfers, "CNY".parse::<Currency>()?);
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..options.callers {
        let (ledger, accounts, asked) = (ledger.clone(), Arc::clone(accounts), Arc::clone(&asked));
        callers.spawn(async move {
            while asked.fetch_add(1, Ordering::Relaxed) < transfers {
                ledger.transfer(request(&accounts, currency, shape)?).await?;
            }
            Ok::<_, kontor_ledger::Error>(())
        });
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(f64::from(u32::try_from(transfers)?) / started.elapsed().as_secs_f64())
}

fn request(accounts: &[i64], currency: Currency, shape: Shape) -> Result<Request, kontor_ledger::Refusal> {
    let mut random = rand::rng();
    let count = accounts.len();
    let from = if shape == Shape::Hot { 0 } else { random.random_range(0..count) };
    let to = (from + random.random_range(1..count)) % count;
    let (debit, credit) = (accounts.get(from).copied().unwrap_or(0), accounts.get(to).copied().unwrap_or(0));
    let amount = currency.minor(random.random_range(1..10_000));
    let key = match shape {
        Shape::Scattered => format!("{:032x}", random.random::<u128>()),
        Shape::Uniform | Shape::Hot | Shape::Sales => TransferId::new(SystemClock.now()).to_string(),
    };
    Ok(Request::new(Key::new("bench", &key)?, Order::Move(vec![Leg { debit, credit, amount }])))
}
