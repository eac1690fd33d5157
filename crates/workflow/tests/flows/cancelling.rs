use std::sync::Arc;

use kontor_workflow::{EntryKind, Error, Journal, RetryFrom, StepError, WorkflowState, define};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::stage::{On, Stage, noted, reversible};

/// Five steps that can be taken back; the step `at` says that it is reached, and waits for a word.
fn stopping(stage: &Stage, at: usize) -> (Arc<Notify>, Arc<Notify>) {
    let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (said, wait, book) = (reached.clone(), go.clone(), stage.book.clone());
    stage.define(define("long", 1, move |journal: Journal, _: Value| {
        let (said, wait, book) = (said.clone(), wait.clone(), book.clone());
        async move {
            for number in 0..5 {
                reversible(&journal, &book, &format!("step {number}")).await?;
                let (said, wait) = (said.clone(), wait.clone());
                journal
                    .step(format!("slow {number}"), &number, move |attempt| {
                        let (said, wait) = (said.clone(), wait.clone());
                        async move {
                            if number == at {
                                said.notify_one();
                                tokio::select! {
                                    () = wait.notified() => {}
                                    () = attempt.cancelled().cancelled() => return Err(StepError::cancelled()),
                                }
                            }
                            Ok(())
                        }
                    })
                    .await?;
            }
            Ok(())
        }
    }));
    (reached, go)
}

#[rstest]
#[tokio::test]
async fn what_is_cancelled_is_taken_back_wherever_it_is(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(0, 2, 4)] at: usize,
    #[values(false, true)] crashes: bool,
) {
    let Some(stage) = Stage::set(on).await else { return };
    let (reached, _go) = stopping(&stage, at);
    let id = stage.start("long").await;
    let cancel = async {
        reached.notified().await;
        if !crashes {
            stage.flows.cancel(&stage.mia(), id).await.unwrap();
        }
    };
    if crashes {
        // The worker dies in the step; somebody cancels what nobody has.
        tokio::select! {
            _ = stage.flows.run_due() => {}
            () = cancel => {}
        }
        stage.flows.cancel(&stage.mia(), id).await.unwrap();
        stage.pass();
        stage.work().await;
    } else {
        let (worked, ()) = tokio::join!(stage.flows.run_due(), cancel);
        worked.unwrap();
    }
    let shown = stage.show(id).await;
    assert_eq!((shown.state, shown.error), (WorkflowState::Cancelled, None));
    let done = (0..=at).map(|number| format!("step {number}"));
    let undone = (0..=at).rev().map(|number| format!("undo step {number}"));
    assert_eq!(stage.book.names(), done.chain(undone).collect::<Vec<_>>());
    let kinds = stage.kinds(id).await;
    assert_eq!(kinds.iter().filter(|kind| **kind == EntryKind::Cancelling).count(), 1);
    assert_eq!(stage.flows.cancel(&stage.mia(), id).await.unwrap().state, WorkflowState::Cancelled);
}

#[rstest]
#[tokio::test]
async fn what_nobody_has_is_cancelled_too(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    stage.define(stage.steps(&["one"]));
    let id = stage.start("steps").await;
    stage.flows.cancel(&stage.mia(), id).await.unwrap();
    stage.work().await;
    assert_eq!(stage.show(id).await.state, WorkflowState::Cancelled);
    assert!(stage.book.names().is_empty());
    let anew = stage.flows.retry(&stage.mia(), id, RetryFrom::Start).await.unwrap();
    stage.work().await;
    assert_eq!(stage.show(anew.id).await.state, WorkflowState::Finished);
}

#[rstest]
#[tokio::test]
async fn after_the_seal_it_is_too_late(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let (reached, go, book) = (Arc::new(Notify::new()), Arc::new(Notify::new()), stage.book.clone());
    let (said, wait) = (reached.clone(), go.clone());
    stage.define(define("sealed", 1, move |journal: Journal, _: Value| {
        let (said, wait, book) = (said.clone(), wait.clone(), book.clone());
        async move {
            reversible(&journal, &book, "reserve").await?;
            journal.seal("paying").await?;
            journal
                .step("pay", &1, move |_| {
                    let (said, wait) = (said.clone(), wait.clone());
                    async move {
                        said.notify_one();
                        wait.notified().await;
                        Ok::<_, StepError>(())
                    }
                })
                .await
        }
    }));
    let id = stage.start("sealed").await;
    let cancel = async {
        reached.notified().await;
        let late = stage.flows.cancel(&stage.mia(), id).await;
        go.notify_one();
        late
    };
    let (worked, late) = tokio::join!(stage.flows.run_due(), cancel);
    worked.unwrap();
    assert!(matches!(late, Err(Error::Conflict { .. })));
    assert_eq!(stage.show(id).await.state, WorkflowState::Finished);
    assert_eq!(stage.book.names(), ["reserve"]);
}

#[rstest]
#[tokio::test]
async fn whoever_cancels_a_workflow_cancels_what_it_waits_for(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let (reached, _go) = stopping(&stage, 1);
    stage.define(define("parent", 1, |journal: Journal, _: Value| async move {
        journal.child("the other", "long", &json!(null)).await
    }));
    let id = stage.start("parent").await;
    tokio::select! {
        _ = stage.flows.run_due() => {}
        () = reached.notified() => {}
    }
    stage.flows.cancel(&stage.mia(), id).await.unwrap();
    stage.pass();
    stage.work().await;
    assert_eq!(stage.show(id).await.state, WorkflowState::Cancelled);
    assert_eq!(stage.book.names(), ["step 0", "step 1", "undo step 1", "undo step 0"]);
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_taken_back_stalls_and_all_else_is(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let (book, refuses) = (stage.book.clone(), Arc::new(std::sync::atomic::AtomicBool::new(true)));
    let stubborn = refuses.clone();
    stage.define(define("stubborn", 1, move |journal: Journal, _: Value| {
        let (book, stubborn) = (book.clone(), stubborn.clone());
        async move {
            reversible(&journal, &book, "one").await?;
            journal.undo("two", &2, move |_| {
                let refuses = stubborn.load(std::sync::atomic::Ordering::SeqCst);
                async move { if refuses { Err(StepError::refused("shut", "the shop is shut")) } else { Ok(()) } }
            });
            noted(&journal, &book, "two").await?;
            journal.wait_until("long", kontor_types::Timestamp::from_micros(i64::MAX)).await
        }
    }));
    let id = stage.start("stubborn").await;
    stage.work().await;
    stage.flows.cancel(&stage.mia(), id).await.unwrap();
    stage.work().await;
    let shown = stage.show(id).await;
    assert_eq!((shown.state, shown.error_code.as_deref()), (WorkflowState::Stalled, Some("shut")));
    assert_eq!(stage.book.names(), ["one", "two", "undo one"]);
    refuses.store(false, std::sync::atomic::Ordering::SeqCst);
    stage.flows.retry(&stage.mia(), id, RetryFrom::Step).await.unwrap();
    stage.work().await;
    assert_eq!(stage.show(id).await.state, WorkflowState::Cancelled);
    assert_eq!(stage.book.names(), ["one", "two", "undo one"], "what was taken back is not taken back again");
}
