//! Signing in without a page: devices in both dialects.

use axum::http::StatusCode;
use kontor_testkit::{ADMIN, Answer, NATIVE, On, PUBLIC, TestHub};
use rstest::rstest;
use serde_json::{Value, json};

async fn start(hub: &TestHub) -> Value {
    let body = json!({"scope": "read write", "site_url": PUBLIC, "label": "laptop"});
    let answer = hub.call("POST", "/api/cli/device/code", None, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "private, no-store");
    answer.json()
}

async fn poll(hub: &TestHub, started: &Value) -> Answer {
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let body = json!({"device_code": started["device_code"], "grant_type": grant});
    hub.call("POST", "/api/cli/device/token", None, &body).await
}

#[rstest]
#[tokio::test]
async fn a_device_signs_in_once_its_owner_approves_on_the_command_line(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let started = start(&hub).await;
    assert_eq!(started["verification_uri"], format!("{PUBLIC}/device"));
    assert_eq!((&started["expires_in"], &started["interval"]), (&json!(600), &json!(5)));
    let answer = poll(&hub, &started).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::BAD_REQUEST, json!({"error": "authorization_pending"})));
    assert_eq!(poll(&hub, &started).await.json(), json!({"error": "slow_down", "interval": 10}));
    let code = started["user_code"].as_str().unwrap();
    let shown = hub.get(&format!("{NATIVE}/device-logins/{}", code.to_lowercase()), Some(ADMIN)).await;
    assert_eq!(shown.json()["label"], "laptop");
    assert_eq!(shown.json()["scopes"], json!(["read", "publish"]));
    let path = format!("{NATIVE}/device-logins/{code}/approve");
    assert_eq!(hub.call("POST", &path, Some(ADMIN), &json!({})).await.status, StatusCode::NO_CONTENT);
    let answer = poll(&hub, &started).await.json();
    assert_eq!((&answer["token_type"], &answer["scope"]), (&json!("bearer"), &json!("read publish")));
    let token = answer["access_token"].as_str().unwrap();
    assert!(kontor_access::secret::is_token(token));
    let me = hub.get(&format!("{NATIVE}/whoami"), Some(token)).await.json();
    assert_eq!((&me["handle"], &me["scopes"]), (&json!("admin"), &json!(["read", "publish"])));
    assert_eq!(poll(&hub, &started).await.json(), json!({"error": "expired_token"}), "the token is given once");
}

#[rstest]
#[tokio::test]
async fn the_native_dialect_says_the_same(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let started = hub.call("POST", &format!("{NATIVE}/device-logins"), None, &json!({"label": "box"})).await;
    assert_eq!(started.status, StatusCode::CREATED, "{}", started.body);
    let started = started.json();
    let ask = json!({"device_code": started["device_code"]});
    let path = format!("{NATIVE}/device-logins/token");
    assert_eq!(hub.call("POST", &path, None, &ask).await.json(), json!({"state": "pending"}));
    let code = started["user_code"].as_str().unwrap();
    let deny = format!("{NATIVE}/device-logins/{code}/deny");
    assert_eq!(hub.call("POST", &deny, Some(ADMIN), &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(hub.call("POST", &path, None, &ask).await.json(), json!({"state": "denied"}));
    let unknown = json!({"device_code": "made up"});
    assert_eq!(hub.call("POST", &path, None, &unknown).await.json(), json!({"state": "expired"}));
}

#[rstest]
#[tokio::test]
async fn five_wrong_codes_are_the_most(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let started = start(&hub).await;
    let wrong = format!("{NATIVE}/device-logins/BBBB-BBBB");
    for _ in 0..5 {
        assert_eq!(hub.get(&wrong, Some(ADMIN)).await.status, StatusCode::NOT_FOUND);
    }
    let right = format!("{NATIVE}/device-logins/{}", started["user_code"].as_str().unwrap());
    assert_eq!(hub.get(&right, Some(ADMIN)).await.status, StatusCode::TOO_MANY_REQUESTS, "even the right one waits");
    hub.clock.advance(std::time::Duration::from_mins(10));
    let fresh = start(&hub).await;
    let right = format!("{NATIVE}/device-logins/{}", fresh["user_code"].as_str().unwrap());
    assert_eq!(hub.get(&right, Some(ADMIN)).await.status, StatusCode::OK);
}

#[rstest]
#[tokio::test]
async fn a_sign_in_ends_after_ten_minutes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let started = start(&hub).await;
    hub.clock.advance(std::time::Duration::from_mins(10));
    assert_eq!(poll(&hub, &started).await.json(), json!({"error": "expired_token"}));
    let path = format!("{NATIVE}/device-logins/{}/approve", started["user_code"].as_str().unwrap());
    assert_eq!(hub.call("POST", &path, Some(ADMIN), &json!({})).await.status, StatusCode::NOT_FOUND);
}
