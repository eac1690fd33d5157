//! Signing in on pages: approving devices, one-time links, and what a browser session may do.

use axum::http::{Request, StatusCode};
use kontor_testkit::{ADMIN, Answer, Browser, NATIVE, On, PUBLIC, TestHub};
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
async fn a_person_approves_on_the_page_without_script(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let started = start(&hub).await;
    let code = started["user_code"].as_str().unwrap();
    let signed_out = hub.send(Request::get("/device").header("accept", "text/html"), "").await;
    assert!(signed_out.body.contains("not signed in"), "{}", signed_out.body);
    let browser = Browser::sign_in(&hub, &Browser::link(&hub, ADMIN).await).await;
    let page = browser.get(&format!("/device?code={code}")).await;
    assert!(page.body.contains(&format!("value=\"{code}\"")), "{}", page.body);
    let token = Browser::form_token(&page);
    let look = browser.post("/device", Some(PUBLIC), &format!("form={token}&code={code}&step=look")).await;
    assert!(look.body.contains("laptop") && look.body.contains("publish and change skills"), "{}", look.body);
    let done = browser.post("/device", Some(PUBLIC), &format!("form={token}&code={code}&step=approve")).await;
    assert!(done.body.contains("Approved"), "{}", done.body);
    assert!(poll(&hub, &started).await.json()["access_token"].is_string());
}

#[rstest]
#[case::other_site(Some("https://evil.example"))]
#[case::sandboxed(Some("null"))]
#[case::says_nothing(None)]
#[tokio::test]
async fn a_form_of_another_site_changes_nothing(
    #[case] origin: Option<&str>,
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = TestHub::start(on).await else { return };
    let started = start(&hub).await;
    let code = started["user_code"].as_str().unwrap();
    let browser = Browser::sign_in(&hub, &Browser::link(&hub, ADMIN).await).await;
    let token = Browser::form_token(&browser.get("/device").await);
    let form = format!("form={token}&code={code}&step=approve");
    assert_eq!(browser.post("/device", origin, &form).await.status, StatusCode::FORBIDDEN);
    let forged = browser.post("/device", Some(PUBLIC), &form.replace(&token, "forged")).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert_eq!(poll(&hub, &started).await.json(), json!({"error": "authorization_pending"}));
}

#[rstest]
#[tokio::test]
async fn a_link_works_once_and_looking_does_not_use_it_up(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let link = Browser::link(&hub, ADMIN).await;
    let path = link.strip_prefix(PUBLIC).unwrap();
    for _ in 0..2 {
        let page = hub.send(Request::get(path).header("accept", "text/html"), "").await;
        assert!(page.body.contains("Sign in as @admin"), "{}", page.body);
    }
    let browser = Browser::sign_in(&hub, &link).await;
    assert!(browser.get("/device").await.body.contains("signed in as @admin"));
    let again = hub.send(Request::get(path).header("accept", "text/html"), "").await;
    assert_eq!(again.status, StatusCode::GONE);
}

#[rstest]
#[tokio::test]
async fn a_link_is_too_old_after_fifteen_minutes(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let link = Browser::link(&hub, ADMIN).await;
    hub.clock.advance(std::time::Duration::from_mins(15));
    let answer = hub.get(link.strip_prefix(PUBLIC).unwrap(), None).await;
    assert_eq!(answer.status, StatusCode::GONE);
}

#[rstest]
#[tokio::test]
async fn signing_out_ends_the_session_and_its_cookie_is_out_of_reach_of_scripts(
    #[values(On::Sqlite, On::Postgres)] on: On,
) {
    let Some(hub) = TestHub::start(on).await else { return };
    let browser = Browser::sign_in(&hub, &Browser::link(&hub, ADMIN).await).await;
    let token = Browser::form_token(&browser.get("/device").await);
    let me = browser.get(&format!("{NATIVE}/whoami")).await;
    assert_eq!(me.json()["handle"], "admin", "a session also speaks to the native API");
    let out = browser.post("/logout", Some(PUBLIC), &format!("form={token}")).await;
    let cookie = out.header("set-cookie");
    assert_eq!(cookie, "kontor_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    assert!(browser.get("/device").await.body.contains("not signed in"));
    assert_eq!(browser.get(&format!("{NATIVE}/whoami")).await.status, StatusCode::UNAUTHORIZED);
}

#[rstest]
#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::with(on, |config| config.public_url = "https://hub.example".parse().unwrap()).await else {
        return;
    };
    let link = Browser::link(&hub, ADMIN).await;
    let form = format!("code={}", link.split("code=").nth(1).unwrap());
    let request = Request::post("/login").header("content-type", "application/x-www-form-urlencoded");
    let cookie = hub.send(request, form).await.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-kontor_session=") && cookie.ends_with("; Secure"), "{cookie}");
}

