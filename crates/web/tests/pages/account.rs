//! A person's own account: the password, sessions, devices, active skills, and ending each.

use axum::http::{Request, StatusCode};
use kontor_testkit::{ADMIN, Answer, Browser, NATIVE, On, PUBLIC, TestHub};
use rstest::rstest;
use serde_json::json;

const GOOD: &str = "correct+horse+battery";
const OTHER: &str = "staple+of+another+kind";

#[track_caller]
fn has(answer: &Answer, text: &str) {
    assert!(answer.body.contains(text), "no `{text}` in {}", answer.body);
}

#[track_caller]
fn has_not(answer: &Answer, text: &str) {
    assert!(!answer.body.contains(text), "`{text}` in {}", answer.body);
}

/// What the button that ends something of this kind sends as its id.
fn id_of(page: &Answer, kind: &str) -> String {
    let before = page.body.split(&format!("name=\"end\" value=\"{kind}\"")).next().unwrap();
    before.rsplit("name=\"id\" value=\"").next().unwrap().split('"').next().unwrap().to_owned()
}

async fn sign_in(hub: &TestHub, name: &str, password: &str) -> Answer {
    let request = Request::post("/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", PUBLIC)
        .header("accept", "text/html");
    hub.send(request, format!("name={name}&password={password}")).await
}

#[rstest]
#[tokio::test]
async fn a_password_is_chosen_after_a_link_then_changed_and_opens_the_hub(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let link = Browser::link(&hub, ADMIN).await;
    let request = Request::post("/login").header("content-type", "application/x-www-form-urlencoded");
    let came = hub.send(request, format!("code={}", link.split("code=").nth(1).unwrap())).await;
    assert_eq!(came.header("location"), "/account/password", "the first administrator chooses a password");
    let browser = Browser::of(&hub, ADMIN).await;
    let page = browser.get("/account/password").await;
    has(&page, "Choose a password");
    has_not(&page, "name=\"current\"");
    let form = Browser::form_token(&page);
    for (fields, told) in [
        (format!("new={GOOD}&again={OTHER}"), "The two are not the same"),
        ("new=short&again=short".to_owned(), "12 or more characters"),
    ] {
        let refused = browser.post("/account/password", Some(PUBLIC), &format!("form={form}&{fields}")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        has(&refused, told);
        has_not(&refused, "short\"");
    }
    let chosen = format!("new={GOOD}&again={GOOD}");
    for (origin, form) in [(Some("https://evil.example"), form.as_str()), (Some(PUBLIC), "made-up"), (None, &form)] {
        let forged = browser.post("/account/password", origin, &format!("form={form}&{chosen}")).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(sign_in(&hub, "admin", GOOD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = browser.post("/account/password", Some(PUBLIC), &format!("form={form}&{chosen}")).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/account#password"));
    let came = sign_in(&hub, "admin", GOOD).await;
    assert_eq!((came.status, came.header("location")), (StatusCode::SEE_OTHER, "/"), "who has one chooses none");
    has(&browser.get("/account/password").await, "Your password now");
    let wrong = format!("form={form}&current=wrong&new={OTHER}&again={OTHER}");
    has(&browser.post("/account/password", Some(PUBLIC), &wrong).await, "Your password now is another one");
    let right = format!("form={form}&current={GOOD}&new={OTHER}&again={OTHER}");
    assert_eq!(browser.post("/account/password", Some(PUBLIC), &right).await.status, StatusCode::SEE_OTHER);
    assert_eq!(sign_in(&hub, "admin", GOOD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let trail = browser.get("/console/audit?action=session.refuse").await;
    has(&trail, "session.refuse");
    assert_eq!(trail.body.matches("<td><bdi>admin</bdi>").count(), 2, "{}", trail.body);
}

#[rstest]
#[tokio::test]
async fn sessions_devices_and_skills_are_seen_and_ended(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ada = hub.person("ada", &[]).await;
    hub.publish(&ada, "@ada/meter@1.0.0", "public", "Read the meter.").await;
    let activated = hub.call("PUT", &format!("{NATIVE}/skills/ada/meter/activation"), Some(&ada), &json!({})).await;
    assert!(activated.status.is_success(), "{}", activated.body);
    let device = json!({"label": "laptop of ada", "scopes": ["read"]});
    let device = hub.call("POST", &format!("{NATIVE}/tokens"), Some(&ada), &device).await.json();
    let (browser, other) = (Browser::of(&hub, &ada).await, Browser::of(&hub, &ada).await);
    let page = browser.get("/account").await;
    for text in ["@ada", "laptop of ada", "@ada/meter@1.0.0", "this one", "Sign out everywhere else"] {
        has(&page, text);
    }
    let form = Browser::form_token(&page);
    let stranger = Browser::of(&hub, &hub.person("eve", &[]).await).await;
    let theirs = Browser::form_token(&stranger.get("/account").await);
    for kind in ["session", "token"] {
        let id = id_of(&page, kind);
        let refused = stranger.post("/account", Some(PUBLIC), &format!("form={theirs}&end={kind}&id={id}")).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{kind} of somebody else");
        for (origin, form) in [(Some("https://evil.example"), form.as_str()), (Some(PUBLIC), &theirs), (None, &form)] {
            let forged = browser.post("/account", origin, &format!("form={form}&end={kind}&id={id}")).await;
            assert_eq!(forged.status, StatusCode::FORBIDDEN);
        }
    }
    let secret = device["secret"].as_str().unwrap();
    assert_eq!(hub.get(&format!("{NATIVE}/whoami"), Some(secret)).await.status, StatusCode::OK);
    has(&other.get("/account").await, "this one");
    let page = browser.get("/account").await;
    let token = page.body.split("laptop of ada").nth(1).unwrap().split("name=\"id\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    for (kind, id) in [("token", token), ("sessions", ""), ("skill", "@ada/meter@1.0.0")] {
        let ended = browser.post("/account", Some(PUBLIC), &format!("form={form}&end={kind}&id={id}")).await;
        assert_eq!(ended.status, StatusCode::SEE_OTHER, "{kind}: {}", ended.body);
    }
    assert_eq!(hub.get(&format!("{NATIVE}/whoami"), Some(secret)).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(other.get("/account").await.status, StatusCode::UNAUTHORIZED, "the stolen session is over");
    let page = browser.get("/account").await;
    has_not(&page, "laptop of ada");
    has(&page, "None is active");
    has_not(&page, "Sign out everywhere else");
}

#[tokio::test]
async fn an_account_is_told_to_nobody() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    for path in ["/account", "/account/password"] {
        let page = hub.send(Request::get(path).header("accept", "text/html"), "").await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        has(&page, "type=\"password\"");
    }
}
