//! The pages that people see: in their language, harmless, and whole without a script.

use axum::http::{Request, StatusCode};
use kontor_access::Caller;
use kontor_package::{Content, Limits};
use kontor_registry::Publish;
use kontor_testkit::{Answer, On, TestHub};
use kontor_types::Handle;
use rstest::rstest;

async fn hub() -> TestHub {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let publisher = Handle::parse("acme").unwrap();
    hub.hub.app.access.ensure_publisher(&Caller::hub(), &publisher).await.unwrap();
    let text = "---\nname: pdf\ndescription: Reads PDF files. Use when somebody has one.\n\
                metadata:\n  description-zh: 读取 PDF 文件。\n---\n# Read PDF\n\n\
                <script src=\"https://evil.example/x.js\"></script>\n![track](https://evil.example/t.png)\n";
    let content = Content::from_files([("SKILL.md".to_owned(), text.as_bytes().to_vec())], &Limits::default()).unwrap();
    let mut publish = Publish::new(publisher, content);
    publish.folder = Some("pdf".to_owned());
    hub.hub.app.registry.publish(&Caller::hub(), publish).await.unwrap();
    hub.decide().await;
    hub
}

/// One more version of the skill.
async fn next_version(hub: &TestHub) {
    let text = "---\nname: pdf\ndescription: Reads PDF files better. Use when somebody has one.\n---\n# Read PDF\n";
    let content = Content::from_files([("SKILL.md".to_owned(), text.as_bytes().to_vec())], &Limits::default()).unwrap();
    let publish = Publish { folder: Some("pdf".to_owned()), ..Publish::new(Handle::parse("acme").unwrap(), content) };
    hub.hub.app.registry.publish(&Caller::hub(), publish).await.unwrap();
    hub.decide().await;
}

async fn page(hub: &TestHub, path: &str, language: &str) -> Answer {
    hub.send(Request::get(path).header("accept", "text/html").header("accept-language", language), "").await
}

#[rstest]
#[case::home("/", "What is new", "最近更新")]
#[case::nothing_found("/?q=zzzzqqqq", "Nothing fits", "没有符合的技能")]
#[case::publisher("/@acme", "Install all of them", "全部安装")]
#[case::skill("/@acme/pdf", "found no harm", "没有发现危害")]
#[case::unknown("/@acme/nothing", "There is nothing here that you may see", "没有您可以查看的内容")]
#[case::sign_in("/login", "It works once", "只能使用一次")]
#[case::device("/device?code=ABCD-EFGH", "This browser is not signed in", "尚未登录")]
#[tokio::test]
async fn a_page_speaks_the_language_of_its_reader(#[case] path: &str, #[case] english: &str, #[case] chinese: &str) {
    let hub = hub().await;
    for (asked, text, other, tag) in [
        ("en", english, chinese, "en"),
        ("zh-CN,zh;q=0.9", chinese, english, "zh-Hans"),
        ("de", english, chinese, "en"),
    ] {
        let answer = page(&hub, path, asked).await;
        assert!(answer.body.contains(text) && !answer.body.contains(other), "{asked}: {}", answer.body);
        assert!(answer.body.contains(&format!("<html lang=\"{tag}\"")), "{}", answer.body);
        assert_eq!(answer.header("content-language"), tag);
        assert!(answer.header("vary").contains("accept-language"), "{}", answer.header("vary"));
    }
}

#[rstest]
#[case("/")]
#[case("/?q=pdf")]
#[case("/@acme")]
#[case("/@acme/pdf")]
#[case("/@nobody")]
#[case("/login")]
#[case("/device")]
#[tokio::test]
async fn a_page_loads_and_runs_nothing_foreign(#[case] path: &str) {
    let hub = hub().await;
    let answer = page(&hub, path, "en").await;
    let policy = answer.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("script-src 'self';") && !policy.contains("unsafe")
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    for tag in ["<img", "<iframe", "<style", " style=", " onclick=", "<object", "<embed", "<video", "<audio"] {
        assert!(!answer.body.contains(tag), "{tag} in {}", answer.body);
    }
    let scripts: Vec<&str> = answer.body.split("<script").skip(1).collect();
    assert!(scripts.iter().all(|one| one.starts_with(" type=\"module\" src=\"/assets/scripts/")), "{scripts:?}");
    assert!(scripts.iter().all(|one| one.contains("\"></script>")), "{scripts:?}");
    let loaded: Vec<&str> = answer.body.match_indices("<link ").map(|(at, _)| &answer.body[at..at + 60]).collect();
    assert!(loaded.iter().all(|link| link.contains("href=\"/assets/")), "{loaded:?}");
    assert_eq!(answer.body.matches("<h1>").count(), 1, "{}", answer.body);
}

