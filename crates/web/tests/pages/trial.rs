//! Trying a skill: the form made of a schema, what a run may touch, consent, and that nothing typed is lost.

use axum::http::{Request, StatusCode};
use kontor_dispatch::{FileWay, Run};
use kontor_testkit::{Answer, Browser, On, PUBLIC, TestHub};
use kontor_types::PageSize;
use rstest::rstest;
use serde_json::{Value, json};

const SKILL: &str =
    "---\nname: minutes\ndescription: Writes minutes. Use when somebody has a transcript.\n---\n# Minutes\n";
const QUIET: &str = "version = \"1.0.0\"\n[[tool]]\nname = \"write\"\ndescription = \"Writes <b>minutes</b>\"\n\
                     command = [\"python3\", \"scripts/run.py\"]\ninput = \"schemas/write.in.json\"\n";
const INPUT: &str = r#"{"type": "object", "required": ["transcript"], "additionalProperties": false, "properties": {
    "tone": {"enum": ["short", "long"], "description": "How it sounds"},
    "transcript": {"type": "string", "maxLength": 100000, "description": "What was </p><script>alert(1)</script> said"},
    "people": {"type": "integer", "minimum": 1}}}"#;

fn files(manifest: &str) -> [(&str, &str); 6] {
    [
        ("SKILL.md", SKILL),
        ("kontor.toml", manifest),
        ("scripts/run.py", "print('one')\n"),
        ("schemas/write.in.json", INPUT),
        ("examples/write-a-zh.in.json", r#"{"transcript": "安：我们周五发布。"}"#),
        ("examples/write-team.in.json", r#"{"transcript": "Ada: we ship\nBob: </textarea><b>yes", "tone": "long"}"#),
    ]
}

async fn hub(manifest: &str) -> TestHub {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    hub.publish_files("@acme/minutes", &files(manifest)).await;
    hub
}

#[track_caller]
fn has(answer: &Answer, text: &str) {
    assert!(answer.body.contains(text), "no `{text}` in {}", answer.body);
}

/// What a page hides in its form.
fn hidden(page: &Answer, name: &str) -> String {
    let after = page.body.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
    after.split('"').next().unwrap().to_owned()
}

const TRY: &str = "/@acme/minutes@1.0.0/try";

/// Sends the form of a page, filled in so.
async fn send(browser: &Browser<'_>, page: &Answer, parts: &[(&str, Option<&str>, &str)]) -> Answer {
    let (form, run) = (Browser::form_token(page), hidden(page, "run"));
    let mut all = vec![("form", None, form.as_str()), ("run", None, run.as_str()), ("tool", None, "write")];
    all.extend_from_slice(parts);
    browser.post_parts(TRY, &all).await
}

async fn started(hub: &TestHub, token: &str) -> Vec<Run> {
    let caller = hub.hub.app.access.authenticate(&token.into()).await.unwrap();
    hub.hub.app.runs.own(&caller, None, None, PageSize::default(), None).await.unwrap().items
}

/// The JSON that a run was given.
async fn given(hub: &TestHub, run: &Run) -> Value {
    let mut conn = hub.hub.app.db.read().await.unwrap();
    let files = kontor_db::runs::files(&mut conn, run.id, FileWay::In).await.unwrap();
    let input = files.iter().find(|file| file.path == "/input").unwrap();
    serde_json::from_slice(&hub.hub.app.blobs.get(&input.digest).await.unwrap()).unwrap()
}

#[tokio::test]
async fn who_is_not_signed_in_sees_what_it_would_do_and_starts_nothing() {
    let hub = hub(QUIET).await;
    let page = hub.send(Request::get("/@acme/minutes/try").header("accept", "text/html"), "").await;
    assert_eq!(page.status, StatusCode::OK);
    has(&page, "no connection to anywhere");
    has(&page, "Sign in to try it");
    has(&page, "Ada: we ship");
    assert!(!page.body.contains("method=\"post\""), "{}", page.body);
    let skill = hub.send(Request::get("/@acme/minutes").header("accept", "text/html"), "").await;
    has(&skill, "href=\"/@acme/minutes@1.0.0/try\">Try it</a>");
    let sent = hub.send(Request::post(TRY).header("origin", PUBLIC).header("accept", "text/html"), "").await;
    assert_eq!(sent.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_form_is_made_of_the_schema_and_filled_with_the_sample() {
    let hub = hub(QUIET).await;
    let ada = hub.person("ada", &[]).await;
    let browser = Browser::of(&hub, &ada).await;
    let page = browser.get("/@acme/minutes/try").await;
    has(&page, "Writes &lt;b&gt;minutes&lt;/b&gt;");
    has(&page, "<label for=\"v0\">transcript <span class=\"faint\">needed</span></label>");
    has(&page, "What was &lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt; said");
    has(&page, "\nAda: we ship\nBob: &lt;/textarea&gt;&lt;b&gt;yes</textarea>");
    has(&page, "<input type=\"file\" name=\"v0.file\">");
    has(&page, "<option value=\"1\" selected>long</option>");
    has(&page, "type=\"number\" step=\"1\"");
    let text = "Ada: we ship\r\nBob: yes";
    let done = send(&browser, &page, &[("v0", None, text), ("v1", None, "1"), ("v2", None, "2")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let runs = started(&hub, &ada).await;
    assert_eq!(done.header("location"), format!("/runs/{}", runs[0].id));
    let expected = json!({"transcript": "Ada: we ship\nBob: yes", "tone": "long", "people": 2});
    assert_eq!(given(&hub, &runs[0]).await, expected);
    let shown = browser.get(done.header("location")).await;
    has(&shown, "<span class=\"badge\">waiting</span>");
}

#[tokio::test]
async fn the_sample_is_in_the_readers_language_and_one_may_do_without() {
    let hub = hub(QUIET).await;
    let ada = hub.person("ada", &[]).await;
    let browser = Browser::of(&hub, &ada).await;
    for (place, expected) in [
        ("/@acme/minutes/try", "\nAda: we ship\nBob: &lt;/textarea&gt;&lt;b&gt;yes</textarea>"),
        ("/@acme/minutes/try?tool=write&sample=a-zh", "\n安：我们周五发布。</textarea>"),
        ("/@acme/minutes/try?tool=write&sample=", "\n</textarea>"),
    ] {
        has(&browser.get(place).await, expected);
    }
}

#[tokio::test]
async fn a_form_that_is_sent_twice_starts_one_run_and_another_input_another() {
    let hub = hub(QUIET).await;
    let ada = hub.person("ada", &[]).await;
    let browser = Browser::of(&hub, &ada).await;
    let page = browser.get("/@acme/minutes/try").await;
    let first = send(&browser, &page, &[("v0", None, "one")]).await;
    let again = send(&browser, &page, &[("v0", None, "one")]).await;
    assert_eq!((again.status, again.header("location")), (StatusCode::SEE_OTHER, first.header("location")));
    let at_once = [("v0", None, "at once")];
    let (one, two) = tokio::join!(send(&browser, &page, &at_once), send(&browser, &page, &at_once));
    assert_eq!((one.status, two.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER), "{}{}", one.body, two.body);
    assert_eq!(one.header("location"), two.header("location"));
    let other = send(&browser, &page, &[("v0", None, "two")]).await;
    assert_ne!(other.header("location"), first.header("location"));
    assert_eq!(started(&hub, &ada).await.len(), 3);
}

#[tokio::test]
async fn what_is_wrong_is_told_at_its_field_and_nothing_is_lost() {
    let hub = hub(QUIET).await;
    let ada = hub.person("ada", &[]).await;
    let browser = Browser::of(&hub, &ada).await;
    let page = browser.get("/@acme/minutes/try").await;
    let parts =
        [("v0", None, "kept <text>"), ("v1", None, "0"), ("v2", None, "many"), ("files", Some("a b.txt"), "bytes")];
    let wrong = send(&browser, &page, &parts).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    has(&wrong, "<a href=\"#v2\">people</a>: this is not a number");
    has(&wrong, "<p class=\"wrong\">this is not a number</p>");
    has(&wrong, "kept &lt;text&gt;</textarea>");
    has(&wrong, "<option value=\"0\" selected>short</option>");
    has(&wrong, "value=\"many\"");
    let carried = hidden(&wrong, "kept");
    // A value that the schema alone refuses, with the file as the page carried it.
    let low = send(&browser, &wrong, &[("v0", None, "kept"), ("v2", None, "0"), ("kept", None, &carried)]).await;
    assert_eq!(low.status, StatusCode::UNPROCESSABLE_ENTITY);
    has(&low, "<a href=\"#v2\">people</a>: ");
    has(&low, "minimum");
    let empty = send(&browser, &wrong, &[("v0", None, "")]).await;
    has(&empty, "<a href=\"#v0\">transcript</a>: this is needed");
    assert!(started(&hub, &ada).await.is_empty(), "nothing was started");
    let right =
        send(&browser, &low, &[("v0", None, ""), ("v0.file", Some("t.txt"), "from a file"), ("kept", None, &carried)])
            .await;
    assert_eq!(right.status, StatusCode::SEE_OTHER, "{}", right.body);
    let runs = started(&hub, &ada).await;
    assert_eq!(given(&hub, &runs[0]).await, json!({"transcript": "from a file"}));
    let caller = hub.hub.app.access.authenticate(&ada.as_str().into()).await.unwrap();
    let files = hub.hub.app.runs.files(&caller, runs[0].id, FileWay::In).await.unwrap();
    assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["a b.txt"]);
}

#[rstest]
#[case::agreed("all", vec!["api.example.com:443"])]
#[case::refused("none", vec![])]
#[tokio::test]
async fn what_a_skill_asks_for_is_answered_before_it_runs(#[case] answer: &str, #[case] granted: Vec<&str>) {
    let manifest = format!("{QUIET}[permissions]\nnetwork = [\"api.example.com:443\"]\n");
    let hub = hub(&manifest).await;
    let ada = hub.person("ada", &[]).await;
    let browser = Browser::of(&hub, &ada).await;
    let page = browser.get("/@acme/minutes/try").await;
    has(&page, "connect to <code>api.example.com:443</code>");
    assert!(!page.body.contains("checked"), "nobody answers for the reader: {}", page.body);
    let silent = send(&browser, &page, &[("v0", None, "text")]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    has(&silent, "<a href=\"#may\">What it may touch</a>: this is needed");
    let done = send(&browser, &page, &[("v0", None, "text"), ("grant", None, answer)]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert_eq!(started(&hub, &ada).await[0].asked["granted"]["network"], json!(granted));
}

#[tokio::test]
async fn what_goes_beyond_the_declaration_is_agreed_to_word_by_word() {
    let hub = hub(QUIET).await;
    let ada = hub.person("ada", &[]).await;
    let browser = Browser::of(&hub, &ada).await;
    let page = browser.get("/@acme/minutes/try").await;
    let more = [("v0", None, "text"), ("network", None, "one.example:443")];
    let asked = send(&browser, &page, &more).await;
    assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
    has(&asked, "id=\"agree\"");
    has(&asked, "name=\"agreed_network\" value=\"one.example:443\"");
    let agreed = [("agreed_network", None, "one.example:443"), ("consent", None, "yes")];
    let silent = send(&browser, &asked, &[more[0], more[1], agreed[0]]).await;
    let swapped = send(&browser, &asked, &[more[0], ("network", None, "two.example:443"), agreed[0], agreed[1]]).await;
    for refused in [silent, swapped] {
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        has(&refused, "id=\"agree\"");
    }
    assert!(started(&hub, &ada).await.is_empty());
    let done = send(&browser, &asked, &[more[0], more[1], agreed[0], agreed[1]]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert_eq!(started(&hub, &ada).await[0].asked["granted"]["network"], json!(["one.example:443"]));
}

#[tokio::test]
async fn a_script_is_tried_with_arguments_and_files() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    hub.publish_files("@acme/minutes", &[("SKILL.md", SKILL), ("a.py", "print(1)\n"), ("b.py", "print(2)\n")]).await;
    let ada = hub.person("ada", &[]).await;
    let browser = Browser::of(&hub, &ada).await;
    let page = browser.get("/@acme/minutes/try?script=b.py").await;
    has(&page, "<a href=\"/@acme/minutes@0.1.0/try?script=b%2Epy\" aria-current=\"true\">b.py</a>");
    let (form, run) = (Browser::form_token(&page), hidden(&page, "run"));
    let parts = [
        ("form", None, form.as_str()),
        ("run", None, run.as_str()),
        ("script", None, "b.py"),
        ("arguments", None, "--year\r\n2026"),
        ("files", Some("in.txt"), "bytes"),
    ];
    let done = browser.post_parts("/@acme/minutes@0.1.0/try", &parts).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let runs = started(&hub, &ada).await;
    assert_eq!((runs[0].entry.as_str(), &runs[0].asked["arguments"]), ("b.py", &json!(["--year", "2026"])));
    assert_eq!(browser.get("/@acme/minutes/try?script=c.py").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_skill_without_a_program_says_so() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    hub.publish_files("@acme/minutes", &[("SKILL.md", SKILL)]).await;
    let ada = hub.person("ada", &[]).await;
    let browser = Browser::of(&hub, &ada).await;
    has(&browser.get("/@acme/minutes/try").await, "This skill brings no program");
    assert!(!browser.get("/@acme/minutes").await.body.contains("/try\""));
}

#[tokio::test]
async fn shares_and_forged_forms_count_here_too() {
    let hub = TestHub::set(On::Sqlite, |settings| settings.runs.person_open = 1, |_| {}).await.unwrap();
    hub.publish_files("@acme/minutes", &files(QUIET)).await;
    let ada = hub.person("ada", &[]).await;
    let browser = Browser::of(&hub, &ada).await;
    let page = browser.get("/@acme/minutes/try").await;
    let forged =
        browser.post_parts(TRY, &[("form", None, "made-up"), ("tool", None, "write"), ("v0", None, "text")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert_eq!(send(&browser, &page, &[("v0", None, "one")]).await.status, StatusCode::SEE_OTHER);
    let more = send(&browser, &page, &[("v0", None, "two")]).await;
    assert_eq!(more.status, StatusCode::UNPROCESSABLE_ENTITY);
    has(&more, "1 of your runs are not over yet");
    has(&more, "two</textarea>");
    assert_eq!(started(&hub, &ada).await.len(), 1);
}
