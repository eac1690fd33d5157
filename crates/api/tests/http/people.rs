//! People, publishers, members, tokens and the audit trail over the native API.

use axum::http::StatusCode;
use kontor_testkit::{ADMIN, Answer, NATIVE, On, TestHub};
use rstest::rstest;
use serde_json::{Value, json};

async fn call(hub: &TestHub, method: &str, path: &str, token: &str, body: &Value) -> Answer {
    hub.call(method, &format!("{NATIVE}{path}"), Some(token), body).await
}

#[rstest]
#[tokio::test]
async fn an_organisation_lives_with_its_members(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ada = hub.person("ada", &["publish", "admin"]).await;
    hub.person("bob", &["read"]).await;
    let made = call(&hub, "POST", "/publishers", &ada, &json!({"handle": "acme", "name": "Acme Ltd"})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.json()["role"], "owner");
    assert_eq!(made.json()["kind"], "organisation");
    let put = call(&hub, "PUT", "/publishers/acme/members/bob", &ada, &json!({"role": "maintainer"})).await;
    assert_eq!((put.status, put.json()["role"].as_str()), (StatusCode::OK, Some("maintainer")));
    let members = call(&hub, "GET", "/publishers/acme/members", &ada, &Value::Null).await.json();
    assert_eq!(members["items"].as_array().unwrap().len(), 2);
    let renamed = call(&hub, "PATCH", "/publishers/acme", &ada, &json!({"name": "Acme"})).await;
    assert_eq!(renamed.json()["name"], "Acme");
    let gone = call(&hub, "DELETE", "/publishers/acme/members/bob", &ada, &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let trail = call(&hub, "GET", "/audit?publisher=acme&action=member", &ada, &Value::Null).await.json();
    let actions: Vec<_> = trail["items"].as_array().unwrap().iter().map(|item| item["action"].as_str()).collect();
    assert_eq!(actions, [Some("member.remove"), Some("member.put")]);
}

#[rstest]
#[tokio::test]
async fn people_are_listed_changed_and_shut_out_by_administrators(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ada = hub.person("ada", &["admin"]).await;
    assert_eq!(call(&hub, "GET", "/people", &ada, &Value::Null).await.status, StatusCode::FORBIDDEN);
    let page = call(&hub, "GET", "/people?limit=1", ADMIN, &Value::Null).await.json();
    assert_eq!(page["items"][0]["handle"], "ada");
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = call(&hub, "GET", &format!("/people?cursor={cursor}"), ADMIN, &Value::Null).await.json();
    assert_eq!(next["items"][0]["handle"], "admin");
    assert!(next.get("next_cursor").is_none());
    let shut = call(&hub, "PATCH", "/people/ada", ADMIN, &json!({"disabled": true})).await;
    assert!(shut.json()["disabled_at"].is_string(), "{}", shut.body);
    assert_eq!(call(&hub, "GET", "/whoami", &ada, &Value::Null).await.status, StatusCode::UNAUTHORIZED);
}

#[rstest]
#[tokio::test]
async fn a_token_is_made_listed_and_revoked_and_its_secret_shown_once(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let made = call(&hub, "POST", "/tokens", ADMIN, &json!({"label": "ci", "scopes": ["publish"], "days": 7})).await;
    assert_eq!(made.header("cache-control"), "private, no-store");
    let (secret, id) = (made.json()["secret"].as_str().unwrap().to_owned(), made.json()["id"].clone());
    let me = call(&hub, "GET", "/whoami", &secret, &Value::Null).await.json();
    assert_eq!((&me["scopes"], &me["expires_at"]), (&json!(["publish"]), &json!("2023-11-21T22:13:20Z")));
    let list = call(&hub, "GET", "/tokens", ADMIN, &Value::Null).await;
    assert!(!list.body.contains(&secret) && list.body.contains("\"label\":\"ci\""), "{}", list.body);
    let gone = call(&hub, "DELETE", &format!("/tokens/{}", id.as_str().unwrap()), ADMIN, &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(call(&hub, "GET", "/whoami", &secret, &Value::Null).await.status, StatusCode::UNAUTHORIZED);
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_read_is_told_with_a_reason(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    for (method, path, body, code) in [
        ("POST", "/tokens", json!({"label": "x", "colour": "red"}), "invalid_request"),
        ("POST", "/tokens", json!({"label": "x", "days": 1, "no_expiry": true}), "invalid_request"),
        ("POST", "/publishers", json!({"handle": "Not A Handle"}), "invalid_request"),
        ("PATCH", "/publishers/admin", json!({}), "invalid_request"),
        ("GET", "/people?cursor=zz", Value::Null, "invalid_cursor"),
        ("GET", "/people?limit=many", Value::Null, "invalid_request"),
        ("DELETE", "/tokens/no-id", Value::Null, "not_found"),
        ("GET", "/publishers/Not%20A%20Handle", Value::Null, "not_found"),
        ("PUT", "/publishers/admin/members/admin", json!({"role": "king"}), "invalid_request"),
    ] {
        let answer = call(&hub, method, path, ADMIN, &body).await;
        assert_eq!(answer.json()["code"], code, "{method} {path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}
