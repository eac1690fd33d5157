//! A client in a few lines: messages as the specification writes them, and nothing of the library that the hub uses.

use axum::http::Request;
use kontor_package::{Content, Limits, pack};
use kontor_testkit::{ADMIN, Answer, NATIVE, TestHub, with_token};
use serde_json::{Value, json};

/// The revision that has no handshake.
pub const MODERN: &str = "2026-07-28";

/// Sends a message as it is.
pub async fn send(hub: &TestHub, token: Option<&str>, message: &Value) -> Answer {
    let request = with_token(Request::post("/mcp"), token)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    hub.send(request, message.to_string()).await
}

/// The answer to a request of clients that begin with a handshake.
pub async fn ask(hub: &TestHub, token: Option<&str>, method: &str, params: Value) -> Value {
    let answer = send(hub, token, &json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// The answer to a request that says everything about its client itself.
pub async fn ask_modern(hub: &TestHub, method: &str, params: Value) -> Value {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut request = Request::post("/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", MODERN)
        .header("mcp-method", method);
    if method == "resources/read" {
        request = request.header("mcp-name", params["uri"].as_str().unwrap());
    }
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let answer = hub.send(request, message.to_string()).await;
    let mut answer = answer.json();
    // Who the server is may be told with every answer.
    if let Some(meta) = answer["result"].get_mut("_meta") {
        assert!(meta["io.modelcontextprotocol/serverInfo"].is_object(), "{meta}");
        answer["result"].as_object_mut().unwrap().remove("_meta");
    }
    answer
}

/// What a tool answered.
pub async fn call(hub: &TestHub, token: Option<&str>, tool: &str, arguments: Value) -> Value {
    let answer = ask(hub, token, "tools/call", json!({"name": tool, "arguments": arguments})).await;
    assert!(answer["result"].is_object(), "{answer}");
    answer["result"].clone()
}

/// The text of a tool's answer.
pub fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

/// Publishes files as a skill, in the name of the administrator; `name` is like `@admin/pdf@1.0.0`.
pub async fn publish(hub: &TestHub, name: &str, files: &[(&str, &[u8])]) {
    let (skill, version) = name.trim_start_matches('@').split_once('@').unwrap();
    let (publisher, slug) = skill.split_once('/').unwrap();
    let owned = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
    let package = pack(&Content::from_files(owned, &Limits::default()).unwrap());
    let path = format!("{NATIVE}/publishers/{publisher}/skills?slug={slug}&visibility=public&version={version}");
    let request = with_token(Request::post(path), Some(ADMIN)).header("content-type", "application/zip");
    let answer = hub.send(request, package.bytes).await;
    assert!(answer.status.is_success(), "{}", answer.body);
    hub.catch_up().await;
}

/// The text of a skill.
pub fn skill_text(name: &str, description: &str, body: &str) -> String {
    format!("---\nname: {name}\ndescription: {description}\nlicense: MIT\n---\n\n{body}\n")
}
