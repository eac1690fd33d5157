//! Reading the export of a hub that speaks ClawHub, from a server that answers as its documentation says.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use std::io::{Cursor, Write as _};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use kontor_client::{Error, Export, Source};
use kontor_types::Timestamp;

type Asked = Arc<Mutex<Vec<String>>>;

fn page(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, text) in files {
        archive.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn first_page() -> Vec<u8> {
    let manifest = r#"[
        {"publisher":"bea","slug":"pdf","sourceRef":"public-clawhub","version":"1.4.0","displayName":"PDF","createdAt":1,"updatedAt":2,"stats":null,"fileCount":1},
        {"publisher":"bea","slug":"elsewhere","sourceRef":"public-github","version":null,"displayName":"E","createdAt":1,"updatedAt":2,"stats":null,"fileCount":0}
    ]"#;
    page(&[
        ("_manifest.json", manifest),
        ("_errors.json", r#"[{"publisher":"bea","slug":"broken","error":"the blob is gone"}]"#),
        ("bea/pdf/SKILL.md", "---\nname: pdf\ndescription: Reads PDF.\n---\nRead.\n"),
        ("bea/pdf/_export_skill_meta.json", "{}"),
        ("bea/elsewhere/_source_handoff.json", r#"{"repo":"bea/skills","commit":"abc"}"#),
        ("bea/elsewhere/_export_skill_meta.json", "{}"),
    ])
}

async fn export(State(asked): State<Asked>, request: Request) -> Response {
    let agent = request.headers()["user-agent"].to_str().unwrap().to_owned();
    assert!(agent.starts_with("Kontor/"), "{agent}");
    if request.headers().get("authorization").is_none_or(|value| value != "Bearer theirs") {
        return (StatusCode::UNAUTHORIZED, "Unauthorized").into_response();
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let count = {
        let mut asked = asked.lock().unwrap();
        asked.push(query.clone());
        asked.len()
    };
    if count == 1 {
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")], "slow down").into_response();
    }
    if query.contains("cursor=") {
        let last = page(&[("_manifest.json", "[]"), ("carl/csv/SKILL.md", "# CSV\n\nReads CSV.\n")]);
        return ([("x-has-more", "false")], last).into_response();
    }
    ([("x-has-more", "true"), ("x-next-cursor", "page 2")], first_page()).into_response()
}

async fn hub() -> (String, Asked) {
    let asked = Asked::default();
    let router = Router::new().route("/api/v1/skills/export", get(export)).with_state(Arc::clone(&asked));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

fn reader(url: &str, token: Option<&str>, since: Option<Timestamp>) -> Export {
    let Source::Clawhub { url, since } = Source::parse(&format!("clawhub:{url}"), since).unwrap() else {
        unreachable!()
    };
    Export::new(&url, token.map(str::to_owned), since, None, Timestamp::from_millis(9_000)).unwrap()
}

#[tokio::test]
async fn pages_follow_each_other_and_hold_only_what_authors_wrote() {
    let (url, asked) = hub().await;
    let mut export = reader(&url, Some("theirs"), Some(Timestamp::from_millis(5_000)));
    let tree = export.next_page().await.unwrap().unwrap();
    let skill = tree.root.join("bea/pdf");
    let files: Vec<_> = std::fs::read_dir(&skill).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(files, ["SKILL.md"]);
    let origin = tree.origin_of("bea/pdf");
    assert_eq!(
        (origin.kind.as_str(), origin.author.as_deref(), origin.version.as_deref()),
        ("clawhub", Some("bea"), Some("1.4.0"))
    );
    let refused: Vec<_> = tree.refused.iter().map(|item| (item.path.as_str(), item.code.as_deref().unwrap())).collect();
    assert_eq!(refused, [("bea/elsewhere", "source_elsewhere"), ("bea/broken", "not_exported")]);
    assert!(!tree.root.join("bea/elsewhere").exists() && !tree.root.join("_manifest.json").exists());
    assert_eq!(export.cursor(), Some("page 2"));

    let tree = export.next_page().await.unwrap().unwrap();
    assert!(tree.root.join("carl/csv/SKILL.md").is_file());
    assert!(export.next_page().await.unwrap().is_none());
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0], "startDate=5000&endDate=9000&limit=250");
    assert_eq!(asked[2], "startDate=5000&endDate=9000&limit=250&cursor=page+2");
}

#[tokio::test]
async fn a_hub_that_wants_a_token_says_so() {
    let (url, _) = hub().await;
    let error = reader(&url, None, None).next_page().await.unwrap_err();
    assert!(matches!(&error, Error::Program { message, .. } if message.starts_with("401")), "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("--source-token-file")));
}
