//! Signing in with a password, on the page, and setting one over the native API.

use axum::http::{Request, StatusCode};
use kontor_testkit::{ADMIN, Answer, NATIVE, On, PUBLIC, TestHub};
use rstest::rstest;
use serde_json::{Value, json};

const GOOD: &str = "correct horse battery";

async fn set(hub: &TestHub, token: Option<&str>, body: &Value) -> Answer {
    hub.call("PUT", &format!("{NATIVE}/me/password"), token, body).await
}

async fn link(hub: &TestHub, name: &str) -> String {
    let answer = hub.call("POST", &format!("{NATIVE}/login-links"), Some(ADMIN), &json!({"person": name})).await;
    answer.json()["url"].as_str().unwrap().to_owned()
}

async fn submit(hub: &TestHub, form: &str, origin: &str, language: &str) -> Answer {
    let request = Request::post("/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", origin)
        .header("accept-language", language)
        .header("accept", "text/html");
    hub.send(request, form.to_owned()).await
}

#[rstest]
#[tokio::test]
async fn a_person_sets_a_password_by_a_link_and_signs_in_on_the_page(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ada = hub.person("ada", &["read"]).await;
    let state = hub.get(&format!("{NATIVE}/me/password"), Some(&ada)).await;
    assert_eq!(state.json(), json!({}), "{}", state.body);
    let set_by_link = set(&hub, None, &json!({"new": GOOD, "link": link(&hub, "ada").await})).await;
    assert_eq!((set_by_link.status, set_by_link.json()), (StatusCode::OK, json!({"ended": 0})), "{}", set_by_link.body);
    assert_eq!(set_by_link.header("cache-control"), "private, no-store");
    let state = hub.get(&format!("{NATIVE}/me/password"), Some(&ada)).await;
    assert!(state.json()["set_at"].is_string(), "{}", state.body);
    let page = hub.send(Request::get("/login").header("accept", "text/html"), "").await;
    for expected in ["autocomplete=\"username\"", "type=\"password\"", "autocomplete=\"current-password\""] {
        assert!(page.body.contains(expected), "{}", page.body);
    }
    let form = "name=ada&password=correct+horse+battery";
    assert_eq!(submit(&hub, form, "https://evil.example", "en").await.status, StatusCode::FORBIDDEN);
    let opened = submit(&hub, form, PUBLIC, "en").await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER, "{}", opened.body);
    let cookie = opened.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let request = Request::get(format!("{NATIVE}/whoami")).header("cookie", cookie.split(';').next().unwrap());
    assert_eq!(hub.send(request, "").await.json()["handle"], "ada");
    let changed = set(&hub, Some(&ada), &json!({"new": "another good one", "current": GOOD})).await;
    assert_eq!(changed.json(), json!({"ended": 1}), "{}", changed.body);
}

#[rstest]
#[tokio::test]
async fn a_wrong_password_is_told_on_the_page_and_soon_not_taken(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    hub.person("ada", &["read"]).await;
    let mut pages = Vec::new();
    for name in ["ada", "zed"] {
        for _ in 0..5 {
            let refused = submit(&hub, &format!("name={name}&password=guess"), PUBLIC, "en").await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(refused.body.contains("name or the password is wrong") && !refused.body.contains("guess"));
            assert!(!refused.headers.contains_key("set-cookie"));
            pages.push(refused.body.replace(name, "NAME"));
        }
        let refused = submit(&hub, &format!("name={name}&password=guess"), PUBLIC, "zh").await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(refused.body.contains("密码错误次数过多"), "{}", refused.body);
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "a name that nobody has is told as one that somebody has");
}

#[rstest]
#[case::nothing(json!({"new": GOOD}), StatusCode::FORBIDDEN, "forbidden")]
#[case::both(json!({"new": GOOD, "current": "x", "link": "x"}), StatusCode::BAD_REQUEST, "invalid_request")]
#[case::wrong(json!({"new": GOOD, "current": "not the one it is"}), StatusCode::FORBIDDEN, "forbidden")]
#[case::made_up_link(json!({"new": GOOD, "link": "made-up"}), StatusCode::GONE, "gone")]
#[case::short(json!({"new": "short", "current": "x"}), StatusCode::BAD_REQUEST, "invalid_request")]
#[tokio::test]
async fn without_proof_no_password_is_set(#[case] body: Value, #[case] status: StatusCode, #[case] code: &str) {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let ada = hub.person("ada", &[]).await;
    let refused = set(&hub, Some(&ada), &body).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (status, Some(code)), "{}", refused.body);
    assert!(!refused.body.contains(GOOD));
    assert_eq!(set(&hub, None, &json!({"new": GOOD})).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn how_long_to_wait_is_told_to_programs() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let ada = hub.person("ada", &[]).await;
    let body = json!({"new": GOOD, "current": "not the one it is"});
    for _ in 0..5 {
        assert_eq!(set(&hub, Some(&ada), &body).await.status, StatusCode::FORBIDDEN);
    }
    let refused = set(&hub, Some(&ada), &body).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "600"));
}

/// A digest of the body, kept for comparing, would be a fast hash of the password.
#[tokio::test]
async fn no_idempotency_key_keeps_anything_of_a_password() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    hub.person("ada", &[]).await;
    let token = hub.person("bob", &[]).await;
    let ask = async || {
        let request = Request::put(format!("{NATIVE}/me/password"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("idempotency-key", "k");
        hub.send(request, json!({"new": GOOD, "link": link(&hub, "bob").await}).to_string()).await
    };
    for _ in 0..2 {
        let answer = ask().await;
        assert!(answer.status.is_success() && !answer.headers.contains_key("idempotency-replayed"), "{}", answer.body);
    }
}
