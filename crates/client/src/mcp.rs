//! Messages of the Model Context Protocol, passed on to a hub as they are.

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::Client;
use crate::error::Error;

/// The most bytes of an answer: a file of 16 MiB in base64, and room for more.
const MOST: u64 = 64 << 20;

/// A message on its way to a hub.
#[derive(Debug, Clone)]
pub struct AgentMessage {
    /// The message, as JSON.
    pub body: Bytes,
    /// What the protocol wants told in headers.
    pub headers: Vec<(&'static str, String)>,
    /// The tools that the client may use; all when none are named.
    pub tools: Option<String>,
}

/// What a hub answered to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Each message that came, as JSON; none for what needs no answer.
    pub messages: Vec<Vec<u8>>,
}

impl Client {
    /// Passes a message on, once: it may do something, so only a connection that was never made is tried again.
    pub async fn pass_on(&self, message: AgentMessage) -> Result<AgentAnswer, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in message.headers {
            // What no header can hold is left out; the hub then says what is missing.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        let query = message
            .tools
            .map(|tools| url::form_urlencoded::Serializer::new(String::new()).append_pair("tools", &tools).finish());
        let (status, kind, body) = self.transport.once(&["mcp"], query.as_deref(), headers, message.body, MOST).await?;
        let messages = if kind.starts_with("text/event-stream") { events(&body) } else { whole(body) };
        Ok(AgentAnswer { status, messages })
    }
}

fn whole(body: Vec<u8>) -> Vec<Vec<u8>> {
    if body.iter().all(u8::is_ascii_whitespace) { Vec::new() } else { vec![body] }
}

/// The data of the events of a stream; an event without any only keeps the connection open.
fn events(body: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let mut data: Vec<u8> = Vec::new();
    for line in body.split(|byte| *byte == b'\n').chain(std::iter::once(&b""[..])) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(rest) = line.strip_prefix(b"data:") {
            if !data.is_empty() {
                data.push(b'\n');
            }
            data.extend_from_slice(rest.strip_prefix(b" ").unwrap_or(rest));
        } else if line.is_empty() {
            messages.extend(whole(std::mem::take(&mut data)));
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::events;

    #[test]
    fn a_stream_is_read_event_by_event() {
        let stream =
            b": hello\r\nretry: 3000\r\n\r\nid: 0\ndata:\n\nevent: message\ndata: {\"a\":\ndata: 1}\n\ndata: {}\n";
        let read: Vec<String> =
            events(stream).into_iter().map(|data| String::from_utf8_lossy(&data).into_owned()).collect();
        assert_eq!(read, ["{\"a\":\n1}", "{}"]);
    }
}
