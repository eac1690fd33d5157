use std::time::Duration;

use kontor_workflow::{AnsweredBy, Error, Journal, Question, WorkflowId, WorkflowState, define};
use rstest::rstest;
use serde_json::{Value, json};

use crate::stage::{On, Stage, noted};

/// A definition that asks, and gives the answer.
async fn asking(stage: &Stage, who: AnsweredBy, minutes: Option<u64>) -> WorkflowId {
    let deadline = minutes.map(|minutes| stage.now().after(Duration::from_mins(minutes)));
    let book = stage.book.clone();
    stage.define(define("asking", 1, move |journal: Journal, _: Value| {
        let (who, book) = (who.clone(), book.clone());
        async move {
            noted(&journal, &book, "before").await?;
            let question = Question {
                text: "Order milk tea for ¥18.50?".to_owned(),
                form: json!({ "type": "boolean" }),
                who,
                deadline,
                detail: json!({ "price": 1850 }),
            };
            let answer = journal.ask("confirm", &question).await?;
            noted(&journal, &book, "after").await?;
            Ok(answer)
        }
    }));
    let id = stage.start("asking").await;
    stage.work().await;
    id
}

#[rstest]
#[tokio::test]
async fn an_answer_counts_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = asking(&stage, AnsweredBy::Owner, None).await;
    assert_eq!(stage.show(id).await.state, WorkflowState::Waiting);
    let open = stage.flows.questions(&stage.mia(), id).await.unwrap();
    assert_eq!((open[0].name.as_str(), open[0].text.as_str()), ("confirm", "Order milk tea for ¥18.50?"));
    assert!(open[0].may_answer);
    let (flows, mia) = (&stage.flows, stage.mia());
    let wrong = flows.answer(&mia, id, "confirm", json!("perhaps")).await;
    assert!(matches!(wrong, Err(Error::Invalid { .. })));
    let other = flows.answer(&mia, id, "other", json!(true)).await;
    assert!(matches!(other, Err(Error::QuestionNotFound { .. })));
    let many = (0..8).map(|number| flows.answer(&mia, id, "confirm", json!(number % 2 == 0)));
    let answered: Vec<_> = futures::future::join_all(many).await;
    assert_eq!(answered.iter().filter(|answer| answer.is_ok()).count(), 1);
    let late = answered.iter().filter(|answer| matches!(answer, Err(Error::Conflict { .. }))).count();
    assert_eq!(late, 7);
    let first = answered.iter().position(Result::is_ok).unwrap();
    stage.work().await;
    let shown = stage.show(id).await;
    assert_eq!(shown.state, WorkflowState::Finished);
    assert_eq!(shown.result().unwrap()["value"], json!(first % 2 == 0));
    assert_eq!(stage.book.names(), ["before", "after"]);
    let again = flows.answer(&mia, id, "confirm", json!(true)).await;
    assert!(matches!(again, Err(Error::Conflict { .. })));
}

#[rstest]
#[case::owner(AnsweredBy::Owner, &["mia"], &["sam", "root"])]
#[case::publisher(AnsweredBy::Publisher, &["mia", "sam"], &["root"])]
#[tokio::test]
async fn only_those_who_are_asked_answer(
    #[values(On::Sqlite, On::Postgres)] on: On,
    #[case] who: AnsweredBy,
    #[case] may: &[&'static str],
    #[case] may_not: &[&'static str],
) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = asking(&stage, who, None).await;
    for name in may {
        assert!(stage.flows.questions(&stage.caller(name), id).await.unwrap()[0].may_answer, "{name}");
    }
    for name in may_not {
        let refused = stage.flows.answer(&stage.caller(name), id, "confirm", json!(true)).await;
        assert!(matches!(refused, Err(Error::NotAsked)), "{name}");
    }
    let hidden = stage.flows.answer(&stage.caller("eve"), id, "confirm", json!(true)).await;
    assert!(matches!(hidden, Err(Error::NotFound)));
    let last = may.last().unwrap();
    stage.flows.answer(&stage.caller(last), id, "confirm", json!(true)).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_person_who_is_asked_sees_the_workflow(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let eve = stage.caller("eve");
    let id = asking(&stage, AnsweredBy::Persons(vec![stage.people["eve"]]), None).await;
    assert_eq!(
        stage.flows.list(&eve, None, None, kontor_types::PageSize::default(), None).await.unwrap().items.len(),
        1
    );
    let refused = stage.flows.answer(&stage.mia(), id, "confirm", json!(true)).await;
    assert!(matches!(refused, Err(Error::NotAsked)));
    stage.flows.answer(&eve, id, "confirm", json!(true)).await.unwrap();
    stage.work().await;
    assert_eq!(stage.show(id).await.result().unwrap()["by"], json!(stage.people["eve"]));
}

#[rstest]
#[tokio::test]
async fn a_question_ends_at_its_deadline(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = asking(&stage, AnsweredBy::Owner, Some(5)).await;
    stage.pass();
    let late = stage.flows.answer(&stage.mia(), id, "confirm", json!(true)).await;
    assert!(matches!(late, Err(Error::Conflict { .. })));
    stage.work().await;
    let output = stage.show(id).await.result().unwrap();
    assert_eq!((output["by"].clone(), output["value"].clone()), (Value::Null, Value::Null));
    assert!(stage.flows.questions(&stage.mia(), id).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn a_question_is_closed_when_the_workflow_is_cancelled(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = asking(&stage, AnsweredBy::Owner, None).await;
    stage.flows.cancel(&stage.mia(), id).await.unwrap();
    stage.work().await;
    assert_eq!(stage.show(id).await.state, WorkflowState::Cancelled);
    let late = stage.flows.answer(&stage.mia(), id, "confirm", json!(true)).await;
    assert!(matches!(late, Err(Error::Conflict { .. })));
    assert_eq!(stage.book.names(), ["before"]);
}
