//! The four tools: what they say, how much of it, and to whom.

use std::fmt::Write as _;

use kontor_access::policy::preset;
use kontor_testkit::{ADMIN, NATIVE, On, TestHub};
use rstest::rstest;
use serde_json::{Value, json};

use crate::client::{ask, call, publish, skill_text, text};

/// A hub with one skill of several files.
async fn hub_with_pdf(on: On) -> Option<TestHub> {
    let hub = TestHub::start(on).await?;
    let main =
        skill_text("pdf", "Extracts tables from PDF files. Use it for invoices.", "# PDF\n\nSee references/forms.md.");
    let files: [(&str, &[u8]); 4] = [
        ("SKILL.md", main.as_bytes()),
        ("references/forms.md", "技能\nForms are lists of fields.\n".as_bytes()),
        ("scripts/extract.py", b"print('tables')\n"),
        ("assets/latin.txt", b"caf\xe9 au lait\n"),
    ];
    publish(&hub, "@admin/pdf@1.2.0", &files).await;
    Some(hub)
}

#[tokio::test]
async fn each_tool_says_what_it_takes_gives_and_that_it_only_reads() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let tools = ask(&hub, None, "tools/list", json!({})).await["result"]["tools"].clone();
    let names: Vec<_> = tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["search_skills", "get_skill", "list_skill_files", "read_skill_file"]);
    for tool in tools.as_array().unwrap() {
        assert_eq!(tool["inputSchema"]["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false);
        assert_eq!((&tool["inputSchema"]["type"], &tool["outputSchema"]["type"]), (&json!("object"), &json!("object")));
        assert_eq!(
            (&tool["annotations"]["readOnlyHint"], &tool["annotations"]["destructiveHint"]),
            (&json!(true), &json!(false))
        );
        assert!(tool["description"].as_str().unwrap().len() > 20);
    }
}

#[rstest]
#[tokio::test]
async fn from_words_to_a_file(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = hub_with_pdf(on).await else { return };
    let found = call(&hub, None, "search_skills", json!({"query": "tables from invoices"})).await;
    let first = &found["structuredContent"]["skills"][0];
    assert_eq!(
        (&first["skill"], &first["version"], &first["license"]),
        (&json!("@admin/pdf"), &json!("1.2.0"), &json!("MIT"))
    );
    assert!(
        text(&found).contains("- @admin/pdf 1.2.0, MIT, 0 installs\n  Extracts tables from PDF files."),
        "{}",
        text(&found)
    );

    let skill = call(&hub, None, "get_skill", json!({"skill": "@admin/pdf"})).await;
    let told = &skill["structuredContent"];
    assert_eq!((&told["version"], &told["files"], &told["verdict"]), (&json!("1.2.0"), &json!(4), &json!("clean")));
    assert!(told["instructions"]["text"].as_str().unwrap().ends_with("See references/forms.md.\n"), "{told}");
    assert_eq!(told["page"], "http://127.0.0.1:7878/@admin/pdf");
    assert!(text(&skill).contains("See references/forms.md."));
    let short = call(&hub, None, "get_skill", json!({"skill": "pdf@^1", "instructions": false})).await;
    assert!(short["structuredContent"].get("instructions").is_none() && !text(&short).contains("See references"));

    let files = call(&hub, None, "list_skill_files", json!({"skill": "@admin/pdf", "digests": true})).await;
    let listed = files["structuredContent"]["files"].as_array().unwrap();
    let paths: Vec<_> = listed.iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["SKILL.md", "assets/latin.txt", "references/forms.md", "scripts/extract.py"]);
    assert_eq!(listed[3]["sha256"], kontor_types::Digest::of(b"print('tables')\n").hex());

    let file =
        call(&hub, None, "read_skill_file", json!({"skill": "@admin/pdf@1.2.0", "path": "references/forms.md"})).await;
    assert_eq!(file["structuredContent"]["text"], "技能\nForms are lists of fields.\n");
    assert!(file["structuredContent"].get("next_offset").is_none());
    assert!(text(&file).starts_with("untrusted: "), "{}", text(&file));
}

