use kontor_workflow::EntryKind::{Chosen, Ended, Started, Step, Told};
use kontor_workflow::{Candidate, Choice, Error, Journal, WorkflowState, define};
use rstest::rstest;
use serde_json::{Value, json};

use crate::stage::{On, Stage, effect, noted};

#[rstest]
#[tokio::test]
async fn steps_are_done_in_order_and_journaled(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let book = stage.book.clone();
    stage.define(define("errand", 1, move |journal: Journal, input: Value| {
        let book = book.clone();
        async move {
            let found = noted(&journal, &book, "find").await?;
            let candidate = |name: &str, refused: Option<&str>| Candidate {
                name: name.to_owned(),
                marks: json!({ "price": 1850 }),
                refused: refused.map(str::to_owned),
            };
            let candidates = vec![candidate("tea house", None), candidate("cheap tea", Some("not signed"))];
            let choice = Choice { candidates, chosen: Some("tea house".to_owned()), reason: "the only one".to_owned() };
            journal.choose("offer", &choice).await?;
            journal.tell("progress", &json!({ "found": found })).await?;
            effect(&journal, "order").await?;
            let (number, digest) = journal.head().await?;
            Ok(json!({ "input": input, "number": number, "digest": digest }))
        }
    }));
    let id = stage.start("errand").await;
    assert_eq!(stage.show(id).await.state, WorkflowState::Queued);
    stage.work().await;
    let shown = stage.show(id).await;
    assert_eq!((shown.state, shown.attempt, shown.error.as_deref()), (WorkflowState::Finished, 1, None));
    let entries = stage.entries(id).await;
    assert_eq!(stage.kinds(id).await, [Started, Step, Chosen, Told, Step, Ended]);
    let output = shown.result().unwrap();
    assert_eq!(output["input"], json!({ "a": 1 }));
    assert_eq!((output["number"].clone(), output["digest"].clone()), (json!(5), json!(entries[4].digest)));
    assert_eq!(entries[1].value()["output"], json!("find done"));
    assert_eq!(entries[2].value()["candidates"][1]["refused"], json!("not signed"));
    assert_eq!((stage.book.names(), stage.effects().await), (vec!["find".to_owned()], vec!["order".to_owned()]));
    assert_eq!(stage.work().await, 0, "nothing is left to do");
}

#[rstest]
#[tokio::test]
async fn one_key_begins_one_workflow(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    stage.define(stage.steps(&["one"]));
    let many = (0..24).map(|_| stage.flows.start(stage.asked("steps", "key")));
    let begun: Vec<_> = futures::future::join_all(many).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(begun.iter().filter(|started| started.fresh).count(), 1);
    assert!(begun.iter().all(|started| started.id == begun[0].id));
    let other = kontor_workflow::Start { input: json!(2), ..stage.asked("steps", "key") };
    assert!(matches!(stage.flows.start(other).await, Err(Error::KeyTaken { .. })));
    let unknown = stage.flows.start(stage.asked("nothing", "key")).await;
    assert!(matches!(unknown, Err(Error::KindUnknown { .. })));
    stage.work().await;
    assert_eq!(stage.book.names(), ["one"]);
    let again = stage.flows.start(stage.asked("steps", "key")).await.unwrap();
    assert_eq!((again.id, again.fresh), (begun[0].id, false));
}

#[rstest]
#[tokio::test]
async fn a_workflow_begins_with_the_callers_own_writes_or_not_at_all(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    stage.define(stage.steps(&["one"]));
    for commits in [false, true] {
        let (flows, start) = (stage.flows.clone(), stage.asked("steps", "key"));
        let unit = stage.db.write(move |tx| {
            Box::pin(async move {
                flows.start_in_tx(tx, &start).await?;
                if commits { Ok(()) } else { Err(Error::NotFound) }
            })
        });
        assert_eq!(unit.await.is_ok(), commits);
        assert_eq!(stage.work().await, usize::from(commits));
    }
}

#[rstest]
#[tokio::test]
async fn a_journal_that_was_changed_does_not_verify(#[values(On::Sqlite)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    stage.define(stage.steps(&["one", "two"]));
    let id = stage.start("steps").await;
    stage.work().await;
    let entries = stage.entries(id).await;
    for (place, number) in (0..entries.len()).zip(1..) {
        let mut changed = entries.clone();
        changed[place].data = changed[place].data.replace('o', "0");
        assert_eq!(kontor_workflow::verify(id, &changed).unwrap_err().number, number);
        let mut missing = entries.clone();
        missing.remove(place);
        let broken = kontor_workflow::verify(id, &missing).is_err();
        assert_eq!(broken, place + 1 < entries.len(), "the end is known by its digest only");
    }
}