#[rstest]
#[tokio::test]
async fn a_link_gives_a_session_no_more_rights_than_the_token_that_made_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let body = json!({"label": "reader", "scopes": ["read"]});
    let made = hub.call("POST", &format!("{NATIVE}/tokens"), Some(ADMIN), &body).await.json();
    let browser = Browser::sign_in(&hub, &Browser::link(&hub, made["secret"].as_str().unwrap()).await).await;
    let me = browser.get(&format!("{NATIVE}/whoami")).await.json();
    assert_eq!(me["scopes"], json!(["read"]));
    let started = start(&hub).await;
    let token = Browser::form_token(&browser.get("/device").await);
    let form = format!("form={token}&code={}&step=approve", started["user_code"].as_str().unwrap());
    assert_eq!(browser.post("/device", Some(PUBLIC), &form).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn every_page_for_somebody_asks_who_is_not_signed_in_and_leads_back() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let pages = [
        "/account",
        "/account/password",
        "/account/tokens",
        "/inbox",
        "/publish?publisher=ada&slug=meter",
        "/runs?state=failed",
        "/runs/019a0000-0000-7000-8000-000000000000",
        "/errands",
        "/errands/019a0000-0000-7000-8000-000000000000",
        "/console",
        "/console/reviews",
        "/console/people",
        "/manage/ada",
    ];
    for path in pages {
        for language in ["en", "zh"] {
            let request = Request::get(path).header("accept", "text/html").header("accept-language", language);
            let page = hub.send(request, "").await;
            assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{path}");
            let back = format!("name=\"next\" value=\"{}\"", path.replace('&', "&amp;"));
            assert!(page.body.contains(&back), "{path}: {}", page.body);
        }
    }
}

#[tokio::test]
async fn signing_in_leads_back_to_a_page_of_this_hub_and_nowhere_else() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let ada = hub.person("ada", &[]).await;
    let browser = Browser::of(&hub, &ada).await;
    let form = Browser::form_token(&browser.get("/account/password").await);
    let chosen = format!("form={form}&new=correct+horse+battery&again=correct+horse+battery");
    assert_eq!(browser.post("/account/password", Some(PUBLIC), &chosen).await.status, StatusCode::SEE_OTHER);
    let places = [
        ("%2Fruns%3Fstate%3Dfailed", "/runs?state=failed"),
        ("", "/"),
        ("https%3A%2F%2Fevil.example%2F", "/"),
        ("%2F%2Fevil.example%2F", "/"),
        ("%2F%5Cevil.example%2F", "/"),
        ("%2F%0D%0Aevil%3A+1", "/"),
        ("%2F%09%2Fevil.example", "/"),
    ];
    for (next, place) in places {
        let sent = |password: &str| {
            let request = Request::post("/login")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("origin", PUBLIC)
                .header("accept", "text/html");
            (request, format!("name=ada&password={password}&next={next}"))
        };
        let (request, fields) = sent("correct+horse+battery");
        let came = hub.send(request, fields).await;
        assert_eq!((came.status, came.header("location")), (StatusCode::SEE_OTHER, place), "{next}");
    }
    let request = Request::post("/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", PUBLIC)
        .header("accept", "text/html");
    let wrong = hub.send(request, "name=ada&password=wrong&next=%2Fruns".to_owned()).await;
    assert!(wrong.body.contains("name=\"next\" value=\"/runs\""), "a wrong password keeps the way back");
}
