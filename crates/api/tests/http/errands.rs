//! Errands over HTTP: followed, answered and cancelled by whoever asked, and by nobody else.

use axum::http::{Request, StatusCode};
use kontor_gateway::{Model, Provider};
use kontor_testkit::upstream::{Say, Upstream};
use kontor_testkit::{ADMIN, Answer, NATIVE, On, TestHub, with_token};
use rstest::rstest;
use serde_json::{Value, json};

struct Stage {
    hub: TestHub,
    ada: String,
    eve: String,
    _model: Upstream,
}

impl Stage {
    /// A hub whose model reads every request as one for milk tea, to nowhere.
    async fn set(on: On) -> Option<Self> {
        let model = Upstream::start(vec![Say::tool_call("write_wish", &json!({"kind": "buy", "words": ["milk tea"]}))]);
        let model = model.await;
        let provider = Provider::new("scripted", &model.url()).model(Model::new("small"));
        let hub = TestHub::set(on, |settings| settings.models.providers.push(provider), |_| {}).await?;
        let (ada, eve) = (hub.person("ada", &["read", "run"]).await, hub.person("eve", &["read", "run"]).await);
        Some(Self { hub, ada, eve, _model: model })
    }

    async fn ask(&self, key: &str) -> String {
        let request = with_token(Request::post(format!("{NATIVE}/errands")), Some(&self.ada))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        let answer = self.hub.send(request, json!({"request": "a milk tea under ¥20"}).to_string()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn work(&self) {
        self.hub.hub.app.workflows.run_due().await.unwrap();
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.hub.call("POST", &format!("{NATIVE}/errands/{path}"), Some(token), &body).await
    }

    async fn show(&self, id: &str) -> Value {
        self.hub.get(&format!("{NATIVE}/errands/{id}"), Some(&self.ada)).await.json()
    }

    /// The events after one, each with its number, and the last one's data.
    async fn events(&self, id: &str, after: Option<u32>) -> (Vec<(String, String)>, Value) {
        let mut request = with_token(Request::get(format!("{NATIVE}/errands/{id}/events")), Some(&self.ada));
        if let Some(after) = after {
            request = request.header("last-event-id", after.to_string());
        }
        let answer = self.hub.send(request, "").await;
        assert_eq!(
            (answer.header("content-type"), answer.header("cache-control")),
            ("text/event-stream", "private, no-store")
        );
        let field = |block: &str, name: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
                .unwrap_or_default()
        };
        let blocks: Vec<&str> = answer.body.split("\n\n").filter(|block| block.contains("event: ")).collect();
        let seen = blocks.iter().map(|block| (field(block, "id"), field(block, "event"))).collect();
        (seen, serde_json::from_str(&field(blocks.last().unwrap(), "data")).unwrap())
    }
}

#[rstest]
#[tokio::test]
async fn an_errand_is_followed_and_a_stream_goes_on_where_it_broke_off(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = stage.ask("k").await;
    assert_eq!(stage.ask("k").await, id, "the same key asks once");
    stage.work().await;
    assert_eq!(stage.show(&id).await["question"]["text"], "Where should it be delivered?");
    // No merchant is known: it ends after the answer.
    let wrong = stage.post(&stage.ada, &format!("{id}/answers"), json!({"question": "address", "value": 7})).await;
    assert_eq!(wrong.code(), "invalid_request");
    let given = json!({"question": "address", "value": "the office"});
    assert_eq!(stage.post(&stage.ada, &format!("{id}/answers"), given.clone()).await.status, StatusCode::OK);
    assert_eq!(
        stage.post(&stage.ada, &format!("{id}/answers"), given).await.code(),
        "conflict",
        "an answer counts once"
    );
    stage.work().await;
    let (all, last) = stage.events(&id, None).await;
    let numbers: Vec<u32> = all.iter().filter_map(|(number, _)| number.parse().ok()).collect();
    let count = u32::try_from(numbers.len()).unwrap();
    assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "each entry once, in order");
    assert_eq!(all.last().unwrap().1, "result");
    assert_eq!((last["id"].as_str(), last["state"].as_str()), (Some(id.as_str()), Some("failed")), "{last}");
    assert!(last["error"].to_string().contains("kontor merchant add"), "{last}");
    for after in [1, 4, count] {
        let (rest, _) = stage.events(&id, Some(after)).await;
        let expected: Vec<_> = all.iter().skip(after as usize).cloned().collect();
        assert_eq!(rest, expected, "after {after}");
    }
    let request = with_token(Request::get(format!("{NATIVE}/errands/{id}/events")), Some(&stage.ada));
    assert_eq!(stage.hub.send(request.header("last-event-id", "-1"), "").await.code(), "invalid_request");
}