#[tokio::test]
async fn a_long_file_is_read_in_stretches_that_say_where_to_go_on() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let main = skill_text("long", "Is long. Use it to test length.", "Read on.");
    let mut long = String::new();
    for number in 0..9_000 {
        let _ = writeln!(long, "{number} 技能 line");
    }
    publish(&hub, "@admin/long@1.0.0", &[("SKILL.md", main.as_bytes()), ("long.md", long.as_bytes())]).await;
    let (mut read, mut offset, mut answers) = (String::new(), 0, 0);
    loop {
        let asked = json!({"skill": "long", "path": "long.md", "offset": offset, "max_bytes": 65_536});
        let part = call(&hub, None, "read_skill_file", asked).await;
        let told = &part["structuredContent"];
        assert_eq!((&told["offset"], &told["size"]), (&json!(offset), &json!(long.len())));
        read.push_str(told["text"].as_str().unwrap());
        answers += 1;
        assert!(part.to_string().len() < 4 * 65_536, "an answer has a limit");
        let Some(next) = told["next_offset"].as_u64() else { break };
        assert!(text(&part).ends_with(&format!(
            "cut at {next} bytes of {}; read on with `read_skill_file` and offset {next}",
            long.len()
        )));
        offset = next;
    }
    assert_eq!(read, long);
    assert!(answers > 2);
    // Asked for more than is allowed: as much as is allowed.
    let most =
        call(&hub, None, "read_skill_file", json!({"skill": "long", "path": "long.md", "max_bytes": 10_000_000})).await;
    assert!(most["structuredContent"]["end"].as_u64().unwrap() <= 65_536);
    let beyond =
        call(&hub, None, "read_skill_file", json!({"skill": "long", "path": "long.md", "offset": u64::MAX})).await;
    assert_eq!(beyond["isError"], true, "{beyond}");
}

#[rstest]
#[case::no_skill("get_skill", json!({"skill": "@admin/nothing"}), "skill_not_found")]
#[case::no_version("get_skill", json!({"skill": "@admin/pdf@9.0.0"}), "version_not_found")]
#[case::no_file("read_skill_file", json!({"skill": "pdf", "path": "../../etc/passwd"}), "file_not_found")]
#[case::no_text("read_skill_file", json!({"skill": "pdf", "path": "assets/latin.txt"}), "unsupported_media_type")]
#[case::no_name("get_skill", json!({"skill": "@@"}), "invalid_request")]
#[case::no_argument("get_skill", json!({}), "invalid_request")]
#[case::another_argument("search_skills", json!({"query": "x", "path": "y"}), "invalid_request")]
#[case::a_number_for_text("search_skills", json!({"query": 1}), "invalid_request")]
#[case::a_foreign_cursor("list_skill_files", json!({"skill": "pdf", "cursor": "abc"}), "invalid_cursor")]
#[case::a_long_query("search_skills", json!({"query": "x".repeat(401)}), "invalid_request")]
#[tokio::test]
async fn a_failure_is_a_result_with_a_stable_code(#[case] tool: &str, #[case] arguments: Value, #[case] code: &str) {
    let hub = hub_with_pdf(On::Sqlite).await.unwrap();
    let refused = call(&hub, None, tool, arguments).await;
    assert_eq!(
        (&refused["isError"], &refused["_meta"]["kontor/problem"]["code"]),
        (&json!(true), &json!(code)),
        "{refused}"
    );
    assert!(text(&refused).starts_with(&format!("{code}: ")), "{}", text(&refused));
    assert!(refused.get("structuredContent").is_none());
}

/// About three units are a token: letters count one, characters outside ASCII four.
fn units(text: &str) -> usize {
    text.chars().map(|char| if char.is_ascii() { 1 } else { 4 }).sum()
}

