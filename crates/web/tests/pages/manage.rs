//! What a publisher looks after: skills, versions, tags, members, keys, tokens, and who may not.

use axum::http::{Request, StatusCode};
use kontor_testkit::{Answer, Browser, NATIVE, On, PUBLIC, TestHub};
use rstest::rstest;
use serde_json::json;

const METER: &str = "/manage/ada/skills/meter";

#[track_caller]
fn has(answer: &Answer, text: &str) {
    assert!(answer.body.contains(text), "no `{text}` in {}", answer.body);
}

#[track_caller]
fn lacks(answer: &Answer, text: &str) {
    assert!(!answer.body.contains(text), "`{text}` in {}", answer.body);
}

/// A publisher's browser, with the token of a form.
struct Author<'h> {
    browser: Browser<'h>,
    form: String,
}

impl<'h> Author<'h> {
    async fn of(hub: &'h TestHub, token: &str) -> Self {
        let browser = Browser::of(hub, token).await;
        let form = Browser::form_token(&browser.get("/account/tokens").await);
        Self { browser, form }
    }

    async fn act(&self, path: &str, fields: &str) -> Answer {
        self.browser.post(path, Some(PUBLIC), &format!("form={}&{fields}", self.form)).await
    }

    /// Does something that is done, and looks at the page that it leads to.
    async fn done(&self, path: &str, fields: &str) -> Answer {
        let answer = self.act(path, fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{fields}: {}", answer.body);
        self.browser.get(answer.header("location").split('#').next().unwrap()).await
    }
}

#[rstest]
#[tokio::test]
async fn a_version_is_withdrawn_and_offered_again_and_tags_move(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ada = hub.person("ada", &[]).await;
    hub.publish(&ada, "@ada/meter@1.0.0", "public", "Read the meter.").await;
    hub.publish(&ada, "@ada/meter@1.1.0", "public", "Read the meter well.").await;
    let author = Author::of(&hub, &ada).await;
    has(&author.browser.get("/@ada").await, "href=\"/manage/ada\"");
    has(&author.browser.get("/@ada/meter").await, &format!("href=\"{METER}\""));
    let list = author.browser.get("/manage/ada").await;
    has(&list, &format!("href=\"{METER}\""));
    has(&list, "1.1.0");
    let sheet = author.browser.get(METER).await;
    has(&sheet, "admitted");
    has(&sheet, "Nobody has used it in the last 30 days.");

    let empty = author.act(METER, "deed=tag&name=Not+A+Tag&version=1.0.0").await;
    assert!(empty.status.is_client_error(), "{}", empty.status);
    has(&empty, "value=\"Not A Tag\"");
    has(&empty, "aria-invalid=\"true\" aria-describedby=\"wrong\"");
    let sheet = author.done(METER, "deed=yank&version=1.1.0&reason=It+reads+%3Cb%3Ewrong%3C%2Fb%3E.").await;
    has(&sheet, "It reads &lt;b&gt;wrong&lt;/b&gt;.");
    has(&hub.get("/@ada/meter@1.1.0", None).await, "wrong");
    assert_eq!(hub.get(&format!("{NATIVE}/skills/ada/meter"), None).await.json()["latest_version"]["version"], "1.0.0");
    let sheet = author.done(METER, "deed=unyank&version=1.1.0").await;
    lacks(&sheet, "It reads");

    has(&author.done(METER, "deed=tag&name=stable&version=1.0.0").await, "<b>stable</b> → 1.0.0");
    has(&author.done(METER, "deed=tag&name=stable&version=1.1.0").await, "<b>stable</b> → 1.1.0");
    let latest = author.act(METER, "deed=untag&name=latest").await;
    assert_eq!(latest.status, StatusCode::CONFLICT);
    lacks(&author.done(METER, "deed=untag&name=stable").await, "<b>stable</b>");
}

#[rstest]
#[tokio::test]
async fn a_skill_is_advised_against_hidden_and_renamed(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ada = hub.person("ada", &[]).await;
    hub.publish(&ada, "@ada/meter@1.0.0", "public", "Read the meter.").await;
    let author = Author::of(&hub, &ada).await;
    let unknown = author.act(METER, "deed=deprecate&reason=Old.&successor=%40ada%2Fnothing").await;
    assert!(unknown.status.is_client_error());
    has(&unknown, "value=\"@ada/nothing\"");
    has(&unknown, ">Old.</textarea>");
    has(&author.done(METER, "deed=deprecate&reason=Old.").await, "Recommend it again");
    has(&hub.get("/@ada/meter", None).await, "Old.");
    lacks(&author.done(METER, "deed=undeprecate").await, "Recommend it again");
    has(&author.done(METER, "deed=visibility&visibility=private").await, "value=\"private\" selected");
    let stranger = hub.send(Request::get("/@ada/meter").header("accept", "text/html"), "").await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    let renamed = author.act(METER, "deed=rename&name=gauge").await;
    assert_eq!(renamed.header("location"), "/manage/ada/skills/gauge#rename", "{}", renamed.body);
    assert_eq!(author.browser.get(METER).await.status, StatusCode::OK, "the old name leads to it");
    for visibility in ["", "everybody"] {
        let refused = author.act(METER, &format!("deed=visibility&visibility={visibility}")).await;
        assert!(refused.status.is_client_error());
    }
}

#[rstest]
#[tokio::test]
async fn who_may_not_finds_nothing_and_changes_nothing(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ada = hub.person("ada", &[]).await;
    hub.publish(&ada, "@ada/meter@1.0.0", "public", "Read the meter.").await;
    let author = Author::of(&hub, &ada).await;
    let eve = Author::of(&hub, &hub.person("eve", &[]).await).await;
    let yank = "deed=yank&version=1.0.0&reason=No.";
    for path in ["/manage/ada", METER, "/manage/ada/members", "/manage/ada/keys", "/manage/nobody"] {
        assert_eq!(eve.browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        let signed_out = hub.send(Request::get(path).header("accept", "text/html"), "").await;
        assert_eq!(signed_out.status, StatusCode::UNAUTHORIZED, "{path}");
        has(&signed_out, &format!("name=\"next\" value=\"{path}\""));
    }
    assert_eq!(eve.act(METER, yank).await.status, StatusCode::NOT_FOUND);
    for (origin, form) in
        [(Some("https://evil.example"), author.form.as_str()), (Some(PUBLIC), &eve.form), (None, &author.form)]
    {
        for path in [METER, "/manage/ada/members", "/manage/ada/keys", "/account/tokens"] {
            let forged = author.browser.post(path, origin, &format!("form={form}&{yank}")).await;
            assert_eq!(forged.status, StatusCode::FORBIDDEN, "{path} from {origin:?}");
        }
    }
    lacks(&author.browser.get(METER).await, "Offer again");
    lacks(&eve.browser.get("/@ada/meter").await, "/manage/");
}

#[rstest]
#[tokio::test]
async fn members_come_change_and_go(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ada = hub.person("ada", &[]).await;
    let bob = hub.person("bob", &[]).await;
    let made = hub.call("POST", &format!("{NATIVE}/publishers"), Some(&ada), &json!({"handle": "works"})).await;
    assert!(made.status.is_success(), "{}", made.body);
    let author = Author::of(&hub, &ada).await;
    let place = "/manage/works/members";
    let unknown = author.act(place, "deed=put&name=nobody-here&role=admin").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    has(&unknown, "value=\"nobody-here\"");
    has(&unknown, "value=\"admin\" selected");
    has(&author.done(place, "deed=put&name=%40bob&role=maintainer").await, "@bob");
    let member = Author::of(&hub, &bob).await;
    let seen = member.browser.get(place).await;
    has(&seen, "Your role: maintainer");
    lacks(&seen, "name=\"deed\"");
    assert_eq!(member.act(place, "deed=put&name=bob&role=owner").await.status, StatusCode::FORBIDDEN);
    let last = author.act(place, "deed=remove&name=ada").await;
    assert_eq!(last.status, StatusCode::CONFLICT, "the last owner stays: {}", last.body);
    lacks(&author.done(place, "deed=remove&name=bob").await, "@bob");
    assert_eq!(member.browser.get(place).await.status, StatusCode::NOT_FOUND);
    has(&author.browser.get("/manage/ada/members").await, "own publisher");
    assert!(author.act("/manage/ada/members", "deed=put&name=bob&role=admin").await.status.is_client_error());
    has(&author.browser.get("/manage/works/keys").await, "kontor key new --registry");
    let no_key = author.act("/manage/works/keys", "deed=revoke&name=made-up&reason=Lost.").await;
    assert_eq!(no_key.status, StatusCode::NOT_FOUND);
}

#[rstest]
#[tokio::test]
async fn a_token_is_shown_once_and_revoked(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let author = Author::of(&hub, &hub.person("ada", &[]).await).await;
    let place = "/account/tokens";
    let nothing = author.act(place, "deed=make&label=ci&days=30").await;
    assert!(nothing.status.is_client_error());
    has(&nothing, "choose at least one right");
    has(&nothing, "value=\"ci\"");
    let made = author.act(place, "deed=make&label=for+ci&days=30&read=yes&publish=yes").await;
    assert_eq!((made.status, made.header("cache-control")), (StatusCode::OK, "private, no-store"));
    let secret = made.body.split("<pre tabindex=\"0\"><code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let whoami = hub.get(&format!("{NATIVE}/whoami"), Some(&secret)).await;
    assert_eq!(whoami.status, StatusCode::OK, "{}", whoami.body);
    assert_eq!(whoami.json()["scopes"], json!(["read", "publish"]));
    let later = author.browser.get(place).await;
    has(&later, "for ci");
    lacks(&later, &secret);
    let id = later.body.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let eve = Author::of(&hub, &hub.person("eve", &[]).await).await;
    assert_eq!(eve.act(place, &format!("deed=revoke&id={id}")).await.status, StatusCode::NOT_FOUND);
    has(&author.done(place, &format!("deed=revoke&id={id}")).await, "revoked");
    assert_eq!(hub.get(&format!("{NATIVE}/whoami"), Some(&secret)).await.status, StatusCode::UNAUTHORIZED);
}
