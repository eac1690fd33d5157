use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use kontor_types::PageSize;
use kontor_workflow::{EntryKind, Error, Journal, StepError, WorkflowState, define};
use rstest::rstest;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use kontor_db::testing;

use crate::stage::{On, Stage, effect, noted};

#[rstest]
#[tokio::test]
async fn two_workers_never_do_one_workflow(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let other = stage.another().await;
    stage.define(stage.steps(&["one", "two"]));
    other.define(stage.steps(&["one", "two"]));
    for number in 0..20 {
        stage.flows.start(stage.asked("steps", &format!("key {number}"))).await.unwrap();
    }
    let (one, two) = tokio::join!(stage.flows.run_due(), other.run_due());
    assert_eq!(one.unwrap() + two.unwrap(), 20);
    assert_eq!(stage.book.names().len(), 40);
}

#[rstest]
#[tokio::test]
async fn a_worker_that_wakes_up_late_writes_nothing(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let other = stage.another().await;
    for (flows, sleeps) in [(&stage.flows, true), (&other, false)] {
        let (book, said, wait) = (stage.book.clone(), reached.clone(), go.clone());
        flows.define(define("slow", 1, move |journal: Journal, _: Value| {
            let (book, said, wait) = (book.clone(), said.clone(), wait.clone());
            async move {
                noted(&journal, &book, "one").await?;
                let who = journal.step("two", &2, move |_| {
                    let (said, wait) = (said.clone(), wait.clone());
                    async move {
                        if sleeps {
                            said.notify_one();
                            wait.notified().await;
                        }
                        Ok::<_, StepError>(if sleeps { "the late one" } else { "the second one" }.to_owned())
                    }
                });
                let who = who.await?;
                noted(&journal, &book, "three").await?;
                Ok(who)
            }
        }));
    }
    let id = stage.start("slow").await;
    let second = async {
        reached.notified().await;
        assert_eq!(other.run_due().await.unwrap(), 0, "its lease holds");
        stage.pass();
        assert_eq!(other.run_due().await.unwrap(), 1);
        go.notify_one();
    };
    let (first, ()) = tokio::join!(stage.flows.run_due(), second);
    first.unwrap();
    let shown = stage.show(id).await;
    assert_eq!((shown.state, shown.attempt), (WorkflowState::Finished, 2));
    assert_eq!(shown.result(), Some(serde_json::json!("the second one")));
    assert_eq!(stage.book.names(), ["one", "three"]);
    stage.entries(id).await;
}