#[rstest]
#[case::plain("Watches meters and writes down what they show. ", "meter")]
#[case::chinese("监测仪表并记录其读数以便之后的分析和报告。", "监测")]
#[case::quoted("\\\"quoted\\\" \\u{202e} ", "quoted")]
#[tokio::test]
async fn a_search_answer_fits_a_budget_whatever_the_descriptions(#[case] words: &str, #[case] query: &str) {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    for number in 0..12 {
        let name = format!("a-rather-long-name-for-a-skill-that-does-one-thing-{number}");
        let description: String = words.repeat(40).chars().take(1_000).collect();
        // Copies of one another would be shown as one.
        let body: Vec<String> = (0..300).map(|word| format!("w{number}x{word}")).collect();
        let main = skill_text(&name, &format!("'{description}'"), &body.join(" "));
        publish(&hub, &format!("@admin/{name}@1.0.0"), &[("SKILL.md", main.as_bytes())]).await;
    }
    for limit in [1, 5, 10, 10_000] {
        let found = call(&hub, None, "search_skills", json!({"query": query, "limit": limit})).await;
        let skills = found["structuredContent"]["skills"].as_array().unwrap();
        assert_eq!(skills.len(), limit.min(10), "{found}");
        let cost = units(&found.to_string());
        assert!(cost < 5_500, "{cost} units for {limit} skills: {found}");
        assert!(skills.iter().all(|skill| skill["description"].as_str().unwrap().len() > 20), "{found}");
    }
    let first = call(&hub, None, "search_skills", json!({"query": query, "limit": 10})).await;
    let next = call(
        &hub,
        None,
        "search_skills",
        json!({"query": query, "limit": 10, "cursor": first["structuredContent"]["next_cursor"]}),
    )
    .await;
    assert_eq!(next["structuredContent"]["skills"].as_array().unwrap().len(), 2, "{next}");
}

#[tokio::test]
async fn bytes_go_only_to_those_whom_the_policy_permits() {
    let hub = hub_with_pdf(On::Sqlite).await.unwrap();
    let forbid = "@id(\"signed-in-only\") @reason(\"this one is not for everybody\")\n\
        forbid (principal, action == Action::\"install\", resource) when { principal.handle == \"\" };";
    let policy = json!({"text": format!("{}\n{forbid}", preset("balanced").unwrap())});
    let set = hub.call("PUT", &format!("{NATIVE}/policy"), Some(ADMIN), &policy).await;
    assert!(set.status.is_success(), "{}", set.body);
    for (tool, arguments) in
        [("get_skill", json!({"skill": "pdf"})), ("read_skill_file", json!({"skill": "pdf", "path": "SKILL.md"}))]
    {
        let refused = call(&hub, None, tool, arguments.clone()).await;
        assert_eq!(refused["_meta"]["kontor/problem"]["code"], "policy_forbids", "{refused}");
        assert!(
            text(&refused).contains("this one is not for everybody") && !refused.to_string().contains("See references")
        );
        let known = call(&hub, Some(ADMIN), tool, arguments).await;
        assert!(text(&known).contains("See references"), "{known}");
    }
    let facts = call(&hub, None, "get_skill", json!({"skill": "pdf", "instructions": false})).await;
    assert_eq!(facts["structuredContent"]["version"], "1.2.0", "what everybody sees is told without the bytes");
    let uri = "skill://admin/pdf/SKILL.md";
    let read = ask(&hub, None, "resources/read", json!({"uri": uri})).await;
    assert_eq!(read["error"]["data"]["kontor/problem"]["code"], "policy_forbids", "{read}");
    assert_eq!(ask(&hub, None, "skills/list", json!({})).await["result"]["skills"], json!([]));
    assert!(ask(&hub, Some(ADMIN), "resources/read", json!({"uri": uri})).await["result"].is_object());
}

#[tokio::test]
async fn what_was_not_admitted_is_not_read() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    hub.publish_undecided(ADMIN, "@admin/waiting@1.0.0", "public", "Read the meter.").await;
    for (tool, arguments) in [
        ("get_skill", json!({"skill": "@admin/waiting@1.0.0"})),
        ("read_skill_file", json!({"skill": "@admin/waiting@1.0.0", "path": "SKILL.md"})),
    ] {
        let refused = call(&hub, Some(ADMIN), tool, arguments).await;
        assert_eq!(refused["_meta"]["kontor/problem"]["code"], "not_admitted", "{refused}");
    }
}
