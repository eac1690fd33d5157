//! Postgres falls over and comes back while errands are done and transfers are recorded.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kontor_agents::NewErrand;
use kontor_ledger::{Key, Ledger, Leg, NewAccount, Order, Request, Side};
use kontor_workflow::WorkflowState;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::stage::{REQUEST, Stage, told, understood, yuan};

/// How often it falls over.
const CRASHES: usize = 3;
const ERRANDS: usize = 6;
/// Callers that record transfers, one after another.
const CALLERS: usize = 8;

async fn account(ledger: &Ledger, code: &str, side: Side) -> i64 {
    let (owner_kind, owner, currency) = ("test".to_owned(), "load".to_owned(), "CNY".parse().unwrap());
    let new = NewAccount { owner_kind, owner, code: code.to_owned(), currency, side, guarded: false };
    ledger.open(new).await.unwrap().number
}

/// Records one transfer of one fen after another, each with a key of its own until it is acknowledged; which were at the first try,
/// and which only after it had failed.
async fn transfers(ledger: Ledger, from: i64, to: i64, caller: usize, stop: Arc<AtomicBool>) -> BTreeMap<String, u32> {
    let mut done = BTreeMap::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("{caller}-{number}");
        for tries in 1_u32.. {
            let order = Order::Move(vec![Leg { debit: from, credit: to, amount: yuan(1) }]);
            if ledger.transfer(Request::new(Key::new("load", &key).unwrap(), order)).await.is_ok() {
                done.insert(key, tries);
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_falls_over_under_load_and_nothing_is_lost_or_done_twice() {
    let Some(cluster) = Cluster::start() else { return };
    let cluster = Arc::new(Mutex::new(cluster));
    let address = cluster.lock().unwrap().url();
    // Its only line is repeated: it is no pick, so that the comparison's advice stands.
    let stage = Stage::at(address, vec![understood()]).await;
    let stop = CancellationToken::new();
    // The hub's clock goes on as the world's does, for pauses and leases.
    let (clock, end) = (stage.hub.clock.clone(), stop.clone());
    tokio::spawn(async move {
        while !end.is_cancelled() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            clock.advance(Duration::from_millis(20));
        }
    });
    let ledger = stage.hub.hub.app.ledger.clone();
    let (bank, till) = (account(&ledger, "bank", Side::Debit).await, account(&ledger, "till", Side::Credit).await);
    let done = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> =
        (0..CALLERS).map(|one| tokio::spawn(transfers(ledger.clone(), bank, till, one, Arc::clone(&done)))).collect();
    let mandate = stage.mandate_over(8_000_000, 100, &[]).await;
    stage.hub.hub.app.commerce.top_up(stage.person(), "more", yuan(1_000_000)).await.unwrap();
    let before = stage.purse().await.0;
    let mut errands = Vec::new();
    for number in 0..ERRANDS {
        let new = NewErrand { request: REQUEST.to_owned(), mandate: Some(mandate), ..NewErrand::default() };
        errands.push(stage.agents.ask(&stage.ada, &format!("errand {number}"), &new).await.unwrap());
    }
    let (workflows, end) = (stage.workflows.clone(), stop.clone());
    let worker = tokio::spawn(async move { workflows.run(2, end).await });
    for _ in 0..CRASHES {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let cluster = Arc::clone(&cluster);
        tokio::task::spawn_blocking(move || cluster.lock().unwrap().crash()).await.unwrap();
    }
    let mut spent = 0;
    for id in &errands {
        let errand = ended(&stage, *id).await;
        assert_eq!(errand.workflow.state, WorkflowState::Finished, "{} {:?}", told(&errand), errand.error);
        spent += errand.bought.unwrap().total.minor;
    }
    done.store(true, Ordering::Relaxed);
    let (mut acknowledged, mut again) = (0, 0);
    for caller in callers {
        for (key, tries) in caller.await.unwrap() {
            acknowledged += 1;
            again += i64::from(tries > 1);
            assert!(ledger.find(&Key::new("load", &key).unwrap()).await.unwrap().is_some(), "{key} was acknowledged");
        }
    }
    assert_eq!(stage.orders(), ERRANDS, "each errand ordered once");
    assert_eq!(stage.purse().await, (before - spent, before - spent), "and was charged once; nothing stays held");
    let balance = ledger.account(till).await.unwrap().unwrap().balance();
    assert_eq!(balance, acknowledged, "each transfer is there once, also those that were asked for again");
    assert!(acknowledged > 100 && again > 0, "{acknowledged} {again}: the load met the crashes");
    stage.clean().await;
    eprintln!("{CRASHES} crashes, {acknowledged} transfers, {again} asked for again, {ERRANDS} errands");
    stop.cancel();
    worker.await.unwrap();
}

/// The errand at its end; while the database is away, asked for again.
async fn ended(stage: &Stage, id: kontor_types::WorkflowId) -> kontor_agents::Errand {
    for _ in 0..60 {
        if let Ok(errand) = stage.agents.result(&stage.ada, id, Duration::from_secs(5)).await
            && errand.workflow.state.is_over()
        {
            return errand;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    stage.agents.show(&stage.ada, id, None).await.unwrap()
}
