//! Progress of a run: one step after another, each written by the attempt that has the run and by no other.

use kontor_db::jobs::{self, NewJob};
use kontor_db::runs::{self, Executed, NewRun, RunState, RunStep};
use kontor_types::RunId;
use rstest::rstest;
use serde_json::json;

use super::a_run;
use crate::fixtures::{NOW, World, later};
use crate::support::On;

fn came() -> Executed {
    Executed { result: json!({"exit": 0}), receipt: b"signed".to_vec(), salts: json!({"input": "salt"}) }
}

#[rstest]
#[tokio::test]
async fn a_stale_attempt_writes_nothing(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let id = world.run(world.ada, world.acme, NOW).await;
    let first = write!(world.db(), |tx| runs::begin(tx, id, "one")).unwrap();
    assert_eq!((first.attempt, first.worker.as_deref()), (1, Some("one")));
    assert!(write!(world.db(), |tx| runs::prepared(tx, id, 1, &json!({"packages": []}))));
    let second = write!(world.db(), |tx| runs::begin(tx, id, "two")).unwrap();
    assert_eq!((second.attempt, second.worker.as_deref()), (2, Some("two")));
    assert_eq!(second.layer, Some(json!({"packages": []})), "what was written down is there for the next");
    assert_eq!(runs::is_held(&mut world.conn().await, id, 1).await.unwrap(), None);
    assert_eq!(runs::is_held(&mut world.conn().await, id, 2).await.unwrap(), Some(false));

    let until = (later(1), later(9));
    assert!(!write!(world.db(), |tx| runs::executing(tx, id, 1, false, later(1))));
    assert!(!write!(world.db(), |tx| runs::prepared(tx, id, 1, &json!({"packages": ["stale"]}))));
    assert!(!write!(world.db(), |tx| runs::executing(tx, id, 1, true, later(1))));
    assert!(!write!(world.db(), |tx| runs::executed(tx, id, 1, &came())));
    assert!(!write!(world.db(), |tx| runs::end(tx, id, Some(1), RunState::Finished, None, until)));
    assert_eq!(world.shown(id).await, second);
}

#[rstest]
#[tokio::test]
async fn a_step_is_done_once_and_in_its_turn(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let id = world.run(world.ada, world.acme, NOW).await;
    write!(world.db(), |tx| runs::begin(tx, id, "one"));
    assert!(write!(world.db(), |tx| runs::executing(tx, id, 1, false, later(1))));
    assert_eq!(world.shown(id).await.state, RunState::Preparing);
    assert!(!write!(world.db(), |tx| runs::executing(tx, id, 1, true, later(1))), "it is not prepared");
    assert!(!write!(world.db(), |tx| runs::executed(tx, id, 1, &came())), "it is not prepared");
    assert!(write!(world.db(), |tx| runs::prepared(tx, id, 1, &json!({"packages": []}))));
    assert!(write!(world.db(), |tx| runs::executing(tx, id, 1, true, later(2))));
    write!(world.db(), |tx| runs::begin(tx, id, "two"));
    assert!(write!(world.db(), |tx| runs::executing(tx, id, 2, true, later(3))));
    let run = world.shown(id).await;
    assert_eq!((run.state, run.executions, run.started_at), (RunState::Running, 2, Some(later(2))));

    assert!(write!(world.db(), |tx| runs::executed(tx, id, 2, &came())));
    assert!(!write!(world.db(), |tx| runs::executed(tx, id, 2, &came())), "what came of it stays");
    assert!(!write!(world.db(), |tx| runs::executing(tx, id, 2, true, later(4))), "it is never started again");
    let (until, late) = ((later(5), later(9)), (later(6), later(10)));
    assert!(write!(world.db(), |tx| runs::end(tx, id, Some(2), RunState::Finished, None, until)));
    let error = Some(("late", "too late"));
    assert!(!write!(world.db(), |tx| runs::end(tx, id, None, RunState::Failed, error, late)), "it is over");
    assert_eq!(write!(world.db(), |tx| runs::begin(tx, id, "three")), None);
    assert_eq!(runs::is_held(&mut world.conn().await, id, 2).await.unwrap(), None);

    let run = world.shown(id).await;
    assert_eq!((run.state, run.step, run.executions), (RunState::Finished, RunStep::Recorded, 2));
    assert_eq!((run.result, run.receipt, run.salts), (Some(came().result), Some(came().receipt), Some(came().salts)));
    assert_eq!((run.ended_at, run.keep_until), (Some(later(5)), Some(later(9))));
    assert_eq!((run.error_code, run.error), (None, None));
}

