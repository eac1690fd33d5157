//! The pages of runs: whose they are, what they said as text, ending and repeating them.

use axum::http::{Request, StatusCode};
use kontor_dispatch::{EventKind, Named, Run, StartRun};
use kontor_testkit::{Answer, Browser, On, PUBLIC, TestHub};
use rstest::rstest;
use serde_json::json;

const SKILL: &str =
    "---\nname: echo\ndescription: Says what it is told. Use when somebody wants an echo.\n---\n# Echo\n";

async fn hub(on: On) -> Option<TestHub> {
    let hub = TestHub::start(on).await?;
    for name in ["@acme/echo", "@acme/other"] {
        hub.publish_files(name, &[("SKILL.md", SKILL), ("say.py", "print('one')\n")]).await;
    }
    Some(hub)
}

async fn run(hub: &TestHub, token: &str, skill: &str) -> Run {
    let caller = hub.hub.app.access.authenticate(&token.into()).await.unwrap();
    let start = StartRun { entry: Named::Script("say.py".to_owned()), ..StartRun::default() };
    hub.hub.app.runs.start(&caller, &skill.parse().unwrap(), &start).await.unwrap()
}

#[track_caller]
fn has(answer: &Answer, text: &str) {
    assert!(answer.body.contains(text), "no `{text}` in {}", answer.body);
}

#[rstest]
#[tokio::test]
async fn people_see_their_own_runs_by_state_and_skill(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = hub(on).await else { return };
    let (ada, bob) = (hub.person("ada", &[]).await, hub.person("bob", &[]).await);
    let (adas, bobs) = (Browser::of(&hub, &ada).await, Browser::of(&hub, &bob).await);
    has(&adas.get("/runs").await, "You have not run a skill yet");
    let one = run(&hub, &ada, "@acme/echo").await;
    let two = run(&hub, &ada, "@acme/other").await;
    let list = adas.get("/runs").await;
    for id in [one.id, two.id] {
        has(&list, &format!("href=\"/runs/{id}\""));
    }
    let some = adas.get("/runs?state=queued&skill=%40acme%2Fecho").await;
    has(&some, &one.id.to_string());
    assert!(!some.body.contains(&two.id.to_string()), "another skill: {}", some.body);
    has(&adas.get("/runs?state=failed").await, "None of your runs is like that");
    has(&adas.get("/runs?skill=%22%3E%3Cb%3E").await, "value=\"&quot;&gt;&lt;b&gt;\"");
    has(&bobs.get("/runs").await, "You have not run a skill yet");
    let made_up = one.id.to_string().replace(|char: char| char.is_ascii_digit(), "0");
    for path in [format!("/runs/{}", one.id), format!("/runs/{made_up}"), "/runs/nonsense".to_owned()] {
        assert_eq!(bobs.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let stranger = hub.send(Request::get(format!("/runs/{}", one.id)).header("accept", "text/html"), "").await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    has(&stranger, "type=\"password\"");
    assert!(!stranger.body.contains("echo"), "{}", stranger.body);
}

#[tokio::test]
async fn what_a_run_says_is_text_and_nothing_else() {
    let hub = hub(On::Sqlite).await.unwrap();
    let ada = hub.person("ada", &[]).await;
    let made = run(&hub, &ada, "@acme/echo").await;
    let now = hub.hub.app.clock.now();
    let said = [
        (EventKind::Stdout, "</pre><script>alert(1)</script>\n"),
        (EventKind::Stderr, "\u{1b}[2J\u{202e}<img src=x onerror=alert(1)>\r\n"),
        (EventKind::Note, "<b>note</b>"),
    ];
    let write = hub.hub.app.db.write(move |tx| {
        Box::pin(async move {
            for (kind, text) in said {
                kontor_db::runs::record(tx, made.id, kind, &json!({ "text": text }), now).await?;
            }
            Ok::<_, kontor_db::Error>(())
        })
    });
    write.await.unwrap();
    let page = Browser::of(&hub, &ada).await.get(&format!("/runs/{}", made.id)).await;
    has(&page, "<span class=\"out\">&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;\n</span>");
    has(&page, "<span class=\"err\">\u{fffd}[2J\u{fffd}&lt;img src=x onerror=alert(1)&gt;\n</span>");
    has(&page, "<span class=\"told\">&lt;b&gt;note&lt;/b&gt;\n</span>");
    // The script goes on after the last event that the page shows.
    has(&page, &format!("data-run=\"{}\" data-after=\"4\"", made.id));
    let ours = page.body.matches("<script type=\"module\" src=\"/assets/scripts/").count();
    assert_eq!(page.body.matches("<script").count(), ours, "{}", page.body);
    assert!(!page.headers.contains_key("refresh"));
}

#[tokio::test]
async fn a_run_is_ended_and_done_again_by_plain_forms() {
    let hub = hub(On::Sqlite).await.unwrap();
    let (ada, bob) = (hub.person("ada", &[]).await, hub.person("bob", &[]).await);
    let made = run(&hub, &ada, "@acme/echo").await;
    let (browser, path) = (Browser::of(&hub, &ada).await, format!("/runs/{}", made.id));
    let form = Browser::form_token(&browser.get(&path).await);
    for (origin, form) in [(Some("https://evil.example"), form.as_str()), (Some(PUBLIC), "made-up")] {
        let forged = browser.post(&path, origin, &format!("form={form}&deed=cancel")).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
    }
    let stranger = Browser::of(&hub, &bob).await;
    let own = Browser::form_token(&stranger.get("/@acme/echo").await);
    let foreign = stranger.post(&path, Some(PUBLIC), &format!("form={own}&deed=cancel")).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    has(&browser.get(&path).await, "<span class=\"badge\">waiting</span>");
    let done = browser.post(&path, Some(PUBLIC), &format!("form={form}&deed=cancel")).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, path.as_str()));
    let over = browser.get(&path).await;
    has(&over, "<span class=\"badge\">cancelled</span>");
    assert!(!over.body.contains("run.js"), "nothing more happens: {}", over.body);
    let again = browser.post(&path, Some(PUBLIC), &format!("form={form}&deed=retry")).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER, "{}", again.body);
    assert_ne!(again.header("location"), path);
    has(&browser.get(again.header("location")).await, "<span class=\"badge\">waiting</span>");
}
