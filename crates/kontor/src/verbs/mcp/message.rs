//! What of a message matters on its way: who waits for an answer, and what the protocol wants told in headers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Codes of JSON-RPC.
pub const PARSE_ERROR: i32 = -32_700;
pub const INVALID_REQUEST: i32 = -32_600;
pub const INTERNAL_ERROR: i32 = -32_603;
/// From this revision on, headers say what a message is.
const WITH_HEADERS: &str = "2026-07-28";
const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// A message of the client.
#[derive(Debug, Clone)]
pub struct Incoming(Value, bytes::Bytes);

impl Incoming {
    /// Reads a line; `None` when it is no single message.
    pub fn read(line: &[u8]) -> Option<Self> {
        let read = serde_json::from_slice(line).ok().filter(Value::is_object)?;
        Some(Self(read, bytes::Bytes::copy_from_slice(line)))
    }

    /// Whether it asks for this.
    pub fn is(&self, method: &str) -> bool {
        self.0["method"] == method
    }

    /// The id of a request; null for what needs no answer.
    pub fn id(&self) -> &Value {
        self.0.get("id").unwrap_or(&Value::Null)
    }

    /// The id as a key.
    pub fn key(&self) -> Option<String> {
        (!self.id().is_null()).then(|| self.id().to_string())
    }

    /// The key of the request that this message takes back.
    pub fn cancels(&self) -> Option<String> {
        self.is("notifications/cancelled").then(|| self.0["params"]["requestId"].to_string())
    }

    /// The message exactly as it came: numbers read and written again may be others.
    pub fn body(&self) -> bytes::Bytes {
        self.1.clone()
    }

    /// Its headers; `agreed` is the revision from when client and hub met.
    pub fn headers(&self, agreed: Option<&str>) -> Vec<(&'static str, String)> {
        let params = &self.0["params"];
        let Some(version) = params["_meta"][VERSION].as_str().or(agreed).filter(|_| !self.is("initialize")) else {
            return Vec::new();
        };
        let mut headers = vec![("mcp-protocol-version", version.to_owned())];
        if let (true, Some(method)) = (version >= WITH_HEADERS, self.0["method"].as_str()) {
            headers.push(("mcp-method", method.to_owned()));
            let name = match method {
                "tools/call" | "prompts/get" => params["name"].as_str(),
                "resources/read" => params["uri"].as_str(),
                _ => None,
            };
            headers.extend(name.map(|name| ("mcp-name", header_value(name))));
        }
        headers
    }
}

/// A text as the protocol puts it into a header: as it is, or in base64 between marks.
fn header_value(text: &str) -> String {
    let edge = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let marked = text.starts_with("=?base64?") && text.ends_with("?=");
    let plain = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    if plain && !marked && !edge(text.as_bytes().first()) && !edge(text.as_bytes().last()) {
        return text.to_owned();
    }
    format!("=?base64?{}?=", STANDARD.encode(text))
}

/// An error in the protocol's form.
pub fn failure(id: Option<&Value>, code: i32, text: &str, problem: &str) -> Value {
    let error = json!({ "code": code, "message": text, "data": { "kontor/problem": { "code": problem } } });
    match id {
        Some(id) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
        None => json!({ "jsonrpc": "2.0", "error": error }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_what_the_revision_wants() -> Result<(), &'static str> {
        let read = |text: &str| Incoming::read(text.as_bytes()).ok_or("no message");
        let first = read(r#"{"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}"#)?;
        assert_eq!(first.headers(None), []);
        let old = read(r#"{"id": 2, "method": "tools/call", "params": {"name": "get_skill"}}"#)?;
        assert_eq!(old.headers(Some("2025-11-25")), [("mcp-protocol-version", "2025-11-25".to_owned())]);
        let meta = r#""_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}"#;
        let new =
            read(&format!(r#"{{"id": 3, "method": "resources/read", "params": {{"uri": "skill://ü", {meta}}}}}"#))?;
        let headers = new.headers(None);
        assert_eq!(headers[1], ("mcp-method", "resources/read".to_owned()));
        assert_eq!(headers[2], ("mcp-name", "=?base64?c2tpbGw6Ly/DvA==?=".to_owned()));
        Ok(())
    }

    #[test]
    fn a_message_is_sent_exactly_as_it_came() {
        let line = br#"{"id": 1e30, "params": {"big": 123456789012345678901234567890}}"#;
        assert_eq!(Incoming::read(line).map(|message| message.body()), Some(bytes::Bytes::from_static(line)));
    }

    #[test]
    fn only_single_messages_are_read() {
        assert!(Incoming::read(b"[]").is_none() && Incoming::read(b"{").is_none() && Incoming::read(b"1").is_none());
    }
}
