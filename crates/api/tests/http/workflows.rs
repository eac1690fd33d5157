//! Workflows over HTTP: listed, followed, answered once, ended and begun anew; nobody else sees them.

use axum::http::{Request, StatusCode};
use kontor_testkit::{Answer, NATIVE, On, TestHub, with_token};
use kontor_workflow::{AnsweredBy, Journal, Owner, Question, Start, Stop, define};
use rstest::rstest;
use serde_json::{Value, json};

struct Stage {
    hub: TestHub,
    mia: String,
    eve: String,
    path: String,
}

impl Stage {
    /// A workflow of Mia that asks her whether to go on.
    async fn set(on: On) -> Option<Self> {
        let hub = TestHub::start(on).await?;
        let mia = hub.person("mia", &["read", "run"]).await;
        let eve = hub.person("eve", &["read", "run"]).await;
        let workflows = &hub.hub.app.workflows;
        workflows.define(define("tea", 1, |journal: Journal, input: Value| async move {
            journal.tell("found", &json!({ "shops": 2 })).await?;
            let form = json!({ "type": "boolean" });
            let (text, who) = ("Order it?".to_owned(), AnsweredBy::Owner);
            let question = Question { text, form, who, deadline: None, detail: json!({ "price": 1850 }) };
            let answer = journal.ask("confirm", &question).await?;
            if answer.value == Some(json!(true)) { Ok(input) } else { Err(Stop::refuse("declined", "you said no")) }
        }));
        let caller = hub.hub.app.access.authenticate(&mia.clone().into()).await.unwrap();
        let owner = Owner { person: caller.person_id().unwrap(), publisher: None };
        let (key, kind, title) = ("k".to_owned(), "tea".to_owned(), "milk tea".to_owned());
        let started = workflows.start(Start { key, kind, owner, title, input: json!("tea") }).await.unwrap();
        workflows.run_due().await.unwrap();
        Some(Self { path: format!("{NATIVE}/workflows/{}", started.id), hub, mia, eve })
    }

    async fn post(&self, what: &str, body: Value) -> Answer {
        self.hub.call("POST", &format!("{}/{what}", self.path), Some(&self.mia), &body).await
    }

    async fn work(&self) {
        self.hub.hub.app.workflows.run_due().await.unwrap();
    }

    async fn show(&self) -> Value {
        self.hub.get(&self.path, Some(&self.mia)).await.json()
    }
}

fn events(answer: &Answer) -> Vec<String> {
    answer.body.lines().filter_map(|line| line.strip_prefix("event: ").map(str::to_owned)).collect()
}

#[rstest]
#[tokio::test]
async fn a_workflow_is_answered_and_followed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let shown = stage.show().await;
    assert_eq!((shown["state"].as_str(), shown["title"].as_str()), (Some("waiting"), Some("milk tea")));
    assert_eq!(shown["questions"][0]["text"], "Order it?");
    assert_eq!(
        (&shown["questions"][0]["may_answer"], &shown["questions"][0]["detail"]["price"]),
        (&json!(true), &json!(1850))
    );
    let wrong = stage.post("answers", json!({ "question": "confirm", "answer": "yes" })).await;
    assert_eq!(wrong.code(), "invalid_request");
    let none = stage.post("answers", json!({ "question": "other", "answer": true })).await;
    assert_eq!(none.code(), "not_found");
    let given = stage.post("answers", json!({ "question": "confirm", "answer": true })).await;
    assert_eq!(given.status, StatusCode::OK, "{}", given.body);
    let twice = stage.post("answers", json!({ "question": "confirm", "answer": true })).await;
    assert_eq!(twice.code(), "conflict");
    stage.work().await;
    let shown = stage.show().await;
    assert_eq!((shown["state"].as_str(), &shown["output"]), (Some("finished"), &json!("tea")));
    let kinds: Vec<_> = shown["timeline"].as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["started", "told", "asked", "answered", "ended"]);
    assert_eq!(shown["head"], shown["timeline"][4]["digest"]);

    let events_of = format!("{}/events", stage.path);
    let all = stage.hub.get(&events_of, Some(&stage.mia)).await;
    assert_eq!((all.header("content-type"), all.header("cache-control")), ("text/event-stream", "private, no-store"));
    assert_eq!(events(&all), ["started", "told", "asked", "answered", "ended", "result"]);
    let resumed = with_token(Request::get(&events_of), Some(&stage.mia)).header("last-event-id", "3");
    assert_eq!(events(&stage.hub.send(resumed, "").await), ["answered", "ended", "result"]);
    let wrong = with_token(Request::get(&events_of), Some(&stage.mia)).header("last-event-id", "x");
    assert_eq!(stage.hub.send(wrong, "").await.code(), "invalid_request");
}

#[rstest]
#[tokio::test]
async fn a_workflow_is_ended_begun_anew_and_seen_by_nobody_else(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    for what in ["", "/events"] {
        let hidden = stage.hub.get(&format!("{}{what}", stage.path), Some(&stage.eve)).await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND);
        assert_eq!(hidden.code(), "not_found");
    }
    let list = format!("{NATIVE}/workflows?state=waiting");
    for (token, count) in [(&stage.mia, 1), (&stage.eve, 0)] {
        let listed = stage.hub.get(&list, Some(token)).await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), count);
    }
    assert_eq!(stage.hub.get(&list, None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stage.post("retry", json!({ "from": "step" })).await.code(), "conflict");
    assert_eq!(stage.post("cancel", Value::Null).await.status, StatusCode::OK);
    stage.work().await;
    assert_eq!(stage.show().await["state"], "cancelled");
    let anew = stage.post("retry", json!({ "from": "start" })).await;
    assert_eq!(anew.status, StatusCode::OK, "{}", anew.body);
    assert_eq!(anew.json()["retry_of"].as_str(), stage.path.rsplit('/').next());
    assert_ne!(anew.json()["id"], anew.json()["retry_of"]);
}