#[rstest]
#[tokio::test]
async fn a_waiting_run_is_cancelled_at_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let id = world.run(world.ada, world.acme, NOW).await;
    let until = (later(1), later(9));
    let state = write!(world.db(), |tx| runs::cancel(tx, id, until));
    assert_eq!(state, Some(RunState::Cancelled));
    let run = world.shown(id).await;
    assert_eq!((run.state, run.step), (RunState::Cancelled, RunStep::Recorded));
    assert_eq!((run.cancel_at, run.ended_at, run.keep_until), (Some(later(1)), Some(later(1)), Some(later(9))));
    assert!(run.state.is_over());
    assert_eq!(write!(world.db(), |tx| runs::cancel(tx, id, until)), None, "it is over");
    assert_eq!(write!(world.db(), |tx| runs::begin(tx, id, "one")), None);
    let nobody = RunId::new(NOW);
    assert_eq!(write!(world.db(), |tx| runs::cancel(tx, nobody, until)), None);
}

#[rstest]
#[tokio::test]
async fn the_worker_is_told_that_its_run_is_unwanted(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let id = world.run(world.ada, world.acme, NOW).await;
    write!(world.db(), |tx| runs::begin(tx, id, "one"));
    write!(world.db(), |tx| runs::executing(tx, id, 1, false, later(1)));
    for seconds in [2, 3] {
        let state = write!(world.db(), |tx| runs::cancel(tx, id, (later(seconds), later(9))));
        assert_eq!(state, Some(RunState::Preparing), "it is for the worker to stop it");
    }
    assert_eq!(runs::is_held(&mut world.conn().await, id, 1).await.unwrap(), Some(true));
    let run = world.shown(id).await;
    assert_eq!((run.cancel_at, run.ended_at), (Some(later(2)), None));
    let error = Some(("cancelled", "nobody wants it"));
    assert!(write!(world.db(), |tx| runs::end(tx, id, Some(1), RunState::Cancelled, error, (later(4), later(9)))));
    let run = world.shown(id).await;
    assert_eq!((run.state, run.ended_at), (RunState::Cancelled, Some(later(4))));
    assert_eq!((run.error_code.as_deref(), run.error.as_deref()), error.unzip());
}

#[rstest]
#[tokio::test]
async fn a_run_without_a_place_in_the_queue_is_an_orphan(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let job = NewJob { kind: "run".to_owned(), key: None, payload: json!({}), run_at: NOW, max_attempts: 3 };
    let job_id = write!(world.db(), |tx| jobs::enqueue(tx, &job, NOW)).unwrap();
    let queued = NewRun { job_id, ..a_run(world.ada, world.acme, NOW) };
    write!(world.db(), |tx| runs::insert(tx, &queued));
    let orphan = world.run(world.ada, world.acme, NOW).await;
    assert_eq!(runs::orphans(&mut world.conn().await, 10).await.unwrap(), [orphan]);
    let error = Some(("lost", "its place in the queue is gone"));
    assert!(write!(world.db(), |tx| runs::end(tx, orphan, None, RunState::Lost, error, (later(1), later(9)))));
    assert!(runs::orphans(&mut world.conn().await, 10).await.unwrap().is_empty());
}
