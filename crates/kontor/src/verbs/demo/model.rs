//! `kontor demo model`: what answers an errand's two calls by rules, on this machine, so that nobody needs a provider's key to
//! try one. It is no model and says so.

use std::net::SocketAddr;

use anyhow::Context as _;
use kontor_agents::rules;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::exit::Exit;
use crate::session::Session;

/// The largest request that is read.
const LARGEST: usize = 1 << 20;

/// Answers until Ctrl-C.
pub async fn run(port: u16, session: &Session) -> anyhow::Result<Exit> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address}; choose another with --port"))?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "url": url, "model": rules::NAME }));
    } else {
        terminal.data(&format!("{} answers at {url}", rules::NAME));
        terminal.note(
            "this is no model: it reads short requests by a few rules, to try an errand without a provider's key",
        );
        terminal.note("in the hub's kontor.toml:");
        terminal.note(&format!("[[provider]]\nname = \"demo\"\nurl = \"{url}\"\nmodels = [\"{}\"]", rules::NAME));
    }
    loop {
        tokio::select! {
            taken = listener.accept() => {
                let (stream, _) = taken.context("cannot take a connection")?;
                tokio::spawn(serve(stream));
            }
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.context("cannot wait for Ctrl-C")?;
                return Ok(Exit::Done);
            }
        }
    }
}

/// Answers one request and closes.
async fn serve(mut stream: TcpStream) {
    let (status, body) = match read(&mut stream).await {
        Some(request) => ("200 OK", rules::answer(&request)),
        None => (
            "400 Bad Request",
            json!({"error": {"message": "send one chat completion as JSON", "type": "invalid_request_error"}}),
        ),
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // Whoever went away needs no answer.
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// The JSON of a POST.
async fn read(stream: &mut TcpStream) -> Option<Value> {
    let mut held = Vec::new();
    let mut part = [0; 8192];
    let body = loop {
        let count = stream.read(&mut part).await.ok().filter(|count| *count > 0)?;
        held.extend_from_slice(part.get(..count)?);
        if let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") {
            break end.saturating_add(4);
        }
        if held.len() > LARGEST {
            return None;
        }
    };
    let fields = String::from_utf8_lossy(held.get(..body)?).to_ascii_lowercase();
    let length = fields.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok())?;
    if !fields.starts_with("post ") || length > LARGEST {
        return None;
    }
    while held.len() < body.saturating_add(length) {
        let count = stream.read(&mut part).await.ok().filter(|count| *count > 0)?;
        held.extend_from_slice(part.get(..count)?);
    }
    serde_json::from_slice(held.get(body..body.saturating_add(length))?).ok()
}