#[rstest]
#[tokio::test]
async fn an_errand_is_its_askers_alone(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(stage) = Stage::set(on).await else { return };
    let id = stage.ask("k").await;
    stage.work().await;
    let nobodys = "0190a0a0-0000-7000-8000-000000000000";
    let given = json!({"question": "address", "value": "Dock 9"});
    for (what, body) in [("answers", given.clone()), ("cancel", Value::Null)] {
        let real = stage.post(&stage.eve, &format!("{id}/{what}"), body.clone()).await;
        let none = stage.post(&stage.eve, &format!("{nobodys}/{what}"), body).await;
        assert_eq!((real.status, real.code()), (StatusCode::NOT_FOUND, none.code()), "{what}");
    }
    // The same by the door of workflows.
    let answer = json!({"question": "address", "answer": "Dock 9"});
    let door = format!("{NATIVE}/workflows/{id}/answers");
    assert_eq!(stage.hub.call("POST", &door, Some(&stage.eve), &answer).await.status, StatusCode::NOT_FOUND);
    // An administrator sees it, and is not the one who is asked.
    let by_admin = stage.post(ADMIN, &format!("{id}/answers"), given).await;
    assert_eq!(by_admin.status, StatusCode::FORBIDDEN, "{}", by_admin.body);
    assert_eq!(stage.show(&id).await["state"], "waiting");
    let listed = stage.hub.get(&format!("{NATIVE}/errands"), Some(&stage.eve)).await.json();
    assert_eq!(listed["items"], json!([]));
    // A token that is bound to a publisher asks for none: it could spend beyond what it is bound to.
    let bound = json!({"label": "bound", "scopes": ["read", "run"], "publishers": ["ada"]});
    let bound = stage.hub.call("POST", &format!("{NATIVE}/tokens"), Some(&stage.ada), &bound).await;
    let bound = bound.json()["secret"].as_str().unwrap().to_owned();
    let asked = stage.hub.call("POST", &format!("{NATIVE}/errands"), Some(&bound), &json!({"request": "tea"})).await;
    assert_eq!(asked.status, StatusCode::FORBIDDEN, "{}", asked.body);
}

#[rstest]
#[tokio::test]
async fn an_errand_is_cancelled_before_it_began_while_it_asks_and_not_after_its_end(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(stage) = Stage::set(on).await else { return };
    for (key, began) in [("queued", false), ("asking", true)] {
        let id = stage.ask(key).await;
        if began {
            stage.work().await;
            assert_eq!(stage.show(&id).await["state"], "waiting");
        }
        assert_eq!(stage.post(&stage.ada, &format!("{id}/cancel"), Value::Null).await.status, StatusCode::OK, "{key}");
        stage.work().await;
        let shown = stage.show(&id).await;
        assert_eq!((shown["state"].as_str(), shown["question"].is_null()), (Some("cancelled"), true), "{key}: {shown}");
        let again = stage.post(&stage.ada, &format!("{id}/cancel"), Value::Null).await;
        assert_eq!((again.status, again.json()["state"].as_str()), (StatusCode::OK, Some("cancelled")), "{key}");
        let given = json!({"question": "address", "value": "the office"});
        let late = stage.post(&stage.ada, &format!("{id}/answers"), given).await;
        assert!(late.status.is_client_error(), "{key}: {}", late.body);
    }
}
