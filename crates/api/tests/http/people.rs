//! People, publishers, members, tokens and the audit trail over the native API.

use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::support::{ADMIN, Answer, TestHub, with_token};

const NATIVE: &str = "/api/kontor/v1";

impl TestHub {
    async fn call(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
        let request = with_token(Request::builder().method(method).uri(format!("{NATIVE}{path}")), Some(token));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(request.header("content-type", "application/json"), body).await
    }

    /// A new person with a token of these scopes.
    async fn person(&self, handle: &str, scopes: &[&str]) -> String {
        let made = self.call("POST", "/people", ADMIN, &json!({"handle": handle})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let wanted = json!({"label": "test", "scopes": scopes});
        let token = self.call("POST", &format!("/people/{handle}/tokens"), ADMIN, &wanted).await;
        token.json()["secret"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn an_organisation_lives_with_its_members() {
    let hub = TestHub::start().await;
    let ada = hub.person("ada", &["publish", "admin"]).await;
    hub.person("bob", &["read"]).await;
    let made = hub.call("POST", "/publishers", &ada, &json!({"handle": "acme", "name": "Acme Ltd"})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.json()["role"], "owner");
    assert_eq!(made.json()["kind"], "organisation");
    let put = hub.call("PUT", "/publishers/acme/members/bob", &ada, &json!({"role": "maintainer"})).await;
    assert_eq!((put.status, put.json()["role"].as_str()), (StatusCode::OK, Some("maintainer")));
    let members = hub.call("GET", "/publishers/acme/members", &ada, &Value::Null).await.json();
    assert_eq!(members["items"].as_array().unwrap().len(), 2);
    let renamed = hub.call("PATCH", "/publishers/acme", &ada, &json!({"name": "Acme"})).await;
    assert_eq!(renamed.json()["name"], "Acme");
    let gone = hub.call("DELETE", "/publishers/acme/members/bob", &ada, &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let trail = hub.call("GET", "/audit?publisher=acme&action=member", &ada, &Value::Null).await.json();
    let actions: Vec<_> = trail["items"].as_array().unwrap().iter().map(|item| item["action"].as_str()).collect();
    assert_eq!(actions, [Some("member.remove"), Some("member.put")]);
}

#[tokio::test]
async fn people_are_listed_changed_and_shut_out_by_administrators() {
    let hub = TestHub::start().await;
    let ada = hub.person("ada", &["admin"]).await;
    assert_eq!(hub.call("GET", "/people", &ada, &Value::Null).await.status, StatusCode::FORBIDDEN);
    let page = hub.call("GET", "/people?limit=1", ADMIN, &Value::Null).await.json();
    assert_eq!(page["items"][0]["handle"], "ada");
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = hub.call("GET", &format!("/people?cursor={cursor}"), ADMIN, &Value::Null).await.json();
    assert_eq!(next["items"][0]["handle"], "admin");
    assert!(next.get("next_cursor").is_none());
    let shut = hub.call("PATCH", "/people/ada", ADMIN, &json!({"disabled": true})).await;
    assert!(shut.json()["disabled_at"].is_string(), "{}", shut.body);
    assert_eq!(hub.call("GET", "/whoami", &ada, &Value::Null).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_is_made_listed_and_revoked_and_its_secret_shown_once() {
    let hub = TestHub::start().await;
    let made = hub.call("POST", "/tokens", ADMIN, &json!({"label": "ci", "scopes": ["publish"], "days": 7})).await;
    assert_eq!(made.header("cache-control"), "private, no-store");
    let (secret, id) = (made.json()["secret"].as_str().unwrap().to_owned(), made.json()["id"].clone());
    let me = hub.call("GET", "/whoami", &secret, &Value::Null).await.json();
    assert_eq!((&me["scopes"], &me["expires_at"]), (&json!(["publish"]), &json!("2023-11-21T22:13:20Z")));
    let list = hub.call("GET", "/tokens", ADMIN, &Value::Null).await;
    assert!(!list.body.contains(&secret) && list.body.contains("\"label\":\"ci\""), "{}", list.body);
    let gone = hub.call("DELETE", &format!("/tokens/{}", id.as_str().unwrap()), ADMIN, &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(hub.call("GET", "/whoami", &secret, &Value::Null).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_with_a_reason() {
    let hub = TestHub::start().await;
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
        let answer = hub.call(method, path, ADMIN, &body).await;
        assert_eq!(answer.json()["code"], code, "{method} {path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}
