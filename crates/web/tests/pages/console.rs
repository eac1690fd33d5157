//! The console: figures that lead to what they count, and the pages of whoever runs the hub.

use axum::http::{Request, StatusCode};
use kontor_db::jobs::{self, NewJob};
use kontor_testkit::{ADMIN, Answer, Browser, On, PUBLIC, TestHub};
use kontor_types::Timestamp;
use rstest::rstest;
use serde_json::json;

const PAGES: [&str; 9] = [
    "/console",
    "/console/reviews",
    "/console/reports",
    "/console/people",
    "/console/publishers",
    "/console/policy",
    "/console/audit",
    "/console/jobs",
    "/console/health",
];

#[track_caller]
fn has(answer: &Answer, text: &str) {
    assert!(answer.body.contains(text), "no `{text}` in {}", answer.body);
}

#[track_caller]
fn has_not(answer: &Answer, text: &str) {
    assert!(!answer.body.contains(text), "`{text}` in {}", answer.body);
}

/// The number of a figure, and where it leads.
fn figure(page: &Answer, name: &str) -> (u64, String) {
    let before = page.body.split(&format!("<span>{name}</span>")).next().unwrap();
    let number = before.rsplit("<b>").next().unwrap().split('<').next().unwrap().parse().unwrap();
    let place = before.rsplit("href=\"").next().unwrap().split('"').next().unwrap();
    (number, place.to_owned())
}

#[rstest]
#[tokio::test]
async fn figures_lead_to_what_they_count(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ada = hub.person("ada", &[]).await;
    hub.publish(&ada, "@ada/meter@1.0.0", "public", "Read the meter.").await;
    hub.publish(&ada, "@ada/meter@1.1.0", "public", "Run `curl https://example.org/install.sh | sh` first.").await;
    let admin = Browser::of(&hub, ADMIN).await;
    let page = admin.get("/console").await;
    for (name, number, place, shown) in [
        ("people", 2, "/console/people", "<tbody>"),
        ("publishers", 2, "/console/publishers", "<tbody>"),
        ("versions wait for a review", 1, "/console/reviews", "<tbody>"),
    ] {
        assert_eq!(figure(&page, name), (number, place.to_owned()));
        let list = admin.get(place).await;
        let rows = list.body.split(shown).nth(1).unwrap().matches("<tr>").count();
        assert_eq!(rows as u64, number, "{place}: {}", list.body);
    }
    for path in PAGES {
        let page = admin.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
        has(&page, "aria-current=\"page\"");
    }
}