#[rstest]
#[tokio::test]
async fn what_kills_its_workers_stalls_in_the_end(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::with(on, |settings| settings.crashes = 2).await else { return };
    let reached = Arc::new(Notify::new());
    let said = reached.clone();
    stage.define(define("deadly", 1, move |journal: Journal, _: Value| {
        let said = said.clone();
        async move {
            journal
                .step("die", &1, move |_| {
                    said.notify_one();
                    std::future::pending::<Result<(), StepError>>()
                })
                .await
        }
    }));
    let id = stage.start("deadly").await;
    for _ in 0..2 {
        tokio::select! {
            _ = stage.flows.run_due() => {}
            () = reached.notified() => {}
        }
        stage.pass();
    }
    stage.work().await;
    let shown = stage.show(id).await;
    assert_eq!((shown.state, shown.error_code.as_deref()), (WorkflowState::Stalled, Some("lost")));
    assert_eq!(stage.flows.counts().await.unwrap().stalled, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn workers_do_what_is_begun_and_are_followed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    stage.define(stage.steps(&["one", "two", "three"]));
    let early = stage.flows.start(stage.asked("steps", "early")).await.unwrap().id;
    let stop = CancellationToken::new();
    let (flows, ends) = (stage.flows.clone(), stop.clone());
    let running = tokio::spawn(async move { flows.run(4, ends).await });
    let mut ids = vec![early];
    for number in 0..30 {
        ids.push(stage.flows.start(stage.asked("steps", &format!("key {number}"))).await.unwrap().id);
    }
    for id in &ids {
        let shown = stage.flows.result(&stage.mia(), *id, Duration::from_mins(1)).await.unwrap();
        assert_eq!(shown.state, WorkflowState::Finished);
    }
    let told: Vec<_> = stage.flows.watch(&stage.mia(), early, 2).await.unwrap().map(Result::unwrap).collect().await;
    assert_eq!(told.iter().map(|entry| entry.number).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(told.last().unwrap().kind, EntryKind::Ended);
    stop.cancel();
    running.await.unwrap();
    assert_eq!(stage.book.names().len(), 93);
    let after = stage.flows.start(stage.asked("steps", "after")).await.unwrap().id;
    assert_eq!(stage.show(after).await.state, WorkflowState::Queued);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_up_under_load_loses_nothing_and_doubles_nothing(#[values(On::Postgres)] on: On) {
    let Some(stage) = Stage::with(on, |settings| settings.crashes = 1_000).await else { return };
    let book = stage.book.clone();
    stage.define(define("loaded", 1, move |journal: Journal, _: Value| {
        let book = book.clone();
        async move {
            noted(&journal, &book, "one").await?;
            effect(&journal, "two").await?;
            noted(&journal, &book, "three").await
        }
    }));
    let stop = CancellationToken::new();
    let (flows, ends) = (stage.flows.clone(), stop.clone());
    let running = tokio::spawn(async move { flows.run(16, ends).await });
    let begun = (0..150).map(|number| stage.flows.start(stage.asked("loaded", &format!("key {number}"))));
    let hangs_up = async {
        let (mut done, mut cuts, mut quiet) = (0, 0, 0);
        while done < 150 {
            let size = PageSize::clamped(200);
            let found = stage.flows.list(&stage.mia(), Some(WorkflowState::Finished), None, size, None).await;
            let before = done;
            done = found.map_or(done, |page| page.items.len());
            quiet = if done > before { 0 } else { quiet + 1 };
            if quiet > 50 {
                // What an attempt could not end is taken again after its lease.
                stage.pass();
                quiet = 0;
            }
            if cuts >= 8 || done < cuts * 15 {
                continue;
            }
            cuts += 1;
            let cut = "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()";
            // It may hit others' commits at any moment.
            let _ = stage.db.write(move |tx| Box::pin(async move { testing::run(tx, cut.to_owned()).await })).await;
        }
    };
    let (begun, ()) = tokio::join!(futures::future::join_all(begun), hangs_up);
    assert!(begun.iter().all(Result::is_ok), "every one was begun");
    stop.cancel();
    running.await.unwrap();
    assert_eq!(stage.effects().await.len(), 150);
}

#[rstest]
#[tokio::test]
async fn a_workflow_is_shown_to_whom_it_concerns(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    stage.define(stage.steps(&["one"]));
    for number in 0..5 {
        stage.flows.start(stage.asked("steps", &format!("key {number}"))).await.unwrap();
    }
    let id = stage.start("steps").await;
    for (name, sees) in [("mia", true), ("sam", true), ("root", true), ("eve", false)] {
        let caller = stage.caller(name);
        let shown = stage.flows.show(&caller, id).await;
        assert_eq!(shown.is_ok(), sees, "{name}");
        let size = PageSize::clamped(4);
        let page = stage.flows.list(&caller, Some(WorkflowState::Queued), None, size, None).await.unwrap();
        assert_eq!(page.items.len(), if sees { 4 } else { 0 }, "{name}");
        if let Some(cursor) = page.next {
            let rest = stage.flows.list(&caller, None, Some("steps"), size, Some(&cursor)).await.unwrap();
            assert_eq!((rest.items.len(), rest.next.is_none()), (2, true));
        }
        if !sees {
            assert!(matches!(stage.flows.cancel(&caller, id).await, Err(Error::NotFound)));
            assert!(matches!(stage.flows.watch(&caller, id, 0).await.err(), Some(Error::NotFound)));
        }
    }
    let done = stage.flows.list(&stage.mia(), Some(WorkflowState::Finished), None, PageSize::default(), None).await;
    assert!(done.unwrap().items.is_empty());
}
