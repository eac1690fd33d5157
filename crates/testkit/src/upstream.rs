//! A provider of models that says exactly what its script says: a real server on loopback.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// One answer.
#[derive(Debug, Clone)]
pub enum Say {
    /// A status, headers and a body.
    Answer {
        /// The status.
        status: u16,
        /// Headers besides the length.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
    /// Events, each part sent by itself; then the end, or what `and` says.
    Events {
        /// What is sent, `data:` and blank lines included.
        parts: Vec<String>,
        /// What comes after the last part.
        and: After,
    },
    /// Nothing, for ever.
    Stall,
    /// The connection is closed without an answer.
    HangUp,
}

/// What comes after the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The end.
    End,
    /// Nothing, for ever.
    Stall,
    /// The connection is cut off.
    Cut,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Method and path.
    pub line: String,
    /// The head, in lower case.
    pub head: String,
    /// The body; null when it is no JSON.
    pub body: Value,
}

/// A provider that follows a script; its last line is repeated.
pub struct Upstream {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    waiting: watch::Receiver<usize>,
    server: JoinHandle<()>,
}

impl Say {
    /// An answer of text: 12 tokens sent, 5 received.
    pub fn chat(text: &str) -> Self {
        let message = json!({"role": "assistant", "content": text});
        Self::completion(&message, "stop", &json!({"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}))
    }

    /// A tool to be called.
    pub fn tool_call(name: &str, arguments: &Value) -> Self {
        let function = json!({"name": name, "arguments": arguments.to_string()});
        let call = json!({"id": "call_1", "type": "function", "function": function});
        let message = json!({"role": "assistant", "content": null, "tool_calls": [call]});
        Self::completion(
            &message,
            "tool_calls",
            &json!({"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29}),
        )
    }

    /// An answer with this message and this use; null for none.
    pub fn completion(message: &Value, reason: &str, usage: &Value) -> Self {
        let mut body = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "scripted-1",
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": reason}],
        });
        if !usage.is_null() {
            body["usage"] = usage.clone();
        }
        Self::json(200, &body)
    }

    /// JSON with a status.
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self::Answer { status, headers, body: body.to_string() }
    }

    /// An error in OpenAI's form.
    pub fn error(status: u16, code: &str) -> Self {
        Self::json(
            status,
            &json!({"error": {"message": format!("scripted {code}"), "type": "x", "param": null, "code": code}}),
        )
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }

    /// A stream of these words, with its use and `[DONE]`.
    pub fn words(words: &[&str]) -> Self {
        let mut parts = vec![chunk(&json!({"role": "assistant", "content": ""}), None)];
        parts.extend(words.iter().map(|word| chunk(&json!({"content": word}), None)));
        parts.push(chunk(&json!({}), Some("stop")));
        let usage = json!({"prompt_tokens": 12, "completion_tokens": words.len(), "total_tokens": 12 + words.len()});
        parts.push(event(&json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "scripted-1", "choices": [], "usage": usage})));
        parts.push("data: [DONE]\n\n".to_owned());
        Self::Events { parts, and: After::End }
    }
}

/// A chunk with this delta.
pub fn chunk(delta: &Value, reason: Option<&str>) -> String {
    event(&json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "scripted-1",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }))
}

/// An event with this data.
pub fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}

impl Upstream {
    /// Starts it.
    pub async fn start(script: Vec<Say>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (heard, script) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(VecDeque::from(script))));
        let (count, waiting) = watch::channel(0);
        let (count, known) = (Arc::new(count), Arc::clone(&heard));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, heard, count) = (Arc::clone(&script), Arc::clone(&known), Arc::clone(&count));
                tokio::spawn(async move {
                    let _ = serve(stream, &script, &heard, &count).await;
                });
            }
        });
        Self { address, heard, waiting, server }
    }

    /// Its address, for a provider's `url`.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it heard so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until it heard so many requests.
    pub async fn heard_at_least(&self, count: usize) {
        self.waiting.clone().wait_for(|heard| *heard >= count).await.unwrap();
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    script: &Mutex<VecDeque<Say>>,
    heard: &Mutex<Vec<Heard>>,
    count: &watch::Sender<usize>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await? {
        heard.lock().unwrap().push(request);
        let say = {
            let mut script = script.lock().unwrap();
            if script.len() > 1 { script.pop_front() } else { script.front().cloned() }
        };
        count.send_modify(|count| *count += 1);
        match say {
            Some(Say::Answer { status, headers, body }) => {
                let mut whole = format!("HTTP/1.1 {status} Scripted\r\n");
                for (name, value) in headers {
                    whole.extend([name, ": ", &value[..], "\r\n"]);
                }
                whole.extend(["content-length: ", body.len().to_string().as_str(), "\r\n\r\n", body.as_str()]);
                stream.write_all(whole.as_bytes()).await?;
            }
            Some(Say::Events { parts, and }) => {
                let beginning =
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
                stream.write_all(beginning.as_bytes()).await?;
                for part in parts {
                    stream.write_all(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).await?;
                }
                match and {
                    After::End => stream.write_all(b"0\r\n\r\n").await?,
                    After::Cut => return Ok(()),
                    After::Stall => std::future::pending::<()>().await,
                }
            }
            Some(Say::Stall) => std::future::pending::<()>().await,
            Some(Say::HangUp) | None => return Ok(()),
        }
    }
    Ok(())
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Heard>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            let whole = end + 4 + length;
            if buffer.len() >= whole {
                let line = String::from_utf8_lossy(&buffer[..end]).lines().next().unwrap_or_default().to_owned();
                let body = serde_json::from_slice(&buffer[end + 4..whole]).unwrap_or_default();
                buffer.drain(..whole);
                return Ok(Some(Heard { line, head, body }));
            }
        }
        let mut part = [0; 8_192];
        let count = stream.read(&mut part).await?;
        if count == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(&part[..count]);
    }
}
