//! The home and searches: what is new without a flood, and answers that can be narrowed and ordered by plain links.

use axum::http::Request;
use kontor_testkit::{Answer, On, TestHub};

async fn page(hub: &TestHub, path: &str) -> Answer {
    hub.send(Request::get(path).header("accept", "text/html").header("accept-language", "en"), "").await
}

fn text(name: &str, keyword: &str) -> String {
    format!(
        "---\nname: {name}\ndescription: Does {name}. Use when asked.\nlicense: MIT\nmetadata:\n  tags: {keyword}\n---\n# {name}\n"
    )
}

async fn publish(hub: &TestHub, name: &str) {
    let slug = name.rsplit('/').next().unwrap();
    hub.publish_files(name, &[("SKILL.md", &text(slug, "paper"))]).await;
}

#[tokio::test]
async fn who_brings_many_skills_at_once_takes_one_place_first_and_only_what_is_left_besides() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    publish(&hub, "@early/first").await;
    for number in 0..30 {
        publish(&hub, &format!("@bulk/skill-{number}")).await;
    }
    publish(&hub, "@late/last").await;
    let home = page(&hub, "/").await;
    for shown in ["/@late/last\"", "/@early/first\"", "and 23 more of theirs"] {
        assert!(home.body.contains(shown), "{shown}: {}", home.body);
    }
    let places: Vec<usize> = home.body.match_indices("href=\"/@bulk/skill-").map(|(place, _)| place).collect();
    assert_eq!(places.len(), 7, "{}", home.body);
    let first = home.body.find("/@early/first\"").unwrap();
    assert_eq!(places.iter().filter(|place| **place < first).count(), 1, "{}", home.body);
}

#[tokio::test]
async fn answers_are_narrowed_and_ordered_by_links_that_keep_the_rest() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    publish(&hub, "@acme/pdf").await;
    publish(&hub, "@other/pdf-forms").await;
    hub.catch_up().await;
    let found = page(&hub, "/?q=pdf&license=MIT").await;
    for link in ["/?q=pdf&amp;license=MIT&amp;sort=installs", "/?q=pdf\" aria-label=\"Licence MIT: take it away\""] {
        assert!(found.body.contains(link), "{link}: {}", found.body);
    }
    assert!(found.body.contains("/@acme/pdf\"") && found.body.contains("/@other/pdf-forms\""), "{}", found.body);
    let none = page(&hub, "/?q=pdf&license=Apache-2.0").await;
    assert!(none.body.contains("Nothing fits"), "{}", none.body);
    let script = page(&hub, "/?q=%22%3E%3Cscript%3E&sort=nonsense&category=%22%3E%3Cscript%3E").await;
    assert!(!script.body.contains("<script>"), "{}", script.body);
}

#[tokio::test]
async fn an_empty_hub_says_how_to_fill_it() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let home = page(&hub, "/").await;
    assert!(home.body.contains("kontor import"), "{}", home.body);
    assert!(home.body.contains("type=\"search\" name=\"q\""), "{}", home.body);
}

#[tokio::test]
async fn what_is_typed_is_continued_for_whoever_may_find_it() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    publish(&hub, "@acme/pdf-forms").await;
    let ada = hub.person("ada", &[]).await;
    hub.publish(&ada, "@ada/pdf-secret@1.0.0", "private", "Text.").await;
    hub.catch_up().await;
    let offered = async |typed: &str, token: Option<&str>| {
        let answer = hub.get(&format!("/suggestions?q={typed}"), token).await;
        let keeping = if token.is_some() { "private, no-store" } else { "private, no-cache" };
        assert_eq!(answer.header("cache-control"), keeping);
        answer.body
    };
    let one = r#"[{"name":"pdf-forms","whose":"@acme/pdf-forms","address":"/@acme/pdf-forms"}]"#;
    for typed in ["pdf", "forms", "PDF-fo", "pdf-frms", "%40acme%2Fpdf"] {
        assert_eq!(offered(typed, None).await, one, "{typed}");
    }
    for typed in ["", "%20", "zebra", "%22%3E%3Cscript%3E"] {
        assert_eq!(offered(typed, None).await, "[]", "{typed}");
    }
    assert!(offered("pdf-s", Some(&ada)).await.contains("/@ada/pdf-secret"));
    let home = page(&hub, "/").await;
    assert!(home.body.contains("data-suggest=\"Skills\""), "{}", home.body);
}
