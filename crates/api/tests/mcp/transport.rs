//! Streamable HTTP without sessions: the handshake, who may ask, and what is refused before it is read.

use axum::http::{Request, StatusCode};
use kontor_testkit::{ADMIN, On, PUBLIC, TestHub, with_token};
use rstest::rstest;
use serde_json::{Value, json};

use crate::client::{MODERN, ask, ask_modern, send};

fn initialize(version: &str) -> Value {
    let client = json!({"name": "test", "version": "1"});
    json!({"protocolVersion": version, "capabilities": {}, "clientInfo": client})
}

#[rstest]
#[case::first("2024-11-05")]
#[case::streamable("2025-03-26")]
#[case::structured("2025-06-18")]
#[case::newest_with_a_handshake("2025-11-25")]
#[tokio::test]
async fn a_client_of_any_revision_is_met_in_its_own(#[case] version: &str) {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let answer = ask(&hub, None, "initialize", initialize(version)).await;
    assert_eq!(answer["result"]["protocolVersion"], version, "{answer}");
    assert_eq!(answer["result"]["serverInfo"]["name"], "kontor");
    let capabilities = &answer["result"]["capabilities"];
    assert!(capabilities["tools"].is_object() && capabilities["resources"].is_object(), "{answer}");
    let pong = ask(&hub, None, "ping", json!({})).await;
    assert_eq!(pong["result"], json!({}));
}

#[tokio::test]
async fn a_client_without_a_handshake_asks_at_once() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let answer = ask_modern(&hub, "server/discover", json!({})).await;
    let versions = answer["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!(MODERN)), "{answer}");
    let tools = ask_modern(&hub, "tools/list", json!({})).await;
    assert_eq!(tools["result"]["resultType"], "complete", "{tools}");
    assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_notification_gets_no_answer_and_no_session_is_kept() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let told = send(&hub, None, &json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    assert_eq!((told.status, told.body.as_str()), (StatusCode::ACCEPTED, ""));
    let met = send(
        &hub,
        None,
        &json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize("2025-11-25")}),
    )
    .await;
    assert_eq!(met.header("mcp-session-id"), "");
    assert_eq!(met.header("content-type"), "application/json");
    assert_eq!(met.header("cache-control"), "private, no-store");
    for method in ["GET", "DELETE"] {
        let refused = hub.send(Request::builder().method(method).uri("/mcp"), "").await;
        assert_eq!(
            (refused.status, refused.header("allow")),
            (StatusCode::METHOD_NOT_ALLOWED, "POST"),
            "{}",
            refused.body
        );
    }
}

#[rstest]
#[case::rebound_host("evil.example:7878", None, StatusCode::FORBIDDEN)]
#[case::foreign_page("127.0.0.1:7878", Some("https://evil.example"), StatusCode::FORBIDDEN)]
#[case::sandboxed_page("127.0.0.1:7878", Some("null"), StatusCode::FORBIDDEN)]
#[case::own_page("127.0.0.1:7878", Some(PUBLIC), StatusCode::OK)]
#[case::no_page("localhost:7878", None, StatusCode::OK)]
#[tokio::test]
async fn a_page_of_another_site_reaches_nothing(
    #[case] host: &str,
    #[case] origin: Option<&str>,
    #[case] expected: StatusCode,
) {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let mut request = Request::post("/mcp").header("content-type", "application/json").header("host", host);
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    let answer = hub.send(request, json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string()).await;
    assert_eq!(answer.status, expected, "{}", answer.body);
    if expected == StatusCode::FORBIDDEN {
        assert_eq!(answer.json()["error"]["data"]["code"], "wrong_origin");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn what_is_refused_before_it_is_read_is_an_error_of_the_protocol() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let unknown = send(&hub, Some("kontor_nobody"), &ping).await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
    let said = unknown.json();
    assert_eq!(
        (&said["jsonrpc"], &said["error"]["data"]["code"]),
        (&json!("2.0"), &json!("unauthenticated")),
        "{said}"
    );
    let text = hub.send(Request::post("/mcp").header("content-type", "text/plain"), ping.to_string()).await;
    assert_eq!(
        (text.status, &text.json()["error"]["data"]["code"]),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, &json!("unsupported_media_type"))
    );
    let large = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "x".repeat(2 << 20)}});
    let large = send(&hub, None, &large).await;
    assert_eq!(
        (large.status, &large.json()["error"]["data"]["code"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large"))
    );
    let broken = hub.send(Request::post("/mcp").header("content-type", "application/json"), "{").await;
    assert!(broken.status.is_client_error(), "{}", broken.body);
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let deep = hub.send(Request::post("/mcp").header("content-type", "application/json"), deep).await;
    assert!(deep.status.is_client_error(), "{}", deep.body);
}

#[tokio::test]
async fn a_browsers_session_is_nobodys_name_here() {
    let hub = TestHub::start(On::Sqlite).await.unwrap();
    hub.publish(ADMIN, "@admin/secret@1.0.0", "private", "Read the meter.").await;
    let link = hub.call("POST", "/api/kontor/v1/login-links", Some(ADMIN), &json!({})).await.json();
    let code = link["url"].as_str().unwrap().split("code=").nth(1).unwrap().to_owned();
    let form = Request::post("/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", PUBLIC)
        .header("accept", "text/html");
    let signed_in = hub.send(form, format!("code={code}")).await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("kontor_session="), "{}", signed_in.body);
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "skills/list"});
    let asked = || Request::post("/mcp").header("content-type", "application/json").header("origin", PUBLIC);
    let by_cookie = hub.send(asked().header("cookie", &cookie), list.to_string()).await;
    assert_eq!(by_cookie.json()["result"]["skills"], json!([]), "{}", by_cookie.body);
    let by_token = hub.send(with_token(asked(), Some(ADMIN)), list.to_string()).await;
    assert_eq!(by_token.json()["result"]["skills"].as_array().unwrap().len(), 1);
}
