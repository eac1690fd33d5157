use std::time::{Duration, SystemTime};

use kontor_dispatch::{Error, FileWay, RunState};
use kontor_registry::collect::collect;
use kontor_runs::Receipt;
use kontor_testkit::On;
use rstest::rstest;

use crate::stage::Stage;

#[rstest]
#[tokio::test]
async fn a_run_that_waits_is_cancelled_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = stage.script("hello").await;
    assert_eq!(stage.runs().cancel(&stage.mia, id).await.unwrap().state, RunState::Cancelled);
    stage.work().await;
    let run = stage.show(id).await;
    assert_eq!((run.state, run.executions), (RunState::Cancelled, 0));
    assert_eq!(stage.states(id).await, ["queued", "cancelled"]);
    assert!(matches!(stage.runs().receipt(&stage.mia, id).await, Err(Error::Conflict { .. })));
}

#[rstest]
#[tokio::test]
async fn a_run_under_way_is_ended_with_all_its_processes_and_a_receipt(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = stage.script("sleep").await;
    let workers = stage.workers();
    let cancel = async {
        stage.until_it_speaks(id).await;
        let run = stage.runs().cancel(&stage.mia, id).await.unwrap();
        assert_eq!((run.state, run.cancel_at.is_some()), (RunState::Running, true));
    };
    let (done, ()) = tokio::join!(workers.run_due(), cancel);
    done.unwrap();
    let run = stage.show(id).await;
    assert_eq!((run.state, run.error_code.as_deref()), (RunState::Cancelled, Some("cancelled")));
    assert!(run.receipt.is_some());
    let again = stage.runs().cancel(&stage.mia, id).await.unwrap();
    assert_eq!(again.ended_at, run.ended_at, "what is over stays as it is");
}

/// Kills every launcher that this process started, which is that of one run.
fn kill_launchers() {
    let own = std::process::id().to_string();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((name, rest)) = stat.rsplit_once(')') else { continue };
        if name.contains("kontor-dispatch") && rest.split_whitespace().nth(1) == Some(&own) {
            let killed = std::process::Command::new("kill").arg("-KILL").arg(entry.file_name()).status().unwrap();
            assert!(killed.success());
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_run_whose_launcher_is_killed_is_lost_and_has_a_receipt(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = stage.script("sleep").await;
    let workers = stage.workers();
    let lose = async {
        stage.until_it_speaks(id).await;
        kill_launchers();
    };
    let (done, ()) = tokio::join!(workers.run_due(), lose);
    done.unwrap();
    let run = stage.show(id).await;
    assert_eq!((run.state, run.executions), (RunState::Lost, 1), "{:?}", run.error);
    let (receipt, _) = Receipt::read(&stage.runs().receipt(&stage.mia, id).await.unwrap()).unwrap();
    assert_eq!((receipt.run, receipt.exit.outcome.as_str()), (id, "lost"));
    // It may have done something already, so it is not done again by itself.
    stage.pass();
    stage.work().await;
    assert_eq!(stage.show(id).await.executions, 1);
}

#[rstest]
#[tokio::test]
async fn a_cancelled_run_is_not_started_when_its_worker_died(#[values(On::Sqlite, On::Postgres)] on: On) {
    let faults = kontor_dispatch::Faults::default();
    let armed = faults.clone();
    let Some(stage) = Stage::with(on, move |settings| settings.faults = armed).await else { return };
    let id = stage.script("hello").await;
    faults.after(kontor_dispatch::RunStep::Prepared, 1);
    stage.work().await;
    assert_eq!(stage.runs().cancel(&stage.mia, id).await.unwrap().state, RunState::Preparing);
    stage.pass();
    stage.work().await;
    let run = stage.show(id).await;
    assert_eq!((run.state, run.executions), (RunState::Cancelled, 0));
}

#[rstest]
#[tokio::test]
async fn a_retry_is_another_run_of_the_same(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = stage.script("fail").await;
    assert!(matches!(stage.runs().retry(&stage.mia, id).await, Err(Error::Conflict { .. })), "it is not over");
    stage.work().await;
    let again = stage.runs().retry(&stage.mia, id).await.unwrap();
    assert_eq!((again.retry_of, again.state, again.asked), (Some(id), RunState::Queued, stage.show(id).await.asked));
    stage.work().await;
    assert_eq!(stage.show(again.id).await.state, RunState::Failed);
}

#[rstest]
#[tokio::test]
async fn files_are_kept_for_their_time_and_then_collected(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = stage.script("foreign").await;
    stage.work().await;
    let app = &stage.hub.hub.app;
    let file = stage.runs().file(&stage.mia, id, FileWay::Out, "red.txt").await.unwrap();
    let later = SystemTime::now() + Duration::from_hours(48);
    collect(&app.db, &app.blobs, later, Duration::ZERO).await.unwrap();
    assert!(app.blobs.exists(&file.digest).await.unwrap(), "a run speaks of it");
    stage.hub.clock.advance(Duration::from_hours(31 * 24));
    assert_eq!(stage.runs().sweep().await.unwrap(), 1);
    collect(&app.db, &app.blobs, later, Duration::ZERO).await.unwrap();
    assert!(!app.blobs.exists(&file.digest).await.unwrap());
    let run = stage.show(id).await;
    assert!(run.forgotten_at.is_some() && run.receipt.is_some(), "the receipt stays");
    assert!(stage.runs().files(&stage.mia, id, FileWay::Out).await.unwrap().is_empty());
    assert!(matches!(stage.runs().retry(&stage.mia, id).await, Err(Error::Conflict { .. })));
}

#[rstest]
#[tokio::test]
async fn watching_goes_on_after_any_event(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = stage.script("hello").await;
    stage.work().await;
    let all = stage.told(id, 0).await;
    let numbers: Vec<i64> = all.iter().map(|event| event.number).collect();
    assert_eq!(numbers, (1..=i64::try_from(all.len()).unwrap()).collect::<Vec<_>>());
    for after in 0..all.len() {
        assert_eq!(stage.told(id, i64::try_from(after).unwrap()).await, all[after..]);
    }
}
