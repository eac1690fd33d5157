use std::time::Duration;

use kontor_workflow::EntryKind::{Child, ChildEnded, Ended, Started};
use kontor_workflow::{Journal, Stop, WorkflowState, define};
use rstest::rstest;
use serde_json::{Value, json};

use crate::stage::{On, Stage, noted};

#[rstest]
#[tokio::test]
async fn parts_run_beside_each_other_and_wait_alone(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let (book, at) = (stage.book.clone(), stage.now().after(Duration::from_mins(5)));
    stage.define(define("both", 1, move |journal: Journal, (): ()| {
        let book = book.clone();
        async move {
            let left = async {
                let part = journal.branch("left");
                noted(&part, &book, "one").await?;
                part.wait_until("a while", at).await?;
                noted(&part, &book, "two").await
            };
            let right = async {
                let part = journal.branch("right");
                noted(&part, &book, "three").await?;
                noted(&part, &book, "four").await
            };
            let (left, right) = futures::join!(left, right);
            noted(&journal, &book, "end").await?;
            Ok((left?, right?))
        }
    }));
    let start = kontor_workflow::Start { input: Value::Null, ..stage.asked("both", "key") };
    let id = stage.flows.start(start).await.unwrap().id;
    stage.work().await;
    let shown = stage.show(id).await;
    assert_eq!((shown.state, shown.wake_at), (WorkflowState::Waiting, Some(at)));
    assert_eq!(stage.work().await, 0, "it is not time yet");
    stage.pass();
    stage.work().await;
    assert_eq!(stage.show(id).await.result(), Some(json!(["two done", "four done"])));
    let mut done = stage.book.names();
    assert_eq!(done.split_off(3), ["two", "end"]);
    done.sort();
    assert_eq!(done, ["four", "one", "three"]);
    stage.entries(id).await;
}

#[rstest]
#[tokio::test]
async fn a_workflow_waits_for_another_one(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[values(false, true)] refuses: bool,
) {
    let Some(stage) = Stage::set(on).await else { return };
    stage.define(define("child", 1, move |journal: Journal, input: Value| async move {
        journal.tell("here", &json!({})).await?;
        if refuses { Err(Stop::refuse("too_dear", "it is too dear")) } else { Ok(json!({ "got": input })) }
    }));
    stage.define(define("parent", 1, |journal: Journal, _: Value| async move {
        journal.child("ask the other", "child", &json!(7)).await
    }));
    let id = stage.start("parent").await;
    stage.work().await;
    let shown = stage.show(id).await;
    if refuses {
        let error = (shown.state, shown.error_code.as_deref(), shown.error.as_deref());
        assert_eq!(error, (WorkflowState::Failed, Some("too_dear"), Some("it is too dear")));
    } else {
        assert_eq!((shown.state, shown.result()), (WorkflowState::Finished, Some(json!({ "got": 7 }))));
    }
    assert_eq!(stage.kinds(id).await, [Started, Child, ChildEnded, Ended]);
}

#[rstest]
#[case::another_name(&["one", "two"], &["one", "other", "more"], "step `two`")]
#[case::another_order(&["one", "two"], &["two", "one", "more"], "step `one`")]
#[tokio::test]
async fn a_definition_that_asks_for_something_else_stops(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] before: &'static [&'static str],
    #[case] after: &'static [&'static str],
    #[case] journaled: &str,
) {
    let Some(stage) = Stage::set(on).await else { return };
    let at = stage.now().after(Duration::from_mins(5));
    for (version, names) in [(1, before), (2, after)] {
        let flows = if version == 1 { stage.flows.clone() } else { stage.another().await };
        let book = stage.book.clone();
        flows.define(define("changed", 1, move |journal: Journal, _: Value| {
            let book = book.clone();
            async move {
                for name in names {
                    noted(&journal, &book, name).await?;
                }
                journal.wait_until("then", at).await
            }
        }));
        if version == 1 {
            stage.start("changed").await;
        } else {
            stage.pass();
        }
        flows.run_due().await.unwrap();
    }
    let id = stage.start("changed").await;
    let shown = stage.show(id).await;
    assert_eq!((shown.state, shown.error_code.as_deref()), (WorkflowState::Stalled, Some("journal_diverged")));
    assert!(shown.error.as_ref().unwrap().contains(journaled), "{:?}", shown.error);
    assert_eq!(stage.book.names(), before, "nothing was done again, and nothing else");
}

#[rstest]
#[tokio::test]
async fn a_workflow_keeps_the_version_with_which_it_began(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let at = stage.now().after(Duration::from_mins(5));
    let versions = |version: u32| {
        define("flow", version, move |journal: Journal, _: Value| async move {
            journal.wait_until("then", at).await?;
            Ok(version)
        })
    };
    stage.define(versions(1));
    let old = stage.start("flow").await;
    stage.work().await;
    stage.define(versions(2));
    let new = stage.flows.start(stage.asked("flow", "other")).await.unwrap().id;
    let elsewhere = stage.another().await;
    elsewhere.define(versions(2));
    stage.pass();
    assert_eq!(elsewhere.run_due().await.unwrap(), 1, "it has the new one only");
    assert_eq!(stage.show(new).await.result(), Some(json!(2)));
    stage.work().await;
    assert_eq!((stage.show(old).await.result(), stage.show(old).await.version), (Some(json!(1)), 1));
}
