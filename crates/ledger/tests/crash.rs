//! A process that dies in the middle of a storm of transfers loses none that it acknowledged, and does none twice.

mod books;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use books::{Books, On};
use kontor_db::{Db, Options};
use kontor_ledger::{Key, Ledger, Order, Request};
use kontor_types::SystemClock;
use rstest::rstest;

const DATABASE: &str = "KONTOR_LEDGER_STORM";
const ROUNDS: usize = 6;
const CALLERS: i64 = 64;

/// Does something only when the test below starts it in a process of its own.
#[tokio::test(flavor = "multi_thread")]
async fn storm() {
    let Ok(address) = std::env::var(DATABASE) else { return };
    let round = std::process::id();
    let ledger = Ledger::start(Db::open(&Options::url(address)).await.unwrap(), Arc::new(SystemClock));
    let callers = (0..CALLERS).map(|caller| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let key = format!("{round}-{caller}-{number}");
                let order = Order::Move(vec![books::leg(1, 2, 7), books::leg(2, 3, 5)]);
                let request = Request::new(Key::new("storm", &key).unwrap(), order);
                let recorded = ledger.transfer(request).await.unwrap();
                let mut out = std::io::stdout().lock();
                writeln!(out, "ACKNOWLEDGED {key} {}", recorded.transfer.number).unwrap();
                out.flush().unwrap();
            }
        })
    });
    futures::future::join_all(callers).await;
}

#[rstest]
#[tokio::test]
async fn what_was_acknowledged_is_there_once_after_a_kill(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(books) = Books::open(on).await else { return };
    let [bank, ada, shop] = books.usual().await;
    let Books { ledger, address, .. } = &books;
    // On SQLite the child is the only process that writes.
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "storm", "--nocapture"])
            .env(DATABASE, address)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut acknowledged = HashMap::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = |line: String| -> Option<(String, i64)> {
            let (_, rest) = line.split_once("ACKNOWLEDGED ")?;
            let (key, number) = rest.split_once(' ')?;
            Some((key.to_owned(), number.parse().ok()?))
        };
        while acknowledged.len() < 200 + round * 151 {
            acknowledged.extend(told(lines.next().unwrap().unwrap()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it still said before it died counts too; only the last line may be torn.
        let mut rest: Vec<_> = lines.map_while(Result::ok).collect();
        rest.pop();
        acknowledged.extend(rest.into_iter().filter_map(told));
        for (key, number) in &acknowledged {
            let found = ledger.find(&Key::new("storm", key).unwrap()).await.unwrap().unwrap();
            assert_eq!(found.number, *number, "{key}");
        }
        // On Postgres the last commit of the dead may still come.
        let findings = loop {
            let findings = ledger.check().await.unwrap();
            if findings.head == Some(ledger.head().await.unwrap()) {
                break findings;
            }
        };
        assert!(findings.are_clean(), "{findings:?}");
        let moved = i64::try_from(findings.transfers).unwrap() - 1;
        assert!(usize::try_from(moved).unwrap() >= acknowledged.len());
        assert_eq!(books.balances(&[bank, ada, shop]).await, [10_000 + 7 * moved, 10_000 + 2 * moved, 5 * moved]);
    }
}
