use kontor_workflow::{EntryKind, Error, Journal, RetryFrom, Step, StepError, Stop, WorkflowState, define};
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::stage::{On, Stage, noted, reversible};

/// A definition with a step that fails as `how` says, and then is done.
fn failing(stage: &Stage, times: u32, how: fn() -> StepError) -> Arc<AtomicU32> {
    let (book, tried) = (stage.book.clone(), Arc::new(AtomicU32::new(0)));
    let counted = tried.clone();
    stage.define(define("failing", 1, move |journal: Journal, _: Value| {
        let (book, tried) = (book.clone(), tried.clone());
        async move {
            reversible(&journal, &book, "reserve").await?;
            let step = Step::named("pay").tries(3).backing_off(Duration::from_mins(1), Duration::from_mins(1));
            let paid = journal.step(step, &1, |attempt| {
                book.write("pay", &attempt);
                let number = tried.fetch_add(1, Ordering::SeqCst) + 1;
                async move { if number <= times { Err(how()) } else { Ok(attempt.number) } }
            });
            let paid = paid.await?;
            noted(&journal, &book, "end").await?;
            Ok(paid)
        }
    }));
    counted
}

#[rstest]
#[tokio::test]
async fn a_step_is_tried_again_after_a_pause(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    failing(&stage, 2, || StepError::retry("busy"));
    let id = stage.start("failing").await;
    for tries in 1..=2 {
        stage.work().await;
        assert_eq!(stage.book.keys("pay").len(), tries);
        let shown = stage.show(id).await;
        assert_eq!(shown.state, WorkflowState::Waiting);
        assert!(shown.wake_at.unwrap() >= stage.now().after(Duration::from_mins(1)));
        stage.pass();
    }
    stage.work().await;
    assert_eq!(stage.show(id).await.result(), Some(json!(3)), "the third try");
    let keys = stage.book.keys("pay");
    assert!(keys.iter().all(|key| *key == keys[0]), "each try has the same key");
    assert_eq!(stage.book.names(), ["reserve", "pay", "pay", "pay", "end"]);
    let failed = stage.entries(id).await.into_iter().filter(|entry| entry.kind == EntryKind::Failed).count();
    assert_eq!(failed, 2);
}

#[rstest]
#[case::used_up(|| StepError::retry("busy"), 3, "exhausted")]
#[case::unknown(|| StepError::lost("no answer"), 1, "lost")]
#[tokio::test]
async fn what_a_person_must_decide_stalls_and_goes_on_from_there(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] how: fn() -> StepError,
    #[case] times: u32,
    #[case] code: &str,
) {
    let Some(stage) = Stage::set(on).await else { return };
    let tried = failing(&stage, times, how);
    let id = stage.start("failing").await;
    for _ in 0..times {
        stage.work().await;
        stage.pass();
    }
    let shown = stage.show(id).await;
    assert_eq!((shown.state, shown.error_code.as_deref()), (WorkflowState::Stalled, Some(code)));
    assert_eq!(tried.load(Ordering::SeqCst), times);
    assert_eq!(stage.work().await, 0, "it does not go on by itself");
    let start = stage.flows.retry(&stage.mia(), id, RetryFrom::Start).await;
    assert!(matches!(start, Err(Error::Conflict { .. })), "what it did is not taken back");
    stage.flows.retry(&stage.mia(), id, RetryFrom::Step).await.unwrap();
    stage.work().await;
    assert_eq!(stage.show(id).await.state, WorkflowState::Finished);
    let keys = stage.book.keys("pay");
    assert!(keys.iter().all(|key| *key == keys[0]));
    assert_eq!((stage.book.keys("reserve").len(), stage.book.keys("end").len()), (1, 1));
    stage.entries(id).await;
}

#[rstest]
#[tokio::test]
async fn what_is_refused_is_taken_back_and_may_be_begun_anew(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    failing(&stage, 1, || StepError::refused("no_money", "the purse is empty"));
    let id = stage.start("failing").await;
    stage.work().await;
    let shown = stage.show(id).await;
    let said = (shown.state, shown.error_code.as_deref(), shown.error.as_deref());
    assert_eq!(said, (WorkflowState::Failed, Some("no_money"), Some("the purse is empty")));
    assert_eq!(stage.book.names(), ["reserve", "pay", "undo reserve"]);
    let step = stage.flows.retry(&stage.mia(), id, RetryFrom::Step).await;
    assert!(matches!(step, Err(Error::Conflict { .. })), "what it stood on is gone");
    let anew = stage.flows.retry(&stage.mia(), id, RetryFrom::Start).await.unwrap();
    assert_eq!((anew.retry_of, anew.kind.as_str()), (Some(id), "failing"));
    let twice = stage.flows.retry(&stage.mia(), id, RetryFrom::Start).await.unwrap();
    assert_eq!(twice.id, anew.id);
    stage.work().await;
    assert_eq!(stage.show(anew.id).await.state, WorkflowState::Finished);
}

#[rstest]
#[tokio::test]
async fn a_definition_may_know_another_way(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let book = stage.book.clone();
    stage.define(define("two ways", 1, move |journal: Journal, _: Value| {
        let book = book.clone();
        async move {
            let refused = |_| async { Err::<(), _>(StepError::refused("sold_out", "sold out")) };
            match journal.step("first shop", &1, refused).await {
                Err(Stop::Refused { code, .. }) if code == "sold_out" => noted(&journal, &book, "second shop").await,
                other => other.map(|()| String::new()),
            }
        }
    }));
    let id = stage.start("two ways").await;
    stage.work().await;
    assert_eq!(stage.show(id).await.result(), Some(json!("second shop done")));
}

#[rstest]
#[case::panics("panics", "lost")]
#[case::too_large("too large", "lost")]
#[case::name("", "definition_invalid")]
#[tokio::test]
async fn a_definition_that_breaks_a_rule_stalls(
    #[values(On::Sqlite)] on: On,
    #[case] name: &'static str,
    #[case] code: &str,
) {
    let Some(stage) = Stage::with(on, |settings| settings.text = 1_000).await else { return };
    stage.define(define("wrong", 1, move |journal: Journal, _: Value| async move {
        let step = journal.step(name, &1, |_| async {
            assert_ne!(name, "panics", "as it should");
            Ok::<_, StepError>("x".repeat(2_000))
        });
        step.await
    }));
    let id = stage.start("wrong").await;
    stage.work().await;
    let shown = stage.show(id).await;
    assert_eq!((shown.state, shown.error_code.as_deref()), (WorkflowState::Stalled, Some(code)));
}
