use kontor_dispatch::{Faults, RunState, RunStep};
use kontor_runs::Receipt;
use kontor_testkit::On;
use rstest::rstest;

use crate::stage::Stage;

#[rstest]
#[case::before_anything(RunStep::Accepted, 1)]
#[case::when_it_is_prepared(RunStep::Prepared, 1)]
#[case::when_its_program_ended(RunStep::Executed, 1)]
#[tokio::test]
async fn a_worker_that_dies_at_a_step_is_followed_by_one_that_goes_on(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] step: RunStep,
    #[case] executions: i64,
) {
    let faults = Faults::default();
    let armed = faults.clone();
    let Some(stage) = Stage::with(on, move |settings| settings.faults = armed).await else { return };
    let id = stage.script("hello").await;
    faults.after(step, 1);
    stage.work().await;
    assert!(!stage.show(id).await.state.is_over(), "the worker died at {step}");
    stage.pass();
    stage.work().await;
    let run = stage.show(id).await;
    assert_eq!((run.state, run.attempt, run.executions), (RunState::Finished, 2, executions), "{:?}", run.error);
    let ends = stage.states(id).await.into_iter().filter(|state| state == "finished").count();
    assert_eq!(ends, 1);
}

#[rstest]
#[tokio::test]
async fn a_program_that_was_cut_off_is_started_again_and_not_for_ever(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::with(on, |settings| settings.executions = 2).await else { return };
    let id = stage.script("sleep").await;
    for execution in 1..=2 {
        let workers = stage.workers();
        tokio::select! {
            _ = workers.run_due() => {}
            () = async {
                while stage.show(id).await.executions < execution {
                    stage.until_it_speaks(id).await;
                    tokio::task::yield_now().await;
                }
            } => {}
        }
        let run = stage.show(id).await;
        assert_eq!((run.state, run.executions), (RunState::Running, execution));
        stage.work().await;
        assert_eq!(stage.show(id).await.attempt, execution, "its lease holds still");
        stage.pass();
    }
    stage.work().await;
    let run = stage.show(id).await;
    assert_eq!((run.state, run.executions, run.error_code.as_deref()), (RunState::Lost, 2, Some("lost")));
    assert!(run.receipt.is_none());
}

#[rstest]
#[tokio::test]
async fn two_workers_never_do_one_run(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(stage.script("hello").await);
    }
    let [one, two, three] = [stage.workers(), stage.workers(), stage.workers()];
    let (one, two, three) = tokio::join!(one.run_due(), two.run_due(), three.run_due());
    assert_eq!(one.unwrap() + two.unwrap() + three.unwrap(), 4);
    for id in ids {
        let run = stage.show(id).await;
        assert_eq!((run.state, run.attempt, run.executions), (RunState::Finished, 1, 1));
    }
}

#[rstest]
#[tokio::test]
async fn the_receipt_names_the_attempt(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = stage.script("sleep").await;
    let workers = stage.workers();
    tokio::select! {
        _ = workers.run_due() => {}
        () = stage.until_it_speaks(id) => {}
    }
    stage.pass();
    let workers = stage.workers();
    let second = async {
        while stage.show(id).await.executions < 2 {
            tokio::task::yield_now().await;
        }
        stage.runs().cancel(&stage.mia, id).await.unwrap();
    };
    let (done, ()) = tokio::join!(workers.run_due(), second);
    done.unwrap();
    let run = stage.show(id).await;
    assert_eq!(run.state, RunState::Cancelled);
    let (receipt, _) = Receipt::read(&run.receipt.unwrap()).unwrap();
    assert_eq!((receipt.attempt, receipt.exit.outcome.as_str()), (Some(2), "cancelled"));
}

#[tokio::test]
async fn what_was_hidden_before_its_turn_comes_is_not_run() {
    let Some(stage) = Stage::set(On::Sqlite).await else { return };
    let id = stage.script("hello").await;
    let reference = "@acme/tools@1.0.0".parse().unwrap();
    stage.hub.hub.app.registry.hide_version(&stage.admin, &reference, "it does harm").await.unwrap();
    stage.work().await;
    let run = stage.show(id).await;
    assert_eq!((run.state, run.error_code.as_deref(), run.executions), (RunState::Failed, Some("conflict"), 0));
}