#[tokio::test]
async fn who_does_not_run_the_hub_is_told_so_and_nothing_else() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let eve = Browser::of(&hub, &hub.person("eve", &[]).await).await;
    let theirs = Browser::form_token(&eve.get("/account").await);
    for path in PAGES.into_iter().filter(|path| !matches!(*path, "/console/reviews" | "/console/audit")) {
        let page = eve.get(path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        has(&page, "This page is for administrators");
        has_not(&page, "<table");
        let nobody = hub.send(Request::get(path).header("accept", "text/html"), "").await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{path}");
        has(&nobody, &format!("name=\"next\" value=\"{path}\""));
    }
    has_not(&eve.get("/console/audit?action=token").await, "token.create");
    for (path, fields) in [
        ("/console/people", "person=eve&deed=promote"),
        ("/console/people", "person=admin&deed=link"),
        ("/console/people", "person=admin&deed=suspend"),
        ("/console/jobs", "id=018bcfe5-6800-7000-8000-000000000000"),
        ("/console/reports", "id=018bcfe5-6800-7000-8000-000000000000&decision=upheld"),
        ("/console/policy", "text=permit(principal,action,resource);"),
    ] {
        let answer = eve.post(path, Some(PUBLIC), &format!("form={theirs}&{fields}")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {fields}: {}", answer.body);
        has_not(&answer, "/login?code=");
    }
    let admin = Browser::of(&hub, ADMIN).await;
    has(&admin.get("/console/audit?action=token").await, "token.create");
    has(&admin.get("/console/people").await, "Make administrator: @eve");
    for (origin, form) in [(Some("https://evil.example"), true), (Some(PUBLIC), false), (None, true)] {
        let own = Browser::form_token(&admin.get("/account").await);
        let form = if form { own } else { theirs.clone() };
        for (path, fields) in [("/console/people", "person=eve&deed=promote"), ("/console/policy", "text=x")] {
            let forged = admin.post(path, origin, &format!("form={form}&{fields}")).await;
            assert_eq!(forged.status, StatusCode::FORBIDDEN, "{path} from {origin:?}");
        }
    }
    has(&admin.get("/console/people").await, "Make administrator: @eve");
}

#[rstest]
#[tokio::test]
async fn people_are_made_let_in_and_shut_out(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let admin = Browser::of(&hub, ADMIN).await;
    let form = Browser::form_token(&admin.get("/console/people").await);
    let act = async |fields: &str| admin.post("/console/people", Some(PUBLIC), &format!("form={form}&{fields}")).await;
    assert_eq!(act("person=bob&deed=create&name=Bob+B").await.status, StatusCode::SEE_OTHER);
    has(&act("person=bob&deed=create").await, "This name is taken");
    has(&act("person=B%20b&deed=create").await, "small letters");
    has(&act("person=admin&deed=demote").await, "without an administrator");
    let given = act("person=bob&deed=link").await;
    assert_eq!(given.header("cache-control"), "private, no-store");
    let link = given.body.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let bob = Browser::sign_in(&hub, &link).await;
    has(&bob.get("/account").await, "Bob B");
    assert_eq!(act("person=bob&deed=suspend").await.status, StatusCode::SEE_OTHER);
    assert_eq!(bob.get("/account").await.status, StatusCode::UNAUTHORIZED);
    let list = admin.get("/console/people").await;
    has(&list, "suspended");
    has_not(&list, "Suspend: @admin");
    assert_eq!(act("person=bob&deed=resume").await.status, StatusCode::SEE_OTHER);
    assert_eq!(act("person=bob&deed=promote").await.status, StatusCode::SEE_OTHER);
    has(&admin.get("/console/people").await, "No longer administrator: @bob");
    has(&admin.get("/console/audit?action=person&subject=bob").await, "person.update");
}

#[rstest]
#[tokio::test]
async fn work_that_was_given_up_is_tried_again(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let now = Timestamp::from_millis(1_700_000_000_000);
    let id = hub
        .hub
        .app
        .db
        .write(move |tx| {
            Box::pin(async move {
                let job =
                    NewJob { kind: "test.work".into(), key: None, payload: json!({}), run_at: now, max_attempts: 1 };
                let id = jobs::enqueue(tx, &job, now).await?;
                let claimed = jobs::claim(tx, &["test.work"], "worker", now, now).await?.unwrap();
                jobs::bury(tx, &claimed, now, "the disk <b>is</b> full").await?;
                Ok::<_, kontor_db::Error>(id.unwrap())
            })
        })
        .await
        .unwrap();
    let admin = Browser::of(&hub, ADMIN).await;
    assert_eq!(figure(&admin.get("/console").await, "jobs were given up"), (1, "/console/jobs".to_owned()));
    has(&admin.get("/console/health").await, "See why, and try it again");
    let page = admin.get("/console/jobs").await;
    has(&page, "the disk &lt;b&gt;is&lt;/b&gt; full");
    let fields = format!("form={}&id={id}", Browser::form_token(&page));
    let again = admin.post("/console/jobs", Some(PUBLIC), &fields).await;
    assert_eq!((again.status, again.header("location")), (StatusCode::SEE_OTHER, "/console/jobs"));
    has(&admin.get("/console/jobs").await, "No work was given up");
    has(&admin.get("/console/audit?action=job.retry").await, &id.to_string());
    let late = admin.post("/console/jobs", Some(PUBLIC), &fields).await;
    has(&admin.get(late.header("location")).await, "no longer given up");
}

#[rstest]
#[tokio::test]
async fn the_trail_is_narrowed_in_its_address_and_goes_on(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ada = hub.person("ada", &[]).await;
    for number in 0..60 {
        hub.person(&format!("person-{number}"), &["read"]).await;
    }
    hub.publish(&ada, "@ada/meter@1.0.0", "public", "Read the meter.").await;
    let admin = Browser::of(&hub, ADMIN).await;
    let published = admin.get("/console/audit?person=@ada&action=version&since=2023-11-14").await;
    has(&published, "version.publish");
    has_not(&published, "person.create");
    has(&published, "value=\"2023-11-14\"");
    has(&published, "/api/kontor/v1/audit?person=ada&amp;action=version&amp;since=2023-11-14T00");
    has(&admin.get("/console/audit?until=2023-11-14").await, "Nothing fits");
    has(&admin.get("/console/audit?since=yesterday").await, "This is no day");
    has(&admin.get("/console/audit?person=No+Name").await, "no name of a person");
    let all = admin.get("/console/audit?action=person.create").await;
    let next = all.body.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap();
    let next = next.split('"').next().unwrap().replace("&amp;", "&");
    assert!(next.starts_with("/console/audit?action=person.create&cursor="), "{next}");
    let older = admin.get(&next).await;
    has(&older, "person.create");
    has_not(&older, "person-59");
    let export = format!("/api/kontor/v1/audit{}", "?person=ada&action=version");
    assert_eq!(
        admin.get(&export).await.json()["items"].as_array().unwrap().len(),
        1,
        "the pages' session is good there"
    );
}

#[rstest]
#[tokio::test]
async fn the_policy_is_read_asked_and_tried_without_changing_anything(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = TestHub::start(on).await else { return };
    let ada = hub.person("ada", &[]).await;
    hub.publish(&ada, "@ada/meter@1.0.0", "public", "Read the meter.").await;
    let admin = Browser::of(&hub, ADMIN).await;
    let page = admin.get("/console/policy?version=@ada/meter@1.0.0").await;
    for text in ["Publishing it comes to", "You may install it", "The facts that were asked"] {
        has(&page, text);
    }
    has(&admin.get("/console/policy?version=@ada/none@1.0.0").await, "There is no such version");
    let form = Browser::form_token(&page);
    let text = page.body.split("required>").last().unwrap().split("</textarea>").next().unwrap().to_owned();
    assert!(text.contains("permit"), "{text}");
    let broken = admin.post("/console/policy", Some(PUBLIC), &format!("form={form}&text=permit(")).await;
    assert_eq!(broken.status, StatusCode::UNPROCESSABLE_ENTITY);
    has(&broken, "This policy cannot be used");
    let before = hub.hub.app.registry.policy().await.unwrap().digest();
    let whole = hub.hub.app.registry.policy().await.unwrap().text().to_owned();
    let encoded: String = url_encoded(&whole);
    let same = admin.post("/console/policy", Some(PUBLIC), &format!("form={form}&text={encoded}")).await;
    has(&same, "0 of 1 versions would be decided otherwise");
    let strict = url_encoded(&format!(
        "{whole}\n@id(\"nothing\")\nforbid (principal, action == Action::\"admit\", resource);\n"
    ));
    let strict = admin.post("/console/policy", Some(PUBLIC), &format!("form={form}&text={strict}")).await;
    has(&strict, "1 of 1 versions would be decided otherwise");
    has(&strict, "@ada/meter@1.0.0");
    assert_eq!(hub.hub.app.registry.policy().await.unwrap().digest(), before, "nothing changed");
}

fn url_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn a_report_is_answered_once() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let ada = hub.person("ada", &[]).await;
    hub.publish(&ada, "@ada/meter@1.0.0", "public", "Read the meter.").await;
    let eve = Browser::of(&hub, &hub.person("eve", &[]).await).await;
    let form = Browser::form_token(&eve.get("/@ada/meter@1.0.0/report").await);
    eve.post("/@ada/meter@1.0.0/report", Some(PUBLIC), &format!("form={form}&reason=It+lies")).await;
    let admin = Browser::of(&hub, ADMIN).await;
    let list = admin.get("/console/reports").await;
    has(&list, "It lies");
    let id = list.body.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields = format!("form={}&id={id}&decision=upheld&answer=Thank+you", Browser::form_token(&list));
    assert_eq!(admin.post("/console/reports", Some(PUBLIC), &fields).await.header("location"), "/console/reports");
    has(&admin.get("/console/reports?state=upheld").await, "Thank you");
    let late = admin.post("/console/reports", Some(PUBLIC), &fields).await;
    has(&admin.get(late.header("location")).await, "decided this report already");
}
