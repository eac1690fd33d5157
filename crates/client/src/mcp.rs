//! Messages of the Model Context Protocol, passed on to a hub as they are.

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::sync::mpsc::Sender;

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

impl Client {
    /// Passes a message on, once: it may do something, so only a connection that was never made is tried again. Each message
    /// that is answered goes to `answers` as soon as it is there; the HTTP status comes back at the end.
    pub async fn pass_on(&self, message: AgentMessage, answers: &Sender<Vec<u8>>) -> Result<u16, Error> {
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
        let mut response = self.transport.once(&["mcp"], query.as_deref(), headers, message.body).await?;
        let status = response.status().as_u16();
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let mut events = kind.starts_with("text/event-stream").then(Events::default);
        let (mut read, mut whole) = (0_u64, Vec::new());
        let broken = |source| Error::Transfer { registry: self.registry().to_owned(), source };
        while let Some(part) = response.chunk().await.map_err(broken)? {
            read = read.saturating_add(part.len() as u64);
            if read > MOST {
                return Err(Error::TooLarge { what: "the answer".to_owned(), limit: MOST });
            }
            let Some(events) = &mut events else {
                whole.extend_from_slice(&part);
                continue;
            };
            for event in events.feed(&part) {
                // Whoever listens may have gone; the rest is read all the same, so that the connection can be used again.
                let _ = answers.send(event).await;
            }
        }
        let rest = events.map_or(Some(whole), |mut events| events.feed(b"\n\n").pop());
        if let Some(rest) = rest.filter(|rest| !rest.iter().all(u8::is_ascii_whitespace)) {
            let _ = answers.send(rest).await;
        }
        Ok(status)
    }
}

/// A stream of events, read as it comes.
#[derive(Debug, Default)]
struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
}

impl Events {
    /// The data of the events that end in this part; an event without any only keeps the connection open.
    fn feed(&mut self, part: &[u8]) -> Vec<Vec<u8>> {
        let mut ended = Vec::new();
        for piece in part.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            let Some(line) = self.line.strip_suffix(b"\n") else { continue };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if let Some(rest) = line.strip_prefix(b"data:") {
                if !self.data.is_empty() {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(rest.strip_prefix(b" ").unwrap_or(rest));
            } else if line.is_empty() {
                let data = std::mem::take(&mut self.data);
                ended.extend((!data.iter().all(u8::is_ascii_whitespace)).then_some(data));
            }
            self.line.clear();
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::Events;

    #[test]
    fn a_stream_is_read_event_by_event_however_it_is_cut() {
        let stream =
            b": hello\r\nretry: 3000\r\n\r\nid: 0\ndata:\n\nevent: message\ndata: {\"a\":\ndata: 1}\n\ndata: {}\n\n";
        for size in [1, 3, 7, stream.len()] {
            let mut events = Events::default();
            let read = stream.chunks(size).flat_map(|part| events.feed(part));
            let read: Vec<String> = read.map(|data| String::from_utf8_lossy(&data).into_owned()).collect();
            assert_eq!(read, ["{\"a\":\n1}", "{}"]);
        }
    }
}
