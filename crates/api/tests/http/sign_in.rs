//! Signing in: devices in both dialects, one-time links, browser sessions and the pages between them.

use axum::http::{Request, StatusCode};
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

/// A browser that follows a fresh link and keeps its cookie.
struct Browser<'h> {
    hub: &'h TestHub,
    cookie: String,
}

impl<'h> Browser<'h> {
    async fn sign_in(hub: &'h TestHub, link: &str) -> Self {
        let code = link.split("code=").nth(1).unwrap();
        let form = format!("code={code}");
        let request = Request::post("/login")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", PUBLIC)
            .header("accept", "text/html");
        let answer = hub.send(request, form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { hub, cookie }
    }

    async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("cookie", &self.cookie).header("accept", "text/html");
        self.hub.send(request, "").await
    }

    async fn post(&self, path: &str, origin: Option<&str>, form: &str) -> Answer {
        let mut request = Request::post(path)
            .header("cookie", &self.cookie)
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        self.hub.send(request, form.to_owned()).await
    }
}

fn form_token(page: &Answer) -> String {
    let after = page.body.split("name=\"form\" value=\"").nth(1).unwrap();
    after.split('"').next().unwrap().to_owned()
}

async fn link(hub: &TestHub, token: &str) -> String {
    let answer = hub.call("POST", &format!("{NATIVE}/login-links"), Some(token), &json!({})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.json()["url"].as_str().unwrap().to_owned()
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
async fn a_person_approves_on_the_page_without_script(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let started = start(&hub).await;
    let code = started["user_code"].as_str().unwrap();
    let signed_out = hub.send(Request::get("/device").header("accept", "text/html"), "").await;
    assert!(signed_out.body.contains("not signed in"), "{}", signed_out.body);
    let browser = Browser::sign_in(&hub, &link(&hub, ADMIN).await).await;
    let page = browser.get(&format!("/device?code={code}")).await;
    assert!(page.body.contains(&format!("value=\"{code}\"")), "{}", page.body);
    let token = form_token(&page);
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
    let browser = Browser::sign_in(&hub, &link(&hub, ADMIN).await).await;
    let token = form_token(&browser.get("/device").await);
    let form = format!("form={token}&code={code}&step=approve");
    assert_eq!(browser.post("/device", origin, &form).await.status, StatusCode::FORBIDDEN);
    let forged = browser.post("/device", Some(PUBLIC), &form.replace(&token, "forged")).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert_eq!(poll(&hub, &started).await.json(), json!({"error": "authorization_pending"}));
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

#[rstest]
#[tokio::test]
async fn a_link_works_once_and_looking_does_not_use_it_up(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let link = link(&hub, ADMIN).await;
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
    let link = link(&hub, ADMIN).await;
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
    let browser = Browser::sign_in(&hub, &link(&hub, ADMIN).await).await;
    let token = form_token(&browser.get("/device").await);
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
    let link = link(&hub, ADMIN).await;
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
    let browser = Browser::sign_in(&hub, &link(&hub, made["secret"].as_str().unwrap()).await).await;
    let me = browser.get(&format!("{NATIVE}/whoami")).await.json();
    assert_eq!(me["scopes"], json!(["read"]));
    let started = start(&hub).await;
    let token = form_token(&browser.get("/device").await);
    let form = format!("form={token}&code={}&step=approve", started["user_code"].as_str().unwrap());
    assert_eq!(browser.post("/device", Some(PUBLIC), &form).await.status, StatusCode::FORBIDDEN);
}
