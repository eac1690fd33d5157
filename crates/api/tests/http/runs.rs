//! Runs over HTTP: accepted once for each key, followed as events that go on where they broke off. No worker takes them here.

use axum::http::{Request, StatusCode};
use kontor_testkit::{ADMIN, Answer, NATIVE, On, TestHub, with_token};
use rstest::rstest;
use serde_json::{Value, json};

const SKILL: &str = "---\nname: tools\ndescription: Scripts for tests.\n---\nRun them.\n";

async fn hub(on: On) -> Option<TestHub> {
    let hub = TestHub::start(on).await?;
    hub.publish_files("@acme/tools", &[("SKILL.md", SKILL), ("scripts/x.sh", "echo x")]).await;
    Some(hub)
}

fn order() -> Value {
    json!({"skill": "@acme/tools", "script": "scripts/x.sh", "arguments": ["a"]})
}

async fn start(hub: &TestHub, key: &str, order: &Value) -> Answer {
    let request = with_token(Request::post(format!("{NATIVE}/runs")), Some(ADMIN))
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    hub.send(request, order.to_string()).await
}

#[rstest]
#[tokio::test]
async fn a_run_is_accepted_once_for_each_key(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = hub(on).await else { return };
    let first = start(&hub, "k", &order()).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.body);
    let id = first.json()["id"].as_str().unwrap().to_owned();
    assert!(first.header("location").ends_with(&format!("{NATIVE}/runs/{id}")), "{}", first.header("location"));
    let again = start(&hub, "k", &order()).await;
    assert_eq!((again.status, &again.body), (StatusCode::ACCEPTED, &first.body));
    assert_eq!(again.header("location"), first.header("location"));
    let mut other = order();
    other["arguments"] = json!(["b"]);
    assert_eq!(start(&hub, "k", &other).await.code(), "idempotency_mismatch");
    let listed = hub.get(&format!("{NATIVE}/runs"), Some(ADMIN)).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn who_hung_up_while_waiting_is_answered_with_the_run_that_was_accepted() {
    let Some(hub) = hub(On::Sqlite).await else { return };
    let mut waiting = order();
    waiting["wait"] = json!(25);
    let listed = async {
        loop {
            let listed = hub.get(&format!("{NATIVE}/runs"), Some(ADMIN)).await.json();
            if let Some(run) = listed["items"].get(0) {
                break run["id"].clone();
            }
        }
    };
    let id = tokio::select! {
        answer = start(&hub, "k", &waiting) => answer.json()["nobody did it"].clone(),
        id = listed => id,
    };
    let again = start(&hub, "k", &waiting).await;
    assert_eq!((again.status, &again.json()["id"]), (StatusCode::ACCEPTED, &id), "{}", again.body);
}

#[rstest]
#[tokio::test]
async fn events_go_on_after_the_last_one_that_was_received(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = hub(on).await else { return };
    let id = start(&hub, "k", &order()).await.json()["id"].as_str().unwrap().to_owned();
    let path = format!("{NATIVE}/runs/{id}");
    let cancelled = hub.call("POST", &format!("{path}/cancel"), Some(ADMIN), &Value::Null).await;
    assert_eq!(cancelled.json()["state"], "cancelled");
    let all = hub.get(&format!("{path}/events"), Some(ADMIN)).await;
    assert_eq!((all.header("content-type"), all.header("cache-control")), ("text/event-stream", "private, no-store"));
    let kinds = |answer: &Answer| {
        let lines = answer.body.lines().filter_map(|line| line.strip_prefix("event: ").map(str::to_owned));
        lines.collect::<Vec<_>>()
    };
    assert_eq!(kinds(&all), ["state", "state", "result"]);
    let resumed = with_token(Request::get(format!("{path}/events")), Some(ADMIN)).header("last-event-id", "1");
    let resumed = hub.send(resumed, "").await;
    assert_eq!(kinds(&resumed), ["state", "result"]);
    assert!(resumed.body.starts_with("id: 2\n"), "{}", resumed.body);
    let wrong = with_token(Request::get(format!("{path}/events")), Some(ADMIN)).header("last-event-id", "x");
    assert_eq!(hub.send(wrong, "").await.code(), "invalid_request");
}

#[rstest]
#[case(json!({"skill": "@acme/tools"}), "invalid_request")]
#[case(json!({"skill": "no name!"}), "invalid_name")]
#[case(json!({"skill": "@acme/tools", "tool": "a", "script": "b"}), "invalid_request")]
#[case(json!({"skill": "@acme/tools", "script": "scripts/none.sh"}), "file_not_found")]
#[case(json!({"skill": "@acme/none", "script": "x"}), "skill_not_found")]
#[case(json!({"skill": "@acme/tools", "script": "scripts/x.sh", "network": ["a.example:443"]}), "consent_required")]
#[case(json!({"skill": "@acme/tools", "script": "scripts/x.sh", "wall": "soon"}), "invalid_request")]
#[case(json!({"skill": "@acme/tools", "script": "scripts/x.sh", "input_bytes": "?"}), "invalid_request")]
#[case(json!({"skill": "@acme/tools", "script": "scripts/x.sh", "more": 1}), "invalid_request")]
#[tokio::test]
async fn what_cannot_be_run_is_refused_with_a_reason(#[case] order: Value, #[case] code: &str) {
    let hub = hub(On::Sqlite).await.unwrap();
    let refused = start(&hub, "k", &order).await;
    assert_eq!(refused.code(), code, "{}", refused.body);
}
