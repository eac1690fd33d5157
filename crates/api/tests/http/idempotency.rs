//! `Idempotency-Key` on writes of the native API.

use axum::http::{Request, StatusCode};
use kontor_testkit::{ADMIN, Answer, On, TestHub, with_token};
use rstest::rstest;
use serde_json::{Value, json};

const PUBLISHERS: &str = "/api/kontor/v1/publishers";
const TOKENS: &str = "/api/kontor/v1/tokens";

async fn post(hub: &TestHub, path: &str, key: &str, body: &Value) -> Answer {
    let request = with_token(Request::post(path), Some(ADMIN))
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    hub.send(request, body.to_string()).await
}

#[rstest]
#[tokio::test]
async fn the_same_key_and_request_get_the_first_answer(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let body = json!({"handle": "acme"});
    let first = post(&hub, PUBLISHERS, "k-1", &body).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let again = post(&hub, PUBLISHERS, "k-1", &body).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("content-type"), "application/json");
    let fresh = post(&hub, PUBLISHERS, "k-2", &body).await;
    assert_eq!(fresh.json()["code"], "name_taken", "without the key it is a new request");
}

#[rstest]
#[tokio::test]
async fn another_request_under_the_same_key_is_refused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    post(&hub, PUBLISHERS, "k-1", &json!({"handle": "acme"})).await;
    let other = post(&hub, PUBLISHERS, "k-1", &json!({"handle": "other"})).await;
    assert_eq!((other.status, other.json()["code"].as_str()), (StatusCode::CONFLICT, Some("idempotency_mismatch")));
    let elsewhere = post(&hub, TOKENS, "k-1", &json!({"handle": "acme"})).await;
    assert_eq!(elsewhere.json()["code"], "idempotency_mismatch");
}

#[rstest]
#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let body = json!({"handle": "admin"});
    assert_eq!(post(&hub, PUBLISHERS, "k-1", &body).await.json()["code"], "name_taken");
    let again = post(&hub, PUBLISHERS, "k-1", &json!({"handle": "acme"})).await;
    assert_eq!(again.status, StatusCode::CREATED, "{}", again.body);
}

#[rstest]
#[tokio::test]
async fn of_many_at_once_one_is_done(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let body = json!({"handle": "acme"});
    let answers = futures::future::join_all((0..8).map(|_| post(&hub, PUBLISHERS, "k-1", &body))).await;
    for answer in &answers {
        let waits = answer.status == StatusCode::CONFLICT && answer.header("retry-after") == "1";
        assert!(answer.status == StatusCode::CREATED || waits, "{} {}", answer.status, answer.body);
    }
    assert!(answers.iter().any(|answer| answer.status == StatusCode::CREATED));
    let members: Vec<_> = answers.iter().filter(|answer| answer.body.contains("name_taken")).collect();
    assert!(members.is_empty(), "none ran a second time");
}

#[rstest]
#[tokio::test]
async fn a_secret_is_not_kept_for_those_who_ask_again(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let body = json!({"label": "ci"});
    let first = post(&hub, TOKENS, "k-1", &body).await;
    let secret = first.json()["secret"].as_str().unwrap().to_owned();
    let again = post(&hub, TOKENS, "k-1", &body).await;
    assert_eq!((again.status, again.json()["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")));
    assert!(!again.body.contains(&secret));
    let listed = hub.get(TOKENS, Some(ADMIN)).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "the administrator's first and one more");
}

#[rstest]
#[tokio::test]
async fn a_key_that_is_none_is_refused(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let answer = post(&hub, PUBLISHERS, &"k".repeat(201), &json!({"handle": "acme"})).await;
    assert_eq!(answer.json()["code"], "invalid_request");
}

#[rstest]
#[tokio::test]
async fn no_answer_that_holds_a_secret_is_kept(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let webhooks = "/api/kontor/v1/publishers/admin/webhooks";
    let body = json!({"url": "https://listener.example/"});
    assert!(post(&hub, webhooks, "k-1", &body).await.json()["secret"].is_string());
    let again = post(&hub, webhooks, "k-1", &body).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "conflict"));
    let started = hub.call("POST", "/api/kontor/v1/device-logins", None, &json!({})).await.json();
    let approve = format!("/api/kontor/v1/device-logins/{}/approve", started["user_code"].as_str().unwrap());
    post(&hub, &approve, "k-2", &json!({})).await;
    let ask = json!({"device_code": started["device_code"]});
    let first = post(&hub, "/api/kontor/v1/device-logins/token", "k-3", &ask).await;
    assert!(first.status == StatusCode::OK && first.json()["secret"].is_string(), "{}", first.body);
    let again = post(&hub, "/api/kontor/v1/device-logins/token", "k-3", &ask).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "conflict"));
}

#[rstest]
#[tokio::test]
async fn a_question_sent_with_post_is_answered_anew(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let body = json!({"installed": [{"ref": "@admin/meter", "version": "1.0.0"}]});
    let before = post(&hub, "/api/kontor/v1/outdated", "k-1", &body).await.json();
    assert_eq!(before["items"][0]["missing"], true);
    hub.publish(ADMIN, "@admin/meter@1.1.0", "public", "Read the meter.").await;
    let after = post(&hub, "/api/kontor/v1/outdated", "k-1", &body).await.json();
    assert_eq!(after["items"][0]["latest"], "1.1.0");
}