#[tokio::test]
async fn what_pages_load_is_there() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let assets = [
        ("/assets/pages.css", "text/css; charset=utf-8"),
        ("/assets/mark.svg", "image/svg+xml"),
        ("/assets/scripts/copy.js", "text/javascript; charset=utf-8"),
        ("/assets/scripts/suggest.js", "text/javascript; charset=utf-8"),
    ];
    for (path, kind) in assets {
        let answer = hub.get(path, None).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, kind));
    }
    assert_eq!(hub.get("/assets/scripts/other.js", None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_failure_is_told_in_chinese_with_the_detail_in_english() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let answer = page(&hub, "/login?code=nothing", "zh").await;
    assert!(
        answer.body.contains("操作未成功")
            && answer.body.contains("with <code>kontor login --web</code>.")
            && answer.body.contains("<p class=\"faint\" lang=\"en\">"),
        "{}",
        answer.body
    );
}

#[rstest]
#[case::skill("/@acme/pdf")]
#[case::publisher("/@acme")]
#[case::home("/")]
#[tokio::test]
async fn a_description_is_shown_in_the_language_that_its_author_wrote_it_in(#[case] path: &str) {
    let hub = hub().await;
    for (asked, shown, other) in [("en", "Reads PDF files.", "读取 PDF"), ("zh", "读取 PDF 文件。", "Reads PDF")]
    {
        let answer = page(&hub, path, asked).await;
        assert!(answer.body.contains(shown) && !answer.body.contains(other), "{asked}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_reader_chooses_the_language_without_a_script() {
    let hub = hub().await;
    let english = page(&hub, "/@acme/pdf", "en").await;
    assert!(english.body.contains("<a href=\"/language/zh\" lang=\"zh-Hans\""), "{}", english.body);
    let chosen = hub.send(Request::get("/language/zh").header("referer", "http://hub.example/@acme/pdf?x=1"), "").await;
    assert_eq!((chosen.status, chosen.header("location")), (StatusCode::SEE_OTHER, "/@acme/pdf?x=1"));
    let cookie = chosen.header("set-cookie").split(';').next().unwrap().to_owned();
    let request = Request::get("/@acme/pdf").header("accept-language", "en").header("cookie", cookie);
    let chinese = hub.send(request.header("accept", "text/html"), "").await;
    assert!(chinese.body.contains("<html lang=\"zh-Hans\""), "{}", chinese.body);
}

#[tokio::test]
async fn an_older_or_withdrawn_version_says_so_and_installs_itself() {
    let hub = hub().await;
    next_version(&hub).await;
    let older = page(&hub, "/@acme/pdf@0.1.0", "en").await;
    assert!(older.body.contains("This is not the newest version"), "{}", older.body);
    assert!(older.body.contains("kontor install @acme/pdf@0.1.0 --registry"), "{}", older.body);
    let version = "@acme/pdf@0.1.0".parse().unwrap();
    hub.hub.app.registry.yank(&Caller::hub(), &version, "it deletes files").await.unwrap();
    let withdrawn = page(&hub, "/@acme/pdf@0.1.0", "en").await;
    assert!(
        withdrawn.body.contains("This version was withdrawn.</b> <bdi>it deletes files</bdi>"),
        "{}",
        withdrawn.body
    );
    assert!(withdrawn.body.contains("<a href=\"/@acme/pdf\">0.1.1</a>"), "{}", withdrawn.body);
    let newest = page(&hub, "/@acme/pdf", "en").await;
    assert!(newest.body.contains("kontor install @acme/pdf --registry"), "{}", newest.body);
    assert!(!newest.body.contains("not the newest"), "{}", newest.body);
}
